/** The floating-point state that routines of the runtime work on, filled at random; and one of them beside the book's. */
import { expect } from "vitest";
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Routine, VectorSemantics } from "#machine/cpu/vector-semantics.ts";
import { CELL } from "../../machine/engine/wasm/cells.ts";
import { ELEMENTARY_NAMES } from "../../machine/engine/wasm/elementary-functions.ts";
import { EXTENDED_NAMES } from "../../machine/engine/wasm/extended-routines.ts";
import { type PlainRoutine, plainRoutine } from "../../machine/engine/wasm/plain-routines.ts";
import { Routines } from "../../machine/engine/wasm/runtime.ts";
import { decode } from "../../machine/isa/index.ts";
import type { Random } from "./random-bits.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const regions = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
type Functions = Record<string, (first: bigint, second: bigint) => number>;
const routines = new Routines({ memory, regions }, 0x8000).with([...EXTENDED_NAMES, ...ELEMENTARY_NAMES]) as Functions;
const bytes = new Uint8Array(memory.buffer);
export const state = { words: new BigUint64Array(memory.buffer), halves: new Uint32Array(memory.buffer) };

/** Significands where rounding is decided at the edge. */
export function significand({ pick, word, half }: Random): bigint {
  const sparse = 1n << BigInt(half() & 63);
  const low = pick([0n, 0x400n, 0x3ffn, 0x401n, 1n << 39n, (1n << 39n) - 1n, (1n << 40n) - 1n, 0x7ffn]);
  const any = pick([
    word(),
    sparse,
    0n,
    0xffffffffffffffffn,
    word() & ~0x7ffn,
    low,
    (word() & (0xffffffn << 40n)) | low,
  ]);
  return any | (1n << 63n);
}

function fillRegister(random: Random, number: number): void {
  const { pick, half } = random;
  const near = BigInt(0x3fff + (half() % 140) - 70);
  const exponent = pick([0x3fffn, near, near, near, BigInt(half() & 0x7fff), 1n, 0x7ffen, 0x7fffn, 0n]);
  const sign = pick([0n, 0x8000n]);
  const place = (at.X87 + number * at.X87_SIZE) / 8;
  const zero = pick([true, false, false, false, false]);
  state.words[place] = zero ? 0n : pick([significand(random), significand(random), random.word()]);
  state.words[place + 1] = sign | (zero ? 0n : exponent);
}

export function fillState(random: Random): void {
  for (let number = 0; number < 8; number++) fillRegister(random, number);
  const { pick, half } = random;
  const modes = pick([0x300, 0x300, 0x300, 0x200, 0, 0x100, 0x700, 0xb00, 0xf00, 0xe00]);
  const masks = pick([0x3f, 0x3f, 0x3f, half() & 0x3f]);
  state.halves[at.FPU_CONTROL / 4] = 0x40 | modes | masks;
  // No exception waits: then the routines are not called.
  state.halves[at.FPU_STATUS / 4] = half() & (0x4740 | masks);
  state.halves[at.FPU_TOP / 4] = half() & 7;
  state.halves[at.FPU_TAGS / 4] = pick([0xff, 0x7f, half() & 0xff]);
  state.halves[at.FPU_DELIVERED / 4] = 0;
}

interface Call {
  readonly routine: Routine;
  readonly values: bigint[];
}

/** The routines that an instruction calls, with operands given; all that is stored is delivered. */
export function callsOf(instruction: Instruction, operand: bigint): Call[] {
  const calls: Call[] = [];
  const recorder = new Proxy({} as VectorSemantics<bigint, bigint>, {
    get: (_, name) => {
      if (name === "call") {
        return (routine: Routine, ...values: bigint[]) => {
          calls.push({ routine, values });
          return 0n;
        };
      }
      if (name === "constant") return (value: bigint) => value;
      if (name === "if") return (_condition: bigint, then: () => void) => then();
      if (name === "condition" || name === "readState") return () => 1n;
      if (name === "load") return (_segment: number, _offset: bigint, width: number) => BigInt.asUintN(width, operand);
      return () => 0n;
    },
  });
  vectorMeaningOf(instruction.mnemonic)!(recorder, instruction);
  return calls;
}

/** All encodings of the x87: registers, and memory at [rax]. */
export function encodings(): Instruction[] {
  const found: Instruction[] = [];
  for (let opcode = 0xd8; opcode <= 0xdf; opcode++) {
    for (let modrm = 0; modrm < 0x100; modrm += modrm < 0xc0 ? 8 : 1) {
      const instruction = decode(Uint8Array.of(opcode, modrm, 0, 0, 0, 0, 0, 0), 0, 64);
      if (instruction.mnemonic !== null && vectorMeaningOf(instruction.mnemonic) !== null) found.push(instruction);
    }
  }
  return found;
}

export function operandOf(random: Random): bigint {
  const { pick, word, half } = random;
  const exponent = BigInt(1023 + (half() % 80) - 40) << 52n;
  const double = (word() & 0x800fffffffffffffn) | exponent;
  const single = (BigInt(half()) & 0x807fffffn) | (BigInt(127 + (half() % 40) - 20) << 23n);
  return pick([word(), double, double, single, single, 0n, BigInt(half() & 0xffff), 1n, 0x7ff0000000000000n]);
}

const FLOATING_POINT = [at.XMM, at.MICROCODE] as const;
const saved = () => bytes.slice(...FLOATING_POINT);
const text = (state: Uint8Array) => Buffer.from(state).toString("hex");

type Way = Pick<PlainRoutine, "name" | "values" | "answers">;

/** Runs a routine both ways, or another of the runtime's that does the same; gives whether the runtime's did it. */
export function compareCall(instruction: Instruction, { routine, values }: Call, other?: Way): boolean {
  const plain = other ?? plainRoutine(instruction, routine)!;
  const before = saved();
  state.words[CELL.routineAnswer / 8] = 0n;
  const [first, second] = [...values, ...plain.values, 0n, 0n] as [bigint, bigint];
  const done = routines[plain.name]!(first, second);
  const quick = saved();
  bytes.set(before, at.XMM);
  if (done === 0) {
    expect(text(quick)).toBe(text(before));
    return false;
  }
  const answer = routine({ state } as unknown as Cpu, ...values);
  expect(`${plain.name} ${text(quick)}`).toBe(`${plain.name} ${text(saved())}`);
  if (plain.answers) expect(state.words[CELL.routineAnswer / 8]).toBe(answer);
  return true;
}
