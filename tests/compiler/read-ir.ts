/** Reads SSA form from the text that `printFunction` writes, so that tests of the backend can be read as such. */
import {
  type BinaryOperation,
  type Block,
  type Edge,
  type FrameSlot,
  type Instruction,
  IrFunction,
  type IrProgram,
  type Predicate,
  type Terminator,
  type Value,
  type ValueType,
} from "../../tangle/compiler/ssa/ir.ts";
import type { IntrinsicName } from "../../tangle/compiler/tree.ts";

const BINARY = new Set("add sub mul and or xor shl shr sar udiv urem sdiv srem umulh smulh".split(" "));
const COMPARE = new Set("eq ne ult ule ugt uge slt sle sgt sge".split(" "));
const UNARY = new Set("negate complement zeroExtend signExtend truncate".split(" "));

/** Instructions that the text cannot say: asm, calls through pointers, made from the values that the text names. */
export type Extras = Readonly<Record<string, (get: (name: string) => Value) => Partial<Instruction>>>;

/** The functions of a text; the first is the entry. A slot is written `slot name size align`, an extra `extra name`. */
export function readIr(text: string, extras: Extras = {}): IrProgram {
  const functions = text
    .trim()
    .split(/\n(?=\s*function )/)
    .map((part) => new FunctionReader(part, extras).read());
  return { functions, data: [], coroutines: [], entry: functions[0]!.symbol };
}

class FunctionReader {
  private readonly lines: string[];
  private readonly fn: IrFunction;
  private readonly values = new Map<string, Value>();
  private readonly blocks = new Map<string, Block>();
  private readonly slots = new Map<string, FrameSlot>();

  constructor(
    text: string,
    private readonly extras: Extras,
  ) {
    this.lines = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
    const head = /^function ([^(]+)\((.*)\)(?:: (.*))?$/.exec(this.lines.shift()!);
    if (head === null) throw new Error(`no function in ${text}`);
    const results = (head[3]?.split(", ") ?? []) as ValueType[];
    this.fn = new IrFunction(head[1]!, results, "plain", "never", null);
  }

  read(): IrFunction {
    for (const line of this.lines) {
      const label = /^(b\d+)(?:\((.*)\))?:( cold)?$/.exec(line);
      if (label === null) continue;
      const block = this.fn.block();
      block.cold = label[3] !== undefined;
      block.parameters = this.definitions(label[2] ?? "");
      this.blocks.set(label[1]!, block);
      this.fn.blocks.push(block);
    }
    // Blocks come in an order in which values are defined before they are used.
    let block: Block | undefined;
    for (const line of this.lines) {
      const label = /^(b\d+)(?:\(.*\))?:/.exec(line);
      if (label !== null) block = this.blocks.get(label[1]!)!;
      else if (!this.terminator(block!, line)) block!.instructions.push(this.instruction(line));
    }
    return this.fn;
  }

  private definitions(text: string): Value[] {
    return text
      .split(", ")
      .filter((part) => part !== "")
      .map((part) => {
        const [name, type] = part.split(": ") as [string, ValueType];
        const value = this.fn.value(type);
        this.values.set(name, value);
        return value;
      });
  }

  private readonly get = (name: string): Value => {
    const value = this.values.get(name);
    if (value === undefined) throw new Error(`${this.fn.symbol}: no value ${name}`);
    return value;
  };

  private list(text: string): Value[] {
    return text
      .split(", ")
      .filter((name) => name !== "")
      .map(this.get);
  }

  private edge(text: string): Edge {
    const match = /^(b\d+)(?:\((.*)\))?$/.exec(text)!;
    return { block: this.blocks.get(match[1]!)!, arguments: this.list(match[2] ?? "") };
  }

  private terminator(block: Block, line: string): boolean {
    const [word, ...rest] = line.split(" ");
    const parts = rest.join(" ").split(/, (?![^(]*\))/);
    const set = (
      terminator: Terminator extends infer T ? (T extends Terminator ? Omit<T, "place"> : never) : never,
    ) => {
      block.terminator = { ...terminator, place: null } as Terminator;
      return true;
    };
    switch (word) {
      case "jump":
        return set({ kind: "jump", to: this.edge(parts[0]!) });
      case "branch": {
        const [condition, then, otherwise] = parts as [string, string, string];
        return set({
          kind: "branch",
          condition: this.get(condition),
          then: this.edge(then),
          otherwise: this.edge(otherwise),
        });
      }
      case "switch": {
        const ways = parts.slice(1).map((part) => part.split(": ") as [string, string]);
        const cases = ways
          .filter(([value]) => value !== "default")
          .map(([value, to]) => ({ value: BigInt(value), to: this.edge(to) }));
        const otherwise = this.edge(ways.find(([value]) => value === "default")![1]);
        return set({ kind: "switch", subject: this.get(parts[0]!), cases, otherwise });
      }
      case "return":
        return set({ kind: "return", values: this.list(rest.join(" ")) });
      case "unreachable":
        return set({ kind: "unreachable" });
      default:
        return false;
    }
  }

  private instruction(line: string): Instruction {
    const [left, right] = line.includes(" = ") ? (line.split(" = ") as [string, string]) : ["", line];
    const body = this.body(right);
    return { place: null, ...body, results: this.definitions(left) } as Instruction;
  }

  private body(text: string): Partial<Instruction> {
    const call = /^(\w+)(?: (\S+?))?\((.*)\)$/.exec(text);
    if (call?.[1] === "call") {
      const pointer = /^\[(\w+)\]$/.exec(call[2]!);
      const values = this.list(call[3]!);
      if (pointer === null) return { kind: "call", symbol: call[2]!, arguments: values };
      return { kind: "callIndirect", callee: this.get(pointer[1]!), arguments: values };
    }
    if (call !== null) return { kind: "intrinsic", name: call[1] as IntrinsicName, arguments: this.list(call[3]!) };
    const [word, ...rest] = text.split(" ") as [string, ...string[]];
    const names = rest.join(" ").split(", ");
    if (BINARY.has(word)) {
      return {
        kind: "binary",
        operation: word as BinaryOperation,
        left: this.get(names[0]!),
        right: this.get(names[1]!),
      };
    }
    if (COMPARE.has(word)) {
      return { kind: "compare", predicate: word as Predicate, left: this.get(names[0]!), right: this.get(names[1]!) };
    }
    if (UNARY.has(word)) return { kind: word as "negate", operand: this.get(names[0]!) };
    switch (word) {
      case "constant":
        return { kind: "constant", value: BigInt(rest[0]!) };
      case "symbol":
        return { kind: "symbol", symbol: rest[0]!, offset: Number(rest[2] ?? 0) };
      case "slot":
        return { kind: "slot", slot: this.slot(rest[0]!, Number(rest[1]), Number(rest[2])) };
      case "select": {
        const [condition, then, otherwise] = names.map(this.get) as [Value, Value, Value];
        return { kind: "select", condition, then, otherwise };
      }
      case "load":
      case "store": {
        const match = /^(volatile )?\[(\w+)(?: ([+-]) (\d+))?\](?:, (\w+))?$/.exec(rest.join(" "))!;
        const access = {
          address: this.get(match[2]!),
          offset: Number(`${match[3] ?? ""}${match[4] ?? 0}`),
          volatile: match[1] !== undefined,
        };
        return word === "load" ? { kind: "load", ...access } : { kind: "store", ...access, value: this.get(match[5]!) };
      }
      case "extra":
        return this.extras[rest[0]!]!(this.get);
      default:
        throw new Error(`cannot read ${text}`);
    }
  }

  private slot(name: string, size: number, align: number): FrameSlot {
    let slot = this.slots.get(name);
    if (slot === undefined) {
      slot = { name, size, align };
      this.slots.set(name, slot);
    }
    return slot;
  }
}
