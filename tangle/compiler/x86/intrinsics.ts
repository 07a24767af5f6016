/** What the hardware can do and TypeScript cannot say, as instructions. */
import type { Instruction, Value } from "../ssa/ir.ts";
import { memory } from "./addresses.ts";
import { copyMemory, fillMemory } from "./blocks.ts";
import { widthOf } from "./facts.ts";
import { loadInto } from "./loads.ts";
import { ImmediateOperand, RegisterOperand } from "./machine.ts";
import { RAX, RCX, RDX, type Register } from "./registers.ts";
import type { Selection } from "./selection.ts";

type Intrinsic = Extract<Instruction, { kind: "intrinsic" }>;

export function lowerIntrinsic(s: Selection, instruction: Intrinsic): void {
  const values = instruction.arguments;
  const result = instruction.results[0] ?? null;
  const target = (): Register => (result === null ? s.machine.register() : s.result(result));
  switch (instruction.name) {
    case "volatileLoad":
    case "atomicLoad":
      return loadInto(s, target(), memory(s, values[0]!, 0, widthOf(result!.type)));
    case "volatileStore":
    case "atomicStore": {
      const width = widthOf(values[1]!.type);
      const operand = s.operand(values[1]!, width);
      return s.emit("mov", [memory(s, values[0]!, 0, width), operand]);
    }
    case "atomicExchange":
      return exchange(s, "xchg", values, target());
    case "atomicAdd":
      return atomicAdd(s, values, result);
    case "atomicCompareExchange":
      return compareExchange(s, values, target());
    case "fence":
      return s.emit("mfence", []);
    case "spinHint":
      return s.emit("pause", []);
    case "portIn":
      return portIn(s, values[0]!, target(), widthOf(result?.type ?? "i8"));
    case "portOut":
      return portOut(s, values[0]!, values[1]!);
    case "halt":
      return s.emit("hlt", []);
    case "breakpoint":
      return s.emit("int3", []);
    case "enableInterrupts":
      return s.emit("sti", []);
    case "disableInterrupts":
      return s.emit("cli", []);
    case "enableInterruptsAndHalt":
      s.emit("sti", []);
      return s.emit("hlt", []);
    case "readFlags":
      s.emit("pushfq", []);
      return s.emit("pop", [new RegisterOperand(target(), 64)]);
    case "readCr0":
      return readControl(s, 0, target());
    case "readCr2":
      return readControl(s, 2, target());
    case "readCr3":
      return readControl(s, 3, target());
    case "readCr4":
      return readControl(s, 4, target());
    case "writeCr0":
      return writeControl(s, 0, values[0]!);
    case "writeCr3":
      return writeControl(s, 3, values[0]!);
    case "writeCr4":
      return writeControl(s, 4, values[0]!);
    case "invalidatePage":
      return s.emit("invlpg", [memory(s, values[0]!, 0, 0)]);
    case "readMsr":
      s.moveTo(RCX, values[0]!);
      s.emit("rdmsr", [], { reads: [RCX], writes: [RAX, RDX] });
      return joinHalves(s, target());
    case "readTimestamp":
      s.emit("rdtsc", [], { writes: [RAX, RDX] });
      return joinHalves(s, target());
    case "writeMsr":
      return writeMsr(s, values[0]!, values[1]!);
    case "loadIdt":
      return s.emit("lidt", [memory(s, values[0]!, 0, 0)]);
    case "loadGdt":
      return s.emit("lgdt", [memory(s, values[0]!, 0, 0)]);
    case "loadTaskRegister":
      return s.emit("ltr", [s.registerOperand(values[0]!, 16)]);
    case "copyMemory":
      return copyMemory(s, values);
    case "fillMemory":
      return fillMemory(s, values);
    case "unreachable":
      return s.emit("ud2", []);
  }
}

/** xchg or xadd: the register goes in with the new value and comes out with the old one. */
function exchange(s: Selection, mnemonic: "xchg" | "xadd", values: readonly Value[], to: Register): void {
  const width = widthOf(values[1]!.type);
  const cell = memory(s, values[0]!, 0, width);
  s.moveTo(to, values[1]!);
  // xchg with memory locks by itself (SDM vol. 3A, section 9.1.2.1).
  s.emit(mnemonic, [cell, new RegisterOperand(to, width)], { lock: mnemonic === "xadd" });
}

function atomicAdd(s: Selection, values: readonly Value[], result: Value | null): void {
  if (result !== null && s.facts.useCount(result) > 0) return exchange(s, "xadd", values, s.result(result));
  const width = widthOf(values[1]!.type);
  const operand = s.operand(values[1]!, width);
  s.emit("add", [memory(s, values[0]!, 0, width), operand], { lock: true });
}

function compareExchange(s: Selection, [address, expected, desired]: readonly Value[], to: Register): void {
  const width = widthOf(expected!.type);
  const cell = memory(s, address!, 0, width);
  const value = s.registerOperand(desired!, width);
  s.constant(to, 0n);
  s.moveTo(RAX, expected!);
  s.emit("cmpxchg", [cell, value], { lock: true, reads: [RAX], writes: [RAX] });
  s.emit("set", [new RegisterOperand(to, 8)], { condition: "e" });
}

/** A port as immediate where it fits a byte, else in dx. */
function port(s: Selection, value: Value): ImmediateOperand | RegisterOperand {
  const constant = s.constantOf(value);
  if (constant !== null && constant < 0x100n) return new ImmediateOperand(constant, 8);
  s.moveTo(RDX, value);
  return new RegisterOperand(RDX, 16);
}

function portIn(s: Selection, from: Value, to: Register, width: 8 | 16 | 32 | 64): void {
  s.emit("in", [new RegisterOperand(RAX, width), port(s, from)]);
  s.copy(to, RAX, width);
}

function portOut(s: Selection, to: Value, value: Value): void {
  const at = port(s, to);
  s.moveTo(RAX, value);
  s.emit("out", [at, new RegisterOperand(RAX, widthOf(value.type))]);
}

function readControl(s: Selection, control: number, to: Register): void {
  s.emit("movfromcr", [new RegisterOperand(to, 64)], { control });
}

function writeControl(s: Selection, control: number, value: Value): void {
  s.emit("movtocr", [s.registerOperand(value, 64)], { control });
}

/** edx:eax as one value; both have zeros above 32 bits after rdmsr and rdtsc (SDM vol. 2B). */
function joinHalves(s: Selection, to: Register): void {
  const low = s.machine.register();
  s.copy(low, RAX, 64);
  s.copy(to, RDX, 64);
  s.emit("shl", [new RegisterOperand(to, 64), new ImmediateOperand(32n, 8)]);
  s.emit("or", [new RegisterOperand(to, 64), new RegisterOperand(low, 64)]);
}

function writeMsr(s: Selection, index: Value, value: Value): void {
  const high = s.machine.register();
  s.moveTo(high, value);
  s.emit("shr", [new RegisterOperand(high, 64), new ImmediateOperand(32n, 8)]);
  s.moveTo(RCX, index);
  s.moveTo(RAX, value);
  s.copy(RDX, high, 64);
  s.emit("wrmsr", [], { reads: [RCX, RAX, RDX] });
}
