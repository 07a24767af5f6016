/** WebAssembly's binary format: bytes, LEB128 numbers, and the sections of the modules that the engine makes. */

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export const F32 = 0x7d;
export const F64 = 0x7c;
export type ValueType = typeof I32 | typeof I64 | typeof V128 | typeof F32 | typeof F64;
const NO_RESULT = 0x40;

/** Opcodes by their names in the specification (WebAssembly core specification, section 5.4). */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i32Load16U: 0x2f,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Store8: 0x3a,
  i32Store16: 0x3b,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64LtU: 0x54,
  i64GtU: 0x56,
  i64LeS: 0x57,
  i64LeU: 0x58,
  f32Eq: 0x5b,
  f32Ne: 0x5c,
  f32Lt: 0x5d,
  f32Le: 0x5f,
  f64Eq: 0x61,
  f64Ne: 0x62,
  f64Lt: 0x63,
  f64Le: 0x65,
  i32Clz: 0x67,
  i32Ctz: 0x68,
  i32Popcnt: 0x69,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivU: 0x6e,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i64Clz: 0x79,
  i64Ctz: 0x7a,
  i64Popcnt: 0x7b,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64DivU: 0x80,
  i64RemS: 0x81,
  i64RemU: 0x82,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  f32Abs: 0x8b,
  f32Neg: 0x8c,
  f32Trunc: 0x8f,
  f32Nearest: 0x90,
  f32Sqrt: 0x91,
  f32Add: 0x92,
  f32Sub: 0x93,
  f32Mul: 0x94,
  f32Div: 0x95,
  f64Abs: 0x99,
  f64Neg: 0x9a,
  f64Trunc: 0x9d,
  f64Nearest: 0x9e,
  f64Sqrt: 0x9f,
  f64Add: 0xa0,
  f64Sub: 0xa1,
  f64Mul: 0xa2,
  f64Div: 0xa3,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  f32ConvertI32S: 0xb2,
  f32ConvertI64S: 0xb4,
  f32DemoteF64: 0xb6,
  f64ConvertI32S: 0xb7,
  f64ConvertI64S: 0xb9,
  f64ConvertI64U: 0xba,
  f64PromoteF32: 0xbb,
  i32ReinterpretF32: 0xbc,
  i64ReinterpretF64: 0xbd,
  f32ReinterpretI32: 0xbe,
  f64ReinterpretI64: 0xbf,
  i32Extend8S: 0xc0,
  i32Extend16S: 0xc1,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
  prefixBulk: 0xfc,
  prefixVector: 0xfd,
} as const;

/** `memory.copy` and `memory.fill`, after `prefixBulk`. */
export const MEMORY_COPY = 10;
export const MEMORY_FILL = 11;

/** A growing run of bytes. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.#grow(1);
    this.bytes[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.#grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + by));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  unsigned(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  signed(value: number): void {
    let rest = value | 0;
    for (; rest < -64 || rest > 63; rest >>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest & 0x7f);
  }

  /** A 64-bit number, taken as signed. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    for (; rest < -0x40000000n || rest > 0x3fffffffn; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.signed(Number(rest));
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.unsigned(bytes.length);
    this.append(bytes);
  }

  // Instructions with immediates

  i32(value: number): void {
    this.byte(OP.i32Const);
    this.signed(value);
  }

  i64(value: bigint): void {
    this.byte(OP.i64Const);
    this.signed64(value);
  }

  get(local: number): void {
    this.byte(OP.localGet);
    this.unsigned(local);
  }

  set(local: number): void {
    this.byte(OP.localSet);
    this.unsigned(local);
  }

  tee(local: number): void {
    this.byte(OP.localTee);
    this.unsigned(local);
  }

  /** A load or store: alignment is a hint, and none is claimed. */
  memory(op: number, offset: number): void {
    this.byte(op);
    this.byte(0);
    this.unsigned(offset);
  }

  /** `v128.load` and `v128.store`. */
  vectorMemory(access: "load" | "store", offset: number): void {
    this.byte(OP.prefixVector);
    this.unsigned(access === "load" ? 0 : 11);
    this.byte(0);
    this.unsigned(offset);
  }

  open(op: typeof OP.block | typeof OP.loop | typeof OP.if): void {
    this.byte(op);
    this.byte(NO_RESULT);
  }

  branch(op: typeof OP.br | typeof OP.brIf, depth: number): void {
    this.byte(op);
    this.unsigned(depth);
  }

  result(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length) as Uint8Array<ArrayBuffer>;
  }
}

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export interface FunctionBody {
  /** Index into the module's types. */
  readonly type: number;
  /** Types of the locals after the parameters, in order. */
  readonly locals: readonly ValueType[];
  /** Instructions, with the last `end`. */
  readonly code: Uint8Array;
  /** The name under which it is exported. */
  readonly name: string;
}

export interface ModuleParts {
  readonly types: readonly FunctionType[];
  /** Imported functions, from the module "engine": name and type index. */
  /** Tables of functions that it imports; none unless given. V8 may make a copy of a table for each module with it. */
  readonly tables?: readonly string[];
  readonly imports: readonly { readonly name: string; readonly type: number }[];
  readonly functions: readonly FunctionBody[];
}

/** Section numbers (section 5.5.2). */
const SECTION = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;
/** Kinds of import and export. */
const KIND = { function: 0, table: 1, memory: 2 } as const;
const FUNCTION_REFERENCE = 0x70;

/** A module that imports the machine's memory, tables of functions and some functions, and exports its own. */
export function encodeModule({ types, tables = [], imports, functions }: ModuleParts): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter(4096);
  out.append(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  section(out, SECTION.type, types.length, (body) => {
    for (const { parameters, results } of types) {
      body.byte(0x60);
      for (const list of [parameters, results]) {
        body.unsigned(list.length);
        body.append(Uint8Array.from(list));
      }
    }
  });
  section(out, SECTION.import, 1 + tables.length + imports.length, (body) => {
    importEntry(body, "memory", KIND.memory);
    body.append(Uint8Array.of(0, 1));
    for (const name of tables) {
      importEntry(body, name, KIND.table);
      body.append(Uint8Array.of(FUNCTION_REFERENCE, 0, 0));
    }
    for (const { name, type } of imports) {
      importEntry(body, name, KIND.function);
      body.unsigned(type);
    }
  });
  section(out, SECTION.function, functions.length, (body) => {
    for (const { type } of functions) body.unsigned(type);
  });
  section(out, SECTION.export, functions.length, (body) => {
    for (const [index, { name }] of functions.entries()) {
      body.name(name);
      body.byte(KIND.function);
      body.unsigned(imports.length + index);
    }
  });
  section(out, SECTION.code, functions.length, (body) => {
    for (const { locals, code } of functions) appendFunction(body, locals, code);
  });
  return out.result();
}

function importEntry(body: ByteWriter, name: string, kind: number): void {
  body.name("engine");
  body.name(name);
  body.byte(kind);
}

function section(out: ByteWriter, number: number, count: number, fill: (body: ByteWriter) => void): void {
  const body = new ByteWriter(1024);
  body.unsigned(count);
  fill(body);
  out.byte(number);
  out.unsigned(body.length);
  out.append(body.bytes.subarray(0, body.length));
}

function appendFunction(body: ByteWriter, locals: readonly ValueType[], code: Uint8Array): void {
  const head = new ByteWriter(64);
  const runs: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  head.unsigned(runs.length);
  for (const { type, count } of runs) {
    head.unsigned(count);
    head.byte(type);
  }
  body.unsigned(head.length + code.length);
  body.append(head.bytes.subarray(0, head.length));
  body.append(code);
}
