/** A random program: instructions that can be moved, left out and printed, and the state that it starts with. */
import { decode, type Encoding, encodePlan, format, type Operand, type Plan } from "../../machine/isa/index.ts";
import { codeAddress, MOST_CODE } from "./layout.ts";

export interface ProgramItem {
  readonly plan: Plan;
  readonly operands: readonly Operand[];
  readonly lock: boolean;
  readonly repeat: "rep" | "repne" | null;
  readonly segmentOverride: number | null;
  /** Items of a group are left out together: the parts of a loop. */
  readonly group: number;
  /** For a relative operand: the item to which it leads, by `id`. */
  readonly jumpsTo: number | null;
  /** For a memory operand that has no register but rip: a linear address, or the first immediate of an item, by `id`. */
  readonly points: { readonly at: number } | { readonly item: number } | null;
  readonly id: number;
}

export interface Program {
  readonly mode: 32 | 64;
  readonly ring: 0 | 3;
  /** Page 2 comes on demand. */
  readonly demand: boolean;
  /** A timer interrupt waits from the beginning. */
  readonly armed: boolean;
  readonly registers: readonly bigint[];
  readonly flags: number;
  readonly items: readonly ProgramItem[];
}

export interface AssembledProgram {
  readonly code: Uint8Array;
  /** Offset of each item, and of the end. */
  readonly starts: readonly number[];
}

/** Machine code for a slot; null where it does not fit, or an operand's field is too small for what it must hold. */
export function assembleProgram({ mode, items }: Program, slot: number): AssembledProgram | null {
  const base = codeAddress(slot);
  const encodings: Encoding[] = [];
  const starts: number[] = [];
  let length = 0;
  for (const { plan, operands, lock, repeat, segmentOverride } of items) {
    const encoding = encodePlan(plan, operands, { mode, lock, repeat, segmentOverride });
    if (encoding === null) return null;
    encodings.push(encoding);
    starts.push(length);
    length += encoding.bytes.length;
  }
  if (length > MOST_CODE) return null;
  starts.push(length);
  const code = new Uint8Array(length);
  const view = new DataView(code.buffer);
  /** The place of the item with this id, or of the next that is still there. */
  const placeOf = (id: number) => {
    const index = items.findIndex((item) => item.id >= id);
    return index < 0 ? items.length : index;
  };
  for (const [index, item] of items.entries()) {
    const { bytes, immediateAt, immediateSize, displacementAt } = encodings[index]!;
    const [start, end] = [starts[index]!, starts[index + 1]!];
    code.set(bytes, start);
    if (item.jumpsTo !== null) {
      const distance = starts[placeOf(item.jumpsTo)]! - end;
      if (immediateSize === 1 && (distance < -128 || distance > 127)) return null;
      if (immediateSize === 1) view.setInt8(start + immediateAt, distance);
      else if (immediateSize === 2) view.setInt16(start + immediateAt, distance, true);
      else view.setInt32(start + immediateAt, distance, true);
    }
    if (item.points !== null) {
      const relative = item.operands.some((operand) => operand.kind === "memory" && operand.base === 16);
      const place = "at" in item.points ? null : placeOf(item.points.item);
      const pointed = encodings[place ?? 0];
      const target =
        "at" in item.points
          ? item.points.at
          : base + starts[place!]! + (pointed?.immediateSize ? pointed.immediateAt : 0);
      view.setInt32(start + displacementAt, relative ? target - (base + end) : target, true);
    }
  }
  return { code, starts };
}

/** The program as assembly, with addresses, bytes and what it starts with. */
export function printProgram(program: Program, slot: number): string {
  const assembled = assembleProgram(program, slot);
  if (assembled === null) return "(does not assemble)";
  const { code } = assembled;
  const base = codeAddress(slot);
  const lines: string[] = [];
  for (let at = 0; at < code.length; ) {
    const instruction = decode(code, at, program.mode);
    const bytes = code.subarray(at, at + instruction.length);
    const shown = instruction.mnemonic === null ? "(no instruction)" : format(instruction, BigInt(base + at));
    lines.push(`  ${(base + at).toString(16)}  ${Buffer.from(bytes).toString("hex").padEnd(24)}  ${shown}`);
    at += Math.max(1, instruction.length);
  }
  const names = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
  const registers = program.registers
    .flatMap((value, number) => (value === 0n ? [] : [`${names[number]}=${value.toString(16)}`]))
    .join(" ");
  const kind = [
    `${program.mode}-bit, ring ${program.ring}`,
    program.demand ? "page 2 on demand" : "",
    program.armed ? "an interrupt waits" : "",
  ].filter((part) => part !== "");
  return [`  ${kind.join(", ")}; flags=${program.flags.toString(16)} ${registers}`, ...lines].join("\n");
}
