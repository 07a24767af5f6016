/** The runtime's routines for plain 80-bit numbers against those of the book: the same state after, or nothing done. */
import { describe, expect, it } from "vitest";
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Routine, VectorSemantics } from "#machine/cpu/vector-semantics.ts";
import { CELL } from "../../machine/engine/wasm/cells.ts";
import { plainRoutine } from "../../machine/engine/wasm/plain-routines.ts";
import { makeElementary, makeRoutines } from "../../machine/engine/wasm/runtime.ts";
import { decode } from "../../machine/isa/index.ts";
import { type Random, randomBits } from "./random-bits.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const regions = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
const shared = { memory, regions };
type Functions = Record<string, (first: bigint, second: bigint) => number>;
const routines = { ...makeRoutines(shared), ...makeElementary(shared) } as Functions;
const bytes = new Uint8Array(memory.buffer);
const state = { words: new BigUint64Array(memory.buffer), halves: new Uint32Array(memory.buffer) };

/** Significands where rounding is decided at the edge. */
function significand({ pick, word, half }: Random): bigint {
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

function fillState(random: Random): void {
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
function callsOf(instruction: Instruction, operand: bigint): Call[] {
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
function encodings(): Instruction[] {
  const found: Instruction[] = [];
  for (let opcode = 0xd8; opcode <= 0xdf; opcode++) {
    for (let modrm = 0; modrm < 0x100; modrm += modrm < 0xc0 ? 8 : 1) {
      const instruction = decode(Uint8Array.of(opcode, modrm, 0, 0, 0, 0, 0, 0), 0, 64);
      if (instruction.mnemonic !== null && vectorMeaningOf(instruction.mnemonic) !== null) found.push(instruction);
    }
  }
  return found;
}

function operandOf(random: Random): bigint {
  const { pick, word, half } = random;
  const exponent = BigInt(1023 + (half() % 80) - 40) << 52n;
  const double = (word() & 0x800fffffffffffffn) | exponent;
  const single = (BigInt(half()) & 0x807fffffn) | (BigInt(127 + (half() % 40) - 20) << 23n);
  return pick([word(), double, double, single, single, 0n, BigInt(half() & 0xffff), 1n, 0x7ff0000000000000n]);
}

const ON_TOP = ["frndint", "fscale", "fxtract", "fprem", "fprem1", "fxam", "fincstp", "fdecstp", "fninit", "fnclex"];

const FLOATING_POINT = [at.XMM, at.MICROCODE] as const;
const saved = () => bytes.slice(...FLOATING_POINT);
const text = (state: Uint8Array) => Buffer.from(state).toString("hex");

/** Runs a routine both ways; gives whether the runtime's did it. */
function compareCall(instruction: Instruction, { routine, values }: Call): boolean {
  const plain = plainRoutine(instruction, routine)!;
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

describe("routines of the x87 for plain numbers", () => {
  const instructions = encodings().filter((instruction) => {
    const calls = callsOf(instruction, 0n);
    return calls.length > 0 && calls.every(({ routine }) => plainRoutine(instruction, routine) !== null);
  });

  it("are there for arithmetic, comparisons and moves", () => {
    const mnemonics = new Set(instructions.map(({ mnemonic }) => mnemonic));
    for (const mnemonic of [
      "fadd",
      "fsubrp",
      "fidiv",
      "fsqrt",
      "fcomip",
      "ficomp",
      "fld",
      "fldpi",
      "fistp",
      "fxch",
    ].concat(ON_TOP))
      expect(mnemonics).toContain(mnemonic);
  });

  it("leave the state that the book's routines leave, or do nothing", () => {
    const random = randomBits(20261123);
    const rounds = Number(process.env.ROUNDS ?? 100);
    const done = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      for (const instruction of instructions) {
        fillState(random);
        for (const call of callsOf(instruction, operandOf(random)))
          if (compareCall(instruction, call)) done.add(instruction.mnemonic);
      }
    }
    const never = instructions.map(({ mnemonic }) => mnemonic).filter((mnemonic) => !done.has(mnemonic));
    expect([...new Set(never)]).toEqual([]);
  });

  it.each(["fyl2x", "fyl2xp1", "fpatan"])(
    "does %s for nearly all numbers that are no powers of two, nor far apart",
    (name) => {
      const random = randomBits(2);
      const instruction = instructions.find(({ mnemonic }) => mnemonic === name)!;
      let done = 0;
      const rounds = Number(process.env.ROUNDS ?? 100);
      for (let round = 0; round < rounds; round++) {
        fillState(random);
        state.halves[at.FPU_CONTROL / 4]! |= 0x3f;
        state.halves[at.FPU_TAGS / 4] = 0xff;
        for (const index of [0, 1]) {
          const place = (at.X87 + ((state.halves[at.FPU_TOP / 4]! + index) & 7) * at.X87_SIZE) / 8;
          const sign = index === 0 && name === "fyl2x" ? 0n : state.words[place + 1]! & 0x8000n;
          state.words[place] = significand(random);
          const exponents = index === 0 && name === "fyl2xp1" ? [18] : [20, 22, 40];
          state.words[place + 1] = sign | BigInt(0x3fff - 20 + (random.half() % random.pick(exponents)));
        }
        for (const call of callsOf(instruction, 0n)) if (compareCall(instruction, call)) done++;
      }
      expect(done).toBeGreaterThan(rounds * 0.4);
    },
  );

  it("finds sines, cosines, tangents and powers of nearly all numbers from 2^-20 on", () => {
    const random = randomBits(1);
    const angles = instructions.filter(({ mnemonic }) =>
      ["fsin", "fcos", "fsincos", "fptan", "f2xm1"].includes(mnemonic),
    );
    expect(angles.length).toBe(5);
    let done = 0;
    const rounds = Number(process.env.ROUNDS ?? 100);
    for (let round = 0; round < rounds; round++) {
      for (const instruction of angles) {
        fillState(random);
        state.halves[at.FPU_CONTROL / 4]! |= 0x3f;
        state.halves[at.FPU_TAGS / 4] = 1 << state.halves[at.FPU_TOP / 4]!;
        const place = (at.X87 + state.halves[at.FPU_TOP / 4]! * at.X87_SIZE) / 8;
        state.words[place] = significand(random);
        state.words[place + 1] =
          (state.words[place + 1]! & 0x8000n) |
          BigInt(0x3fff - 20 + (random.half() % (instruction.mnemonic === "f2xm1" ? 20 : 36)));
        for (const call of callsOf(instruction, 0n)) if (compareCall(instruction, call)) done++;
      }
    }
    expect(done).toBeGreaterThan(rounds * 5 * 0.95);
  });
});
