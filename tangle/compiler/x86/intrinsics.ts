/** What the hardware can do and TypeScript cannot say, as instructions. */
import type { Instruction, Value } from "../ssa/ir.ts";
import type { IntrinsicName } from "../tree.ts";
import { memory } from "./addresses.ts";
import { copyMemory, fillMemory } from "./blocks.ts";
import { widthOf } from "./facts.ts";
import { loadInto } from "./loads.ts";
import { ImmediateOperand, RegisterOperand } from "./machine.ts";
import { RAX, RCX, RDX, type Register } from "./registers.ts";
import type { Selection } from "./selection.ts";

type Lowering = (s: Selection, values: readonly Value[], result: Value | null) => void;

/** Lowers the intrinsic. */
export function lowerIntrinsic(s: Selection, instruction: Extract<Instruction, { kind: "intrinsic" }>): void {
  LOWERINGS[instruction.name](s, instruction.arguments, instruction.results[0] ?? null);
}

/** An instruction without operands. */
function plain(...mnemonics: string[]): Lowering {
  return (s) => {
    for (const mnemonic of mnemonics) s.emit(mnemonic, []);
  };
}

/** What the split of coroutines replaces. */
function gone(): never {
  throw new Error("a coroutine was not split");
}

/** The register for a result, also where nobody asks for it. */
function target(s: Selection, result: Value | null): Register {
  return result === null ? s.machine.register() : s.result(result);
}

const load: Lowering = (s, [address], result) => {
  loadInto(s, target(s, result), memory(s, address!, 0, widthOf(result!.type)));
};

const store: Lowering = (s, [address, value]) => {
  const width = widthOf(value!.type);
  const operand = s.operand(value!, width);
  s.emit("mov", [memory(s, address!, 0, width), operand]);
};

/** xchg or xadd: the register goes in with the new value and comes out with the old one. */
function exchange(mnemonic: "xchg" | "xadd"): Lowering {
  return (s, [address, value], result) => {
    const width = widthOf(value!.type);
    const cell = memory(s, address!, 0, width);
    const register = target(s, result);
    s.moveTo(register, value!);
    // xchg with memory locks by itself (SDM vol. 3A, section 9.1.2.1).
    s.emit(mnemonic, [cell, new RegisterOperand(register, width)], { lock: mnemonic === "xadd" });
  };
}

const atomicAdd: Lowering = (s, values, result) => {
  if (result !== null && s.facts.useCount(result) > 0) {
    exchange("xadd")(s, values, result);
    return;
  }
  const [address, value] = values;
  const width = widthOf(value!.type);
  const operand = s.operand(value!, width);
  s.emit("add", [memory(s, address!, 0, width), operand], { lock: true });
};

const compareExchange: Lowering = (s, [address, expected, desired], result) => {
  const width = widthOf(expected!.type);
  const cell = memory(s, address!, 0, width);
  const value = s.registerOperand(desired!, width);
  const stored = result !== null && !s.inFlags.has(result) && s.facts.useCount(result) > 0 ? s.result(result) : null;
  if (stored !== null) s.constant(stored, 0n);
  s.moveTo(RAX, expected!);
  s.emit("cmpxchg", [cell, value], { lock: true, reads: [RAX], writes: [RAX] });
  if (stored !== null) s.emit("set", [new RegisterOperand(stored, 8)], { condition: "e" });
};

/** A port as immediate where it fits a byte, else in dx. */
function port(s: Selection, value: Value): ImmediateOperand | RegisterOperand {
  const constant = s.constantOf(value);
  if (constant !== null && constant < 0x100n) return new ImmediateOperand(constant, 8);
  s.moveTo(RDX, value);
  return new RegisterOperand(RDX, 16);
}

const portIn: Lowering = (s, [from], result) => {
  const width = widthOf(result!.type);
  s.emit("in", [new RegisterOperand(RAX, width), port(s, from!)]);
  s.copy(target(s, result), RAX, width);
};

const portOut: Lowering = (s, [to, value]) => {
  const at = port(s, to!);
  s.moveTo(RAX, value!);
  s.emit("out", [at, new RegisterOperand(RAX, widthOf(value!.type))]);
};

function readControl(control: number): Lowering {
  return (s, _, result) => s.emit("movfromcr", [new RegisterOperand(target(s, result), 64)], { control });
}

function writeControl(control: number): Lowering {
  return (s, [value]) => s.emit("movtocr", [s.registerOperand(value!, 64)], { control });
}

/** An instruction whose operand is the memory at an address. */
function onMemory(mnemonic: string): Lowering {
  return (s, [address]) => s.emit(mnemonic, [memory(s, address!, 0, 0)]);
}

const readFlags: Lowering = (s, _, result) => {
  s.emit("pushfq", []);
  s.emit("pop", [new RegisterOperand(target(s, result), 64)]);
};

/** edx:eax as one value; rdmsr and rdtsc leave zeros above 32 bits in both (SDM vol. 2B). */
function joinHalves(s: Selection, to: Register): void {
  const low = s.machine.register();
  s.copy(low, RAX, 64);
  s.copy(to, RDX, 64);
  s.emit("shl", [new RegisterOperand(to, 64), new ImmediateOperand(32n, 8)]);
  s.emit("or", [new RegisterOperand(to, 64), new RegisterOperand(low, 64)]);
}

const readMsr: Lowering = (s, [index], result) => {
  s.moveTo(RCX, index!);
  s.emit("rdmsr", [], { reads: [RCX], writes: [RAX, RDX] });
  joinHalves(s, target(s, result));
};

const readTimestamp: Lowering = (s, _, result) => {
  s.emit("rdtsc", [], { writes: [RAX, RDX] });
  joinHalves(s, target(s, result));
};

const writeMsr: Lowering = (s, [index, value]) => {
  const high = s.machine.register();
  s.moveTo(high, value!);
  s.emit("shr", [new RegisterOperand(high, 64), new ImmediateOperand(32n, 8)]);
  s.moveTo(RCX, index!);
  s.moveTo(RAX, value!);
  s.copy(RDX, high, 64);
  s.emit("wrmsr", [], { reads: [RCX, RAX, RDX] });
};

const LOWERINGS: Readonly<Record<IntrinsicName, Lowering>> = {
  volatileLoad: load,
  volatileStore: store,
  // Aligned loads acquire and stores release by themselves (SDM vol. 3A, section 9.2.2).
  atomicLoad: load,
  atomicStore: store,
  atomicExchange: exchange("xchg"),
  atomicCompareExchange: compareExchange,
  atomicAdd,
  fence: plain("mfence"),
  spinHint: plain("pause"),
  portIn,
  portOut,
  halt: plain("hlt"),
  breakpoint: plain("int3"),
  enableInterrupts: plain("sti"),
  disableInterrupts: plain("cli"),
  enableInterruptsAndHalt: plain("sti", "hlt"),
  readFlags,
  readCr0: readControl(0),
  readCr2: readControl(2),
  readCr3: readControl(3),
  readCr4: readControl(4),
  writeCr0: writeControl(0),
  writeCr3: writeControl(3),
  writeCr4: writeControl(4),
  invalidatePage: onMemory("invlpg"),
  readMsr,
  writeMsr,
  loadIdt: onMemory("lidt"),
  loadGdt: onMemory("lgdt"),
  loadTaskRegister: (s, [selector]) => s.emit("ltr", [s.registerOperand(selector!, 16)]),
  readTimestamp,
  copyMemory,
  fillMemory,
  unreachable: plain("ud2"),
  frameSize: gone,
  frameAlign: gone,
  resume: gone,
};
