/**
 * Random programs in SSA form, for tests of the backend: all operations and widths, loops with many carried values that
 * change places, branches, switches, calls with stack arguments and two results, memory of all kinds, atomics.
 * Every program ends, and no address gets into a result: the interpreter and the processor must agree on all of them.
 */
import {
  BITS,
  type BinaryOperation,
  type Block,
  type DataObject,
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
import { Random } from "./random-tree.ts";

const TYPES: readonly ValueType[] = ["i64", "i64", "i64", "i32", "i32", "i16", "i8", "i1"];
const INTEGERS: readonly ValueType[] = ["i64", "i64", "i32", "i32", "i16", "i8"];
const PREDICATES: readonly Predicate[] = ["eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge"];
const SIMPLE: readonly BinaryOperation[] = ["add", "sub", "mul", "and", "or", "xor"];
const SHIFTS: readonly BinaryOperation[] = ["shl", "shr", "sar"];
const DIVISIONS: readonly BinaryOperation[] = ["udiv", "urem", "sdiv", "srem"];
const CONSTANTS = [0n, 1n, 2n, 3n, 4n, 5n, 7n, 8n, 9n, 10n, 63n, 127n, 128n, 255n, 0x7fffn, 0x8000n, 0xffffn];
const LARGE = [
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
];
/** Words of the memory that all functions share. */
const WORDS = 16;
const MEMORY = "memory";
const TABLE = "functions";
/** Where addresses are stored, to be loaded again. */
const POINTERS = "pointers";

type Body = Instruction extends infer I ? (I extends Instruction ? Omit<I, "results" | "place"> : never) : never;
type End = Terminator extends infer T ? (T extends Terminator ? Omit<T, "place"> : never) : never;

export interface RandomIr {
  readonly program: IrProgram;
  readonly main: string;
  readonly arguments: readonly bigint[];
  /** How many of rax and rdx main returns, and their types. */
  readonly results: readonly ValueType[];
}

/** A program, the same for the same seed. */
export function randomIr(seed: number): RandomIr {
  const random = new Random(seed);
  const bytes = Uint8Array.from({ length: WORDS * 8 }, () => random.below(256));
  const plain = { align: 8, place: null };
  const functions: IrFunction[] = [];
  for (let i = random.below(4); i >= 0; i--) functions.push(new FunctionWriter(random, functions, i === 0).write());
  const relocations = functions.slice(0, -1).map((f, i) => ({ at: i * 8, symbol: f.symbol, offset: 0 }));
  const data: DataObject[] = [
    { ...plain, symbol: MEMORY, section: "data", size: bytes.length, bytes, relocations: [] },
    {
      ...plain,
      symbol: TABLE,
      section: "rodata",
      size: functions.length * 8,
      bytes: new Uint8Array(functions.length * 8),
      relocations,
    },
  ];
  data.push({ ...plain, symbol: POINTERS, section: "bss", size: 64, bytes: new Uint8Array(0), relocations: [] });
  const main = functions[functions.length - 1]!;
  const parameters = main.blocks[0]!.parameters;
  return {
    program: { functions, data, coroutines: [], entry: main.symbol },
    main: main.symbol,
    arguments: parameters.map((p) => BigInt.asUintN(BITS[p.type], number64(random))),
    results: main.results,
  };
}

function number64(random: Random): bigint {
  if (random.chance(40)) return random.pick(CONSTANTS);
  if (random.chance(30)) return random.pick(LARGE) + BigInt(random.below(3)) - 1n;
  return (BigInt(random.below(0x1_0000_0000)) << 32n) | BigInt(random.below(0x1_0000_0000));
}

class FunctionWriter {
  private readonly fn: IrFunction;
  private block: Block;
  /** Values defined in blocks that dominate the current one. */
  private known: Value[] = [];
  private readonly slots: FrameSlot[] = [];
  /** What is left to spend on instructions. */
  private budget: number;

  constructor(
    private readonly random: Random,
    private readonly callees: readonly IrFunction[],
    private readonly isMain: boolean,
  ) {
    const results = Array.from({ length: 1 + random.below(2) }, () => random.pick(TYPES));
    this.fn = new IrFunction(`f${callees.length}`, results, "plain", "never", null);
    this.block = this.newBlock();
    this.budget = random.chance(10) ? 300 : 40 + random.below(60);
  }

  write(): IrFunction {
    const { random, fn } = this;
    const count = this.isMain ? 1 + random.below(6) : random.below(10);
    this.block.parameters = Array.from({ length: count }, () => fn.value(random.pick(TYPES)));
    this.known.push(...this.block.parameters);
    for (let i = random.below(3); i > 0; i--) {
      const slot = { name: `slot${i}`, size: 8 * (1 + random.below(4)), align: random.pick([8, 8, 16]) };
      this.slots.push(slot);
      for (let at = 0; at < slot.size; at += 8) {
        const address = this.make("i64", { kind: "slot", slot });
        this.add([], { kind: "store", address, offset: at, value: this.value("i64"), volatile: false });
      }
    }
    this.statements(0);
    // Everything that is still known goes into the results: nothing that was computed is dead.
    fn.results.forEach((type, i) => {
      let sum = this.value(type);
      for (const value of this.known.filter((_, k) => k % 2 === i || fn.results.length === 1)) {
        sum = this.binary("xor", this.binary("mul", sum, this.constant(type, 3n)), this.convert(value, type));
      }
      this.finals.push(sum);
    });
    this.end({ kind: "return", values: this.finals });
    return fn;
  }

  private readonly finals: Value[] = [];

  private newBlock(): Block {
    const made = this.fn.block();
    this.fn.blocks.push(made);
    return made;
  }

  private add(types: readonly ValueType[], body: Body): Value[] {
    const results = types.map((type) => this.fn.value(type));
    this.block.instructions.push({ ...body, results, place: null } as Instruction);
    return results;
  }

  private make(type: ValueType, body: Body): Value {
    return this.add([type], body)[0]!;
  }

  private end(terminator: End): void {
    this.block.terminator = { ...terminator, place: null } as Terminator;
  }

  private enter(block: Block): void {
    this.block = block;
  }

  private constant(type: ValueType, value: bigint): Value {
    return this.make(type, { kind: "constant", value: BigInt.asUintN(BITS[type], value) });
  }

  private binary(operation: BinaryOperation, left: Value, right: Value): Value {
    return this.make(left.type, { kind: "binary", operation, left, right });
  }

  /** A value of this type: a known one if there is one, mostly; else a constant. */
  private value(type: ValueType): Value {
    const fitting = this.known.filter((v) => v.type === type);
    if (fitting.length > 0 && this.random.chance(80)) {
      return this.random.chance(50) ? this.random.pick(fitting) : this.random.pick(fitting.slice(-4));
    }
    if (this.known.length > 0 && this.random.chance(30)) return this.convert(this.random.pick(this.known), type);
    return this.constant(type, number64(this.random));
  }

  private convert(value: Value, type: ValueType): Value {
    if (value.type === type) return value;
    if (BITS[value.type] > BITS[type]) return this.make(type, { kind: "truncate", operand: value });
    const kind = this.random.chance(50) ? "zeroExtend" : "signExtend";
    return this.make(type, { kind, operand: value });
  }

  private statements(depth: number): void {
    for (let i = 1 + this.random.below(8); i > 0 && this.budget > 0; i--) {
      this.budget--;
      const choice = this.random.below(100);
      if (choice < 12 && depth < 3) this.branch(depth);
      else if (choice < 22 && depth < 3) this.loop(depth);
      else if (choice < 26 && depth < 3) this.select(depth);
      else this.statement();
    }
  }

  private statement(): void {
    const { random } = this;
    for (let i = 1 + random.below(6); i > 0; i--) {
      this.budget--;
      const choice = random.below(100);
      if (choice < 45) this.known.push(this.arithmetic());
      else if (choice < 60) this.known.push(this.load());
      else if (choice < 75) this.store();
      else if (choice < 82 && this.callees.length > 0) this.call();
      else if (choice < 88) this.atomic();
      else if (choice < 91) this.bulk();
      else if (choice < 94) this.known.push(this.throughPointer());
      else this.known.push(this.comparison());
    }
  }

  private arithmetic(): Value {
    const { random } = this;
    const type = random.pick(INTEGERS);
    const choice = random.below(100);
    if (choice < 45) return this.binary(random.pick(SIMPLE), this.value(type), this.value(type));
    if (choice < 60) return this.binary(random.pick(SHIFTS), this.value(type), this.value(type));
    if (choice < 70) {
      // Odd and positive: neither zero nor -1.
      const mask = this.constant(type, random.pick([0x7fn, 0x3fn, 0xfn]));
      const divisor = this.binary("or", this.binary("and", this.value(type), mask), this.constant(type, 1n));
      return this.binary(random.pick(DIVISIONS), this.value(type), divisor);
    }
    if (choice < 74) return this.binary(random.pick(["umulh", "smulh"]), this.value("i64"), this.value("i64"));
    if (choice < 80) return this.make(type, { kind: random.pick(["negate", "complement"]), operand: this.value(type) });
    if (choice < 90) return this.convert(this.value(random.pick(TYPES)), random.pick(TYPES));
    const kind = random.pick(TYPES);
    return this.make(kind, {
      kind: "select",
      condition: this.value("i1"),
      then: this.value(kind),
      otherwise: this.value(kind),
    });
  }

  private comparison(): Value {
    const type = this.random.pick(TYPES);
    // Bools are never compared by sign.
    const predicate = this.random.pick(type === "i1" ? PREDICATES.slice(0, 6) : PREDICATES);
    return this.make("i1", { kind: "compare", predicate, left: this.value(type), right: this.value(type) });
  }

  /** An address in shared memory or the frame with at least eight bytes behind `offset`. */
  private address(): { address: Value; offset: number } {
    const { random } = this;
    if (this.slots.length > 0 && random.chance(30)) {
      const slot = random.pick(this.slots);
      const address = this.make("i64", { kind: "slot", slot });
      return { address, offset: 8 * random.below(slot.size / 8) };
    }
    const base = this.make("i64", { kind: "symbol", symbol: MEMORY, offset: random.chance(20) ? 8 : 0 });
    if (random.chance(40)) return { address: base, offset: 8 * random.below(WORDS - 1) };
    const index = this.binary("and", this.value("i64"), this.constant("i64", 7n));
    const scale = random.below(4);
    const scaled =
      scale === 0 ? index : this.binary("shl", index, this.constant("i64", BigInt(scale === 3 ? 3 : scale)));
    const sum = random.chance(50) ? this.binary("add", base, scaled) : this.binary("add", scaled, base);
    if (random.chance(50)) return { address: sum, offset: 8 * random.below(4) };
    return { address: this.binary("add", sum, this.constant("i64", BigInt(8 * random.below(4)))), offset: 0 };
  }

  private load(): Value {
    const type = this.random.pick(INTEGERS);
    const { address, offset } = this.address();
    return this.make(type, { kind: "load", address, offset, volatile: this.random.chance(10) });
  }

  private store(): void {
    const { random } = this;
    const type = random.pick(INTEGERS);
    const { address, offset } = this.address();
    let value: Value;
    if (random.chance(40)) {
      const old = this.make(type, { kind: "load", address, offset, volatile: false });
      value = this.binary(random.pick(SIMPLE), ...this.shuffled(old, this.value(type)));
    } else {
      value = this.value(type);
    }
    this.add([], { kind: "store", address, offset, value, volatile: random.chance(10) });
  }

  private shuffled(a: Value, b: Value): [Value, Value] {
    return this.random.chance(70) ? [a, b] : [b, a];
  }

  private call(): void {
    const index = this.random.below(this.callees.length);
    const callee = this.callees[index]!;
    const values = callee.blocks[0]!.parameters.map((p) => this.value(p.type));
    if (this.random.chance(70)) {
      this.known.push(...this.add(callee.results, { kind: "call", symbol: callee.symbol, arguments: values }));
      return;
    }
    const table = this.make("i64", { kind: "symbol", symbol: TABLE, offset: 0 });
    const target = this.make("i64", { kind: "load", address: table, offset: index * 8, volatile: false });
    this.known.push(...this.add(callee.results, { kind: "callIndirect", callee: target, arguments: values }));
  }

  private atomic(): void {
    const { random } = this;
    const type = random.pick(INTEGERS);
    const { address, offset } = this.address();
    const cell = this.binary("add", address, this.constant("i64", BigInt(offset)));
    const name: IntrinsicName = random.pick([
      "atomicLoad",
      "atomicStore",
      "atomicExchange",
      "atomicAdd",
      "atomicCompareExchange",
    ]);
    const intrinsic = (types: readonly ValueType[], ...values: Value[]) =>
      this.known.push(...this.add(types, { kind: "intrinsic", name, arguments: values }));
    switch (name) {
      case "atomicLoad":
        intrinsic([type], cell);
        break;
      case "atomicStore":
        intrinsic([], cell, this.value(type));
        break;
      case "atomicCompareExchange":
        intrinsic(["i1"], cell, this.value(type), this.value(type));
        break;
      default:
        intrinsic([type], cell, this.value(type));
    }
  }

  /** Stores an address in memory, takes it out again, and loads from where it points. */
  private throughPointer(): Value {
    const { random } = this;
    const cells = this.make("i64", { kind: "symbol", symbol: POINTERS, offset: 8 * random.below(4) });
    const at = { address: cells, offset: 8 * random.below(3) };
    // Never an address in a frame: what a callee leaves behind must not point into a frame that is gone.
    const symbol = this.make("i64", { kind: "symbol", symbol: MEMORY, offset: 8 * random.below(8) });
    const distance = this.binary("and", this.value("i64"), this.constant("i64", 31n));
    const target = random.chance(60) ? symbol : this.binary("add", symbol, distance);
    this.add([], { kind: "store", ...at, value: target, volatile: random.chance(20) });
    if (random.chance(30)) this.statement();
    const pointer = this.make("i64", { kind: "load", ...at, volatile: false });
    if (random.chance(30)) return this.make("i1", { kind: "compare", predicate: "eq", left: pointer, right: target });
    const back = random.chance(50) ? pointer : target;
    return this.make("i32", { kind: "load", address: back, offset: 0, volatile: false });
  }

  /** copyMemory within the shared memory, mostly overlapping, or fillMemory. */
  private bulk(): void {
    const { random } = this;
    const base = this.make("i64", { kind: "symbol", symbol: MEMORY, offset: 0 });
    const part = () => this.binary("and", this.value("i64"), this.constant("i64", 31n));
    const at = () => this.binary("add", base, part());
    const bytes = random.chance(50) ? this.constant("i64", BigInt(random.below(64))) : part();
    if (random.chance(50)) {
      this.add([], { kind: "intrinsic", name: "copyMemory", arguments: [at(), at(), bytes] });
    } else {
      const byte = random.chance(40) ? this.constant("i8", random.pick([0n, 0x20n, 0xffn])) : this.value("i8");
      this.add([], { kind: "intrinsic", name: "fillMemory", arguments: [at(), byte, bytes] });
    }
  }

  /** Runs `body` in `block`; what it defines is not known after it. Gives the values that the block passes on. */
  private within(block: Block, body: () => Value[]): { last: Block; passed: Value[] } {
    const before = this.known;
    this.known = [...before];
    this.enter(block);
    const passed = body();
    const last = this.block;
    this.known = before;
    return { last, passed };
  }

  private types(most: number): ValueType[] {
    return Array.from({ length: this.random.below(most + 1) }, () => this.random.pick(TYPES));
  }

  private branch(depth: number): void {
    const types = this.types(4);
    const condition = this.random.chance(70) ? this.comparison() : this.value("i1");
    const [then, otherwise, join] = [this.newBlock(), this.newBlock(), this.newBlock()];
    join.parameters = types.map((type) => this.fn.value(type));
    const arm = () => {
      this.statements(depth + 1);
      return types.map((type) => this.value(type));
    };
    const isHalf = this.random.chance(30);
    const direct = isHalf ? types.map((type) => this.value(type)) : [];
    const edge = (block: Block, values: readonly Value[] = []): Edge => ({ block, arguments: values });
    this.end({
      kind: "branch",
      condition,
      then: edge(then),
      otherwise: isHalf ? edge(join, direct) : edge(otherwise),
    });
    if (this.random.chance(20)) then.cold = true;
    const blocks = isHalf ? [then] : [then, otherwise];
    for (const block of blocks) {
      const { last, passed } = this.within(block, arm);
      last.terminator = { kind: "jump", to: edge(join, passed), place: null };
    }
    if (isHalf) this.fn.blocks.splice(this.fn.blocks.indexOf(otherwise), 1);
    this.enter(join);
    this.known.push(...join.parameters);
  }

  /** A loop of at most a few rounds; the values it carries are passed back in another order, or anew. */
  private loop(depth: number): void {
    const { random, fn } = this;
    const types = this.types(random.chance(15) ? 20 : 6);
    const [header, body, exit] = [this.newBlock(), this.newBlock(), this.newBlock()];
    const counter = fn.value("i32");
    const carried = types.map((type) => fn.value(type));
    header.parameters = [counter, ...carried];
    const rounds = this.constant("i32", BigInt(random.below(5)));
    this.end({ kind: "jump", to: { block: header, arguments: [rounds, ...types.map((type) => this.value(type))] } });
    this.enter(header);
    this.known.push(...carried);
    if (random.chance(40)) this.statement();
    const zero = this.constant("i32", 0n);
    const more = this.make("i1", { kind: "compare", predicate: "ne", left: counter, right: zero });
    this.end({
      kind: "branch",
      condition: more,
      then: { block: body, arguments: [] },
      otherwise: { block: exit, arguments: [] },
    });
    const { last, passed } = this.within(body, () => {
      this.statements(depth + 1);
      const next = this.binary("sub", counter, this.constant("i32", 1n));
      return [
        next,
        ...types.map((type) => {
          const others = carried.filter((value) => value.type === type);
          return random.chance(60) ? random.pick(others) : this.value(type);
        }),
      ];
    });
    last.terminator = { kind: "jump", to: { block: header, arguments: passed }, place: null };
    this.enter(exit);
  }

  private select(depth: number): void {
    const { random } = this;
    const types = this.types(3);
    const join = this.newBlock();
    join.parameters = types.map((type) => this.fn.value(type));
    const type = random.pick(INTEGERS);
    const subject = this.binary("and", this.value(type), this.constant(type, random.pick([3n, 7n, 15n, 0x70n])));
    const values = new Set(Array.from({ length: 1 + random.below(10) }, () => BigInt(random.below(16))));
    if (random.chance(20)) values.add(0x70n);
    const edge = (): Edge => {
      if (random.chance(20)) return { block: join, arguments: types.map((t) => this.value(t)) };
      return { block: this.newBlock(), arguments: [] };
    };
    const cases = [...values].map((value) => ({ value, to: edge() }));
    const otherwise = edge();
    this.end({ kind: "switch", subject, cases, otherwise });
    for (const { block } of [...cases.map((c) => c.to), otherwise]) {
      if (block === join) continue;
      const { last, passed } = this.within(block, () => {
        if (random.chance(30)) this.statements(depth + 1);
        else this.statement();
        return types.map((t) => this.value(t));
      });
      last.terminator = { kind: "jump", to: { block: join, arguments: passed }, place: null };
    }
    this.enter(join);
    this.known.push(...join.parameters);
  }
}
