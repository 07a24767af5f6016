/** The bytes of one block, with all that is known about them, before blocks have addresses. */
import type { Diagnostic, Place } from "../../place.ts";
import type { FrameState, Relocation } from "../object.ts";
import { assembleText } from "./assembled.ts";
import { encodeInstruction } from "./encoding.ts";
import { frameAfter } from "./frame.ts";
import type { Condition, MachineBlock, MachineInstruction } from "./machine.ts";

/** A jump at the end of a block; condition null for always. */
export interface Branch {
  readonly condition: Condition | null;
  readonly target: MachineBlock;
  near: boolean;
}

/** What was found in the texts of asm. */
export interface AsmNotes {
  readonly diagnostics: Diagnostic[];
  /** Names that are no labels of their own text, and so must be symbols. */
  readonly symbols: { readonly symbol: string; readonly place: Place | null }[];
}

export class Chunk {
  /** Without the branches. */
  readonly bytes: number[] = [];
  readonly relocations: Relocation[] = [];
  readonly lines: { readonly offset: number; readonly place: Place }[] = [];
  readonly frames: { readonly offset: number; readonly state: FrameState }[] = [];
  readonly branches: Branch[] = [];
  /** Offset in the function's code, once it is known. */
  start = 0;
  /** After what was appended last; null where frames are not followed. */
  frame: FrameState | null = null;

  constructor(
    readonly block: MachineBlock,
    private readonly asm: AsmNotes,
  ) {}

  setFrame(state: FrameState): void {
    this.frame = state;
    this.frames.push({ offset: this.bytes.length, state });
  }

  /** Encodes an instruction; those of prologue and epilogue change the frame. */
  append(instruction: MachineInstruction, changesFrame = false): void {
    if (instruction.mnemonic === "asm") {
      this.appendText(instruction);
      return;
    }
    this.mark(instruction.place);
    const { bytes, relocations } = encodeInstruction(instruction);
    for (const relocation of relocations) this.relocate(relocation);
    this.put(bytes);
    if (changesFrame && this.frame !== null) this.setFrame(frameAfter(this.frame, instruction));
  }

  /** Bytes without a place of their own. */
  put(bytes: Iterable<number>): void {
    for (const byte of bytes) this.bytes.push(byte);
  }

  private appendText(instruction: MachineInstruction): void {
    const { bytes, relocations, lines, diagnostics } = assembleText(instruction);
    this.asm.diagnostics.push(...diagnostics);
    for (const { symbol } of relocations) this.asm.symbols.push({ symbol, place: instruction.place });
    for (const { offset, place } of lines) this.lines.push({ offset: offset + this.bytes.length, place });
    for (const relocation of relocations) this.relocate(relocation);
    this.put(bytes);
  }

  /** Notes a hole that counts from what comes next. */
  private relocate(relocation: Relocation): void {
    this.relocations.push({ ...relocation, at: relocation.at + this.bytes.length });
  }

  private mark(place: Place | null): void {
    const last = this.lines.at(-1);
    if (place === null || last?.place === place) return;
    if (last?.offset === this.bytes.length) this.lines.pop();
    this.lines.push({ offset: this.bytes.length, place });
  }
}
