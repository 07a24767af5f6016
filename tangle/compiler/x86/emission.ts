/** Blocks in their final order to bytes: encoding, short and near branches, places in the source. */

import { conditionCode } from "#isa/conditions.ts";
import type { Place } from "../../place.ts";
import type { FrameState, ObjectFunction, Relocation } from "../object.ts";
import { type AsmNotes, type Branch, Chunk } from "./chunk.ts";
import type { Frame } from "./frame.ts";
import { type Condition, INVERSE, type MachineBlock, type MachineFunction, MachineInstruction } from "./machine.ts";
import { shorten } from "./peephole.ts";

export interface Emitted {
  readonly object: ObjectFunction;
  /** Where each block begins in the code, by block id. */
  readonly offsets: ReadonlyMap<MachineBlock, number>;
  readonly asm: AsmNotes;
}

export function emitFunction(fn: MachineFunction, order: readonly MachineBlock[], frame: Frame): Emitted {
  const asm: AsmNotes = { diagnostics: [], symbols: [] };
  let state = frame.arrival;
  const chunks = order.map((block, i) => {
    const chunk = new Chunk(block, asm);
    if (state !== null) chunk.setFrame(state);
    if (i === 0) for (const instruction of frame.prologue) chunk.append(instruction, true);
    // An epilogue takes the frame down for its own block only.
    if (i === 0) state = chunk.frame;
    for (const instruction of shorten(block)) chunk.append(instruction);
    end(chunk, order[i + 1], frame);
    return chunk;
  });
  const size = relax(chunks);
  return { ...assemble(fn, chunks, size), asm };
}

/** ud2: control that gets here is a mistake of the compiler's, and shows itself as an invalid opcode. */
const UD2 = [0x0f, 0x0b];

function end(chunk: Chunk, next: MachineBlock | undefined, frame: Frame): void {
  const t = chunk.block.terminator;
  const branch = (condition: Condition | null, target: MachineBlock) => {
    chunk.branches.push({ condition, target, near: false });
  };
  switch (t.kind) {
    case "jump":
      if (t.to !== next) branch(null, t.to);
      return;
    case "branch":
      if (t.then === next) {
        branch(INVERSE[t.condition], t.otherwise);
      } else {
        branch(t.condition, t.then);
        if (t.otherwise !== next) branch(null, t.otherwise);
      }
      return;
    case "return":
      for (const { mnemonic, operands } of frame.epilogue) {
        chunk.append(new MachineInstruction(mnemonic, operands, t.place), true);
      }
      return;
    case "none":
      if (t.trap) chunk.put(UD2);
      return;
    case "table":
      return;
  }
}

function branchSize(branch: Branch): number {
  return branch.near ? (branch.condition === null ? 5 : 6) : 2;
}

function chunkSize(chunk: Chunk): number {
  return chunk.branches.reduce((size, branch) => size + branchSize(branch), chunk.bytes.length);
}

/** Makes every branch as short as it can be: all start short, and those that do not reach are widened until all do. */
function relax(chunks: readonly Chunk[]): number {
  const starts = new Map<MachineBlock, Chunk>(chunks.map((chunk) => [chunk.block, chunk]));
  for (;;) {
    let at = 0;
    for (const chunk of chunks) {
      chunk.start = at;
      at += chunkSize(chunk);
    }
    let widened = false;
    for (const chunk of chunks) {
      let from = chunk.start + chunk.bytes.length;
      for (const branch of chunk.branches) {
        from += branchSize(branch);
        const distance = starts.get(branch.target)!.start - from;
        if (branch.near || (distance >= -128 && distance <= 127)) continue;
        branch.near = true;
        widened = true;
      }
    }
    if (!widened) return at;
  }
}

function assemble(fn: MachineFunction, chunks: readonly Chunk[], size: number): Pick<Emitted, "object" | "offsets"> {
  const code = new Uint8Array(size);
  const relocations: Relocation[] = [];
  const lines: { offset: number; place: Place }[] = [];
  const frames: { offset: number; state: FrameState }[] = [];
  const offsets = new Map<MachineBlock, number>(chunks.map((chunk) => [chunk.block, chunk.start]));
  for (const chunk of chunks) {
    code.set(chunk.bytes, chunk.start);
    for (const relocation of chunk.relocations) relocations.push({ ...relocation, at: relocation.at + chunk.start });
    for (const line of chunk.lines) lines.push({ ...line, offset: line.offset + chunk.start });
    for (const { offset, state } of chunk.frames) {
      if (frames.at(-1)?.offset === offset + chunk.start) frames.pop();
      if (frames.at(-1)?.state !== state) frames.push({ offset: offset + chunk.start, state });
    }
    let at = chunk.start + chunk.bytes.length;
    if (chunk.branches.length > 0 && chunk.block.terminator.place !== null)
      lines.push({ offset: at, place: chunk.block.terminator.place });
    for (const branch of chunk.branches) {
      const length = branchSize(branch);
      putBranch(code, at, branch, offsets.get(branch.target)! - (at + length));
      at += length;
    }
  }
  const merged = lines.filter((line, i) => {
    const before = lines[i - 1]?.place;
    const { place } = line;
    return before?.file !== place.file || before.line !== place.line || before.column !== place.column;
  });
  const object = { symbol: fn.symbol, code, relocations, lines: merged };
  return { object: frames.length === 0 ? object : { ...object, frames }, offsets };
}

function putBranch(code: Uint8Array, at: number, { condition, near }: Branch, distance: number): void {
  const cc = condition === null ? 0 : conditionCode(condition);
  if (!near) {
    code[at] = condition === null ? 0xeb : 0x70 | cc;
    code[at + 1] = distance & 0xff;
    return;
  }
  const opcode = condition === null ? [0xe9] : [0x0f, 0x80 | cc];
  code.set(opcode, at);
  new DataView(code.buffer).setInt32(at + opcode.length, distance, true);
}
