/** Guest code as regions read it: the page that execution stands in. */
import { decode } from "#isa/decode.ts";
import type { Mode } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { meaningOf, vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import { NOTE_CODE } from "#machine/memory/physical.ts";
import type { CodePage, DecodedInstruction } from "../code-cache.ts";
import type { CodeCursor } from "../code-cursor.ts";
import type { CodeRecords } from "./code-records.ts";
import type { JumpTargets } from "./jump-targets.ts";
import type { Block, CodeSource } from "./region.ts";
import type { Range } from "./translations.ts";

export class CodeWindow implements CodeSource {
  readonly #page: CodePage;
  /** rip of the page's first byte, and where that lies in RAM. */
  readonly #base: bigint;
  readonly #place: number;
  readonly #last: number;

  /** The cursor must be in a page. */
  constructor(
    readonly cpu: Cpu,
    readonly cursor: CodeCursor,
    readonly mode: Mode,
    readonly jumps: JumpTargets,
    readonly records: CodeRecords,
  ) {
    this.#page = cursor.page!;
    this.#base = cursor.base;
    this.#place = cursor.place;
    this.#last = cursor.last;
  }

  #offset(rip: bigint): number {
    const distance = rip - this.#base;
    return this.#place >= 0 && distance >= 0n && distance <= BigInt(this.#last) ? Number(distance) : -1;
  }

  seen(rip: bigint): boolean {
    const offset = this.#offset(rip);
    if (offset < 0) return false;
    return this.#page.entries[offset] !== undefined || this.records.isMade(this.#place + offset);
  }

  targets(rip: bigint): readonly bigint[] {
    return this.jumps.of(this.#page, this.#offset(rip));
  }

  fetch(rip: bigint): DecodedInstruction | null {
    const offset = this.#offset(rip);
    if (offset < 0) return null;
    const known = this.#page.entries[offset];
    if (known !== undefined) return known;
    const bytes = this.cpu.memory.readBytes(this.#place + offset, Math.min(15, 0x1000 - offset));
    const instruction = decode(bytes, 0, this.mode);
    if (instruction.mnemonic === null || offset + instruction.length - 1 > this.#last) return null;
    const meaning = meaningOf(instruction.mnemonic) ?? vectorMeaningOf(instruction.mnemonic);
    return meaning === null ? null : { instruction, meaning, length: instruction.length };
  }

  /** Whether writes to the page are still reported: translated code must not outlive them. */
  get isNoted(): boolean {
    return this.#place >= 0 && (this.cpu.memory.notes(this.#place) & NOTE_CODE) !== 0;
  }

  ranges(blocks: readonly Block[]): Range[] {
    const bytes = new Set<number>();
    for (const { steps } of blocks)
      for (const { start, decoded } of steps)
        for (let index = 0; index < decoded.length; index++) bytes.add(this.#offset(start) + index);
    const ranges: { start: number; end: number }[] = [];
    for (const offset of [...bytes].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      const place = this.#place + offset;
      if (last?.end === place) last.end++;
      else ranges.push({ start: place, end: place + 1 });
    }
    return ranges;
  }
}
