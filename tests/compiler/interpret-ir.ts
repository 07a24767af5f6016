/** A plain interpreter of SSA form over byte memory: the meaning against which lowering and every pass are tested. */
import { BITS, type Instruction, type IrFunction, type IrProgram, type Value } from "../../tangle/compiler/ssa/ir.ts";
import { FORMAT_PIECE, PANIC_INFO } from "../../tangle/compiler/tree.ts";

/** Thrown when the program reaches its panic handler. */
export class IrPanic extends Error {
  constructor(
    readonly text: string,
    readonly file: string,
    readonly line: number,
    readonly column: number,
  ) {
    super(`panic: ${text} (${file}:${line}:${column})`);
  }
}

/** Thrown when the program takes more steps than it was given. */
export class OutOfFuel extends Error {}

const DATA_START = 0x10000;
const CODE_START = 0x7000_0000n;
const MEMORY_SIZE = 0x40_0000;

const bits = (value: Value): number => BITS[value.type];
const unsigned = (value: Value, n: bigint): bigint => BigInt.asUintN(bits(value), n);

export class IrInterpreter {
  readonly memory = new DataView(new ArrayBuffer(MEMORY_SIZE));
  /** Volatile and port accesses, atomics and other effects that hardware sees, in order. */
  readonly events: string[] = [];
  private readonly functions = new Map<string, IrFunction>();
  private readonly addresses = new Map<string, bigint>();
  private readonly functionsByAddress = new Map<bigint, IrFunction>();
  private stack = MEMORY_SIZE;
  steps = 0;

  constructor(
    private readonly program: IrProgram,
    private readonly panicHandler: string,
    private readonly fuel = 1_000_000,
  ) {
    program.functions.forEach((f, i) => {
      const address = CODE_START + BigInt(i * 16);
      this.functions.set(f.symbol, f);
      this.addresses.set(f.symbol, address);
      this.functionsByAddress.set(address, f);
    });
    let at = DATA_START;
    for (const object of program.data) {
      at = Math.ceil(at / object.align) * object.align;
      this.addresses.set(object.symbol, BigInt(at));
      new Uint8Array(this.memory.buffer).set(object.bytes, at);
      at += object.size;
    }
    for (const object of program.data) {
      for (const relocation of object.relocations) {
        const where = Number(this.address(object.symbol)) + relocation.at;
        this.memory.setBigUint64(where, this.address(relocation.symbol) + BigInt(relocation.offset), true);
      }
    }
  }

  /** The address of a function or data object. */
  address(symbol: string): bigint {
    const address = this.addresses.get(symbol);
    if (address === undefined) throw new Error(`no symbol ${symbol}`);
    return address;
  }

  /** Runs the program from its entry, which never returns: through a panic, lack of fuel, or `unreachable`. */
  run(): void {
    this.call(this.program.entry, []);
  }

  /** Calls a function with values as unsigned bit patterns; the results are such too. */
  call(symbol: string, args: readonly bigint[]): bigint[] {
    if (symbol === this.panicHandler) this.panic(args[0]!);
    return this.execute(this.functions.get(symbol)!, args);
  }

  text(address: bigint, length: bigint): string {
    return new TextDecoder().decode(this.bytes(address, Number(length)));
  }

  bytes(address: bigint, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0);
    return new Uint8Array(this.memory.buffer, this.at(address, length), length).slice();
  }

  /** The text that a format value's pieces make. */
  format(address: bigint, count: bigint): string {
    let text = "";
    for (let i = 0; i < Number(count); i++) text += this.piece(address + BigInt(i * FORMAT_PIECE.size));
    return text;
  }

  private piece(address: bigint): string {
    const value = this.load(address, 8);
    const kind = Number(this.load(address + 16n, 1));
    const fill = String.fromCharCode(Number(this.load(address + 18n, 1)));
    const digits = Number(this.load(address + 19n, 1));
    const shown = ((): string => {
      switch (kind) {
        case 0:
          return this.text(value, this.load(address + 8n, 8));
        case 1:
          return String(value);
        case 2:
          return String(BigInt.asIntN(64, value));
        case 3:
          return value.toString(16);
        case 4:
          return value.toString(2);
        case 5: {
          const padded = String(value).padStart(digits + 1, "0");
          return digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
        }
        case 6:
          return String.fromCharCode(Number(value));
        default:
          return value === 0n ? "false" : "true";
      }
    })();
    return shown.padStart(Number(this.load(address + 17n, 1)), fill);
  }

  private panic(info: bigint): never {
    const word = (at: number): bigint => this.load(info + BigInt(at), 8);
    throw new IrPanic(
      this.format(word(PANIC_INFO.message), word(PANIC_INFO.message + 8)),
      this.text(word(PANIC_INFO.file), word(PANIC_INFO.file + 8)),
      Number(this.load(info + BigInt(PANIC_INFO.line), 4)),
      Number(this.load(info + BigInt(PANIC_INFO.column), 4)),
    );
  }

  private execute(f: IrFunction, args: readonly bigint[]): bigint[] {
    const saved = this.stack;
    const values = new Map<Value, bigint>();
    const slots = new Map<object, bigint>();
    const get = (value: Value): bigint => {
      const known = values.get(value);
      if (known === undefined) throw new Error(`${f.symbol}: v${value.id} has no value`);
      return known;
    };
    let block = f.blocks[0]!;
    let passed = args;
    for (;;) {
      block.parameters.forEach((parameter, i) => {
        values.set(parameter, passed[i]!);
      });
      for (const instruction of block.instructions) {
        if (++this.steps > this.fuel) throw new OutOfFuel();
        const results = this.step(instruction, get, slots);
        instruction.results.forEach((result, i) => {
          values.set(result, unsigned(result, results[i]!));
        });
      }
      if (++this.steps > this.fuel) throw new OutOfFuel();
      const { terminator } = block;
      switch (terminator.kind) {
        case "return":
          this.stack = saved;
          return terminator.values.map(get);
        case "unreachable":
          throw new Error(`${f.symbol}: reached the unreachable in b${block.id}`);
        case "jump":
          passed = terminator.to.arguments.map(get);
          block = terminator.to.block;
          break;
        case "branch": {
          const edge = get(terminator.condition) !== 0n ? terminator.then : terminator.otherwise;
          passed = edge.arguments.map(get);
          block = edge.block;
          break;
        }
        case "switch": {
          const subject = get(terminator.subject);
          const edge = terminator.cases.find((c) => c.value === subject)?.to ?? terminator.otherwise;
          passed = edge.arguments.map(get);
          block = edge.block;
          break;
        }
      }
    }
  }

  private step(i: Instruction, get: (value: Value) => bigint, slots: Map<object, bigint>): readonly bigint[] {
    switch (i.kind) {
      case "constant":
        return [i.value];
      case "symbol":
        return [this.address(i.symbol) + BigInt(i.offset)];
      case "slot": {
        let address = slots.get(i.slot);
        if (address === undefined) {
          this.stack = Math.floor((this.stack - i.slot.size) / i.slot.align) * i.slot.align;
          if (this.stack < MEMORY_SIZE / 2) throw new Error("stack overflow");
          // What a frame holds at first is not defined; a pattern shows reliance on it.
          new Uint8Array(this.memory.buffer).fill(0xa5, this.stack, this.stack + i.slot.size);
          address = BigInt(this.stack);
          slots.set(i.slot, address);
        }
        return [address];
      }
      case "binary":
        return [binary(i.operation, i.left, get(i.left), get(i.right))];
      case "negate":
        return [-get(i.operand)];
      case "complement":
        return [~get(i.operand)];
      case "compare":
        return [compare(i.predicate, i.left, get(i.left), get(i.right)) ? 1n : 0n];
      case "select":
        return [get(i.condition) !== 0n ? get(i.then) : get(i.otherwise)];
      case "zeroExtend":
      case "truncate":
        return [get(i.operand)];
      case "signExtend":
        return [BigInt.asIntN(bits(i.operand), get(i.operand))];
      case "load": {
        const address = get(i.address) + BigInt(i.offset);
        const value = this.load(address, Math.max(8, bits(i.results[0]!)) / 8);
        if (i.volatile) this.events.push(`load ${address}`);
        return [value];
      }
      case "store": {
        const address = get(i.address) + BigInt(i.offset);
        this.store(address, Math.max(8, bits(i.value)) / 8, get(i.value));
        if (i.volatile) this.events.push(`store ${address} ${get(i.value)}`);
        return [];
      }
      case "call":
        return this.call(i.symbol, i.arguments.map(get));
      case "callIndirect": {
        const target = this.functionsByAddress.get(get(i.callee));
        if (!target) throw new Error(`call of address ${get(i.callee)}, where no function is`);
        return this.call(target.symbol, i.arguments.map(get));
      }
      case "intrinsic":
        return this.intrinsic(i, get);
      case "asm":
        this.events.push(`asm ${i.text}`);
        return i.results.map(() => 0n);
    }
  }

  private intrinsic(i: Extract<Instruction, { kind: "intrinsic" }>, get: (value: Value) => bigint): bigint[] {
    const args = i.arguments.map(get);
    const width = (value: Value): number => Math.max(8, bits(value)) / 8;
    switch (i.name) {
      case "copyMemory":
        if (args[2] !== 0n) {
          const copied = this.bytes(args[1]!, Number(args[2]));
          new Uint8Array(this.memory.buffer).set(copied, this.at(args[0]!, copied.length));
        }
        return [];
      case "fillMemory":
        if (args[2] !== 0n) {
          const at = this.at(args[0]!, Number(args[2]));
          new Uint8Array(this.memory.buffer).fill(Number(args[1]), at, at + Number(args[2]));
        }
        return [];
      case "atomicLoad":
        return [this.load(args[0]!, width(i.results[0]!))];
      case "atomicStore":
        this.store(args[0]!, width(i.arguments[1]!), args[1]!);
        return [];
      case "atomicExchange":
      case "atomicAdd": {
        const size = width(i.arguments[1]!);
        const old = this.load(args[0]!, size);
        this.store(args[0]!, size, i.name === "atomicAdd" ? old + args[1]! : args[1]!);
        return [old];
      }
      case "atomicCompareExchange": {
        const size = width(i.arguments[1]!);
        const equal = this.load(args[0]!, size) === args[1];
        if (equal) this.store(args[0]!, size, args[2]!);
        return [equal ? 1n : 0n];
      }
      default:
        this.events.push(`${i.name} ${args.join()}`);
        return i.results.map(() => 0n);
    }
  }

  private load(address: bigint, size: number): bigint {
    const at = this.at(address, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.memory.getUint8(at + i));
    return value;
  }

  private store(address: bigint, size: number, value: bigint): void {
    const at = this.at(address, size);
    for (let i = 0; i < size; i++) this.memory.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
  }

  private at(address: bigint, size: number): number {
    const at = Number(BigInt.asUintN(64, address));
    if (at < DATA_START || at + size > MEMORY_SIZE) throw new Error(`access to ${at.toString(16)}, ${size} bytes`);
    return at;
  }
}

function binary(operation: string, type: Value, x: bigint, y: bigint): bigint {
  const width = BigInt(bits(type));
  const signedX = BigInt.asIntN(bits(type), x);
  const signedY = BigInt.asIntN(bits(type), y);
  switch (operation) {
    case "add":
      return x + y;
    case "sub":
      return x - y;
    case "mul":
      return x * y;
    case "and":
      return x & y;
    case "or":
      return x | y;
    case "xor":
      return x ^ y;
    case "shl":
      return x << (y % width);
    case "shr":
      return x >> (y % width);
    case "sar":
      return signedX >> (y % width);
    case "umulh":
      return (x * y) >> 64n;
    case "smulh":
      return (signedX * signedY) >> 64n;
  }
  if (y === 0n) throw new Error("division by zero was not checked");
  if (signedY === -1n && signedX === -(1n << (width - 1n)) && operation.startsWith("s")) {
    throw new Error("division of the most negative value by -1 was not checked");
  }
  switch (operation) {
    case "udiv":
      return x / y;
    case "urem":
      return x % y;
    case "sdiv":
      return signedX / signedY;
    case "srem":
      return signedX % signedY;
    default:
      throw new Error(`unknown operation ${operation}`);
  }
}

function compare(predicate: string, type: Value, x: bigint, y: bigint): boolean {
  const [a, b] = predicate.startsWith("s") ? [BigInt.asIntN(bits(type), x), BigInt.asIntN(bits(type), y)] : [x, y];
  switch (predicate) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "ult":
    case "slt":
      return a < b;
    case "ule":
    case "sle":
      return a <= b;
    case "ugt":
    case "sgt":
      return a > b;
    default:
      return a >= b;
  }
}
