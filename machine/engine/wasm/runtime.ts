/** What all regions share: one module with the functions that they call. */
import {
  ADD,
  DECREMENT,
  FLAG,
  type Flag,
  INCREMENT,
  type LazyKind,
  RESULT,
  STATUS,
  SUBTRACT,
} from "#machine/cpu/flags.ts";
import type { Width } from "#machine/cpu/semantics.ts";
import { ARRIVAL_TYPE, CLAIM_TYPE, FORGET_TYPE, LOCATE_TYPE } from "./arrival.ts";
import type { MappingFunction, PortFunction, RuntimeFunctions } from "./branch-emitter.ts";
import { ELEMENTARY_NAMES, elementaryFunctions } from "./elementary-functions.ts";
import { encodeModule, type FunctionBody, type FunctionType, I32, I64, OP, V128 } from "./encoder.ts";
import * as x from "./expressions.ts";
import { EXTENDED_NAMES, extendedRoutines } from "./extended-routines.ts";
import { KEEP_FLAGS_TYPE, KEPT, KEPT_TYPES, keepFlagsFunction } from "./flag-storage.ts";
import { emitResult, type FlagView, flagOf } from "./flag-view.ts";
import { floatRoutines } from "./float-routines.ts";
import { functionTables, TABLE_BYTES } from "./function-tables.ts";
import { FunctionWriter } from "./function-writer.ts";
import { MISSED_TYPE } from "./missed-page.ts";
import { pageSpan, SPAN_TYPE } from "./page-span.ts";
import { WALK_TYPE } from "./page-walk.ts";
import { WIDE_QUOTIENT_TYPE, wideQuotient } from "./wide-quotient.ts";

const PORT_TYPES: Readonly<Record<PortFunction, FunctionType>> = {
  portIn: { parameters: [I32, I32, I32], results: [I32] },
  portOut: { parameters: [I32, I32, I32, I32], results: [I32] },
};

/** Types of functions, by index, the same in all modules: of a region, of `status`, `fill`, routines, `callOut`, `claim` and `across`, `arrive`, `span`, `bookCall`, routines for vectors, `walk`, `locate`, `forgetLocal`, `missed`, `keepFlags`, `portIn`, `portOut`, `wideQuotient`. */
export const TYPES: readonly FunctionType[] = [
  { parameters: [I32], results: [I32] },
  { parameters: KEPT_TYPES, results: [I32] },
  { parameters: [I32, I32, I64], results: [] },
  { parameters: [I64, I64], results: [I32] },
  { parameters: [I32, I32, I64, I64, I64], results: [I32] },
  CLAIM_TYPE,
  ARRIVAL_TYPE,
  SPAN_TYPE,
  { parameters: [I32, I64, I64, I64, I64], results: [I32] },
  { parameters: [V128, V128], results: [I32] },
  WALK_TYPE,
  LOCATE_TYPE,
  FORGET_TYPE,
  MISSED_TYPE,
  KEEP_FLAGS_TYPE,
  PORT_TYPES.portIn,
  PORT_TYPES.portOut,
  WIDE_QUOTIENT_TYPE,
];
const MAPPING_TYPES: Readonly<Record<MappingFunction, FunctionType>> = {
  quiet: CLAIM_TYPE,
  walk: WALK_TYPE,
  locate: LOCATE_TYPE,
  forgetLocal: FORGET_TYPE,
};
const STATUS_TYPE = 1;
const FILL_TYPE = 2;
const ROUTINE_TYPE = 3;
const CALL_OUT_TYPE = 4;
const BOOK_CALL_TYPE = 8;
const VECTOR_ROUTINE_TYPE = 9;
/** What all modules of regions import, in this order. */
const IMPORTS = [
  { name: "status", type: STATUS_TYPE },
  { name: "fill", type: FILL_TYPE },
  { name: "claim", type: TYPES.indexOf(CLAIM_TYPE) },
  { name: "arrive", type: TYPES.indexOf(ARRIVAL_TYPE) },
  { name: "resume", type: TYPES.indexOf(ARRIVAL_TYPE) },
  { name: "span", type: TYPES.indexOf(SPAN_TYPE) },
  { name: "across", type: TYPES.indexOf(CLAIM_TYPE) },
  { name: "missed", type: TYPES.indexOf(MISSED_TYPE) },
  { name: "keepFlags", type: TYPES.indexOf(KEEP_FLAGS_TYPE) },
] as const;

/** The functions that one module of regions imports. */
export class ModuleImports implements RuntimeFunctions {
  readonly status = 0;
  readonly fill = 1;
  readonly claim = 2;
  readonly arrive = 3;
  readonly resume = 4;
  readonly span = 5;
  readonly across = 6;
  readonly missed = 7;
  readonly keepFlags = 8;
  readonly list: { readonly name: string; readonly type: number }[] = [...IMPORTS];

  /** Those that are routines for numbers with a fraction. */
  get routines(): string[] {
    const isRoutine = (type: number) => type === ROUTINE_TYPE || type === VECTOR_ROUTINE_TYPE;
    return this.list.filter(({ type }) => isRoutine(type)).map(({ name }) => name);
  }

  routine(name: string): number {
    return this.#number(name, ROUTINE_TYPE);
  }

  vectorRoutine(name: string): number {
    return this.#number(name, VECTOR_ROUTINE_TYPE);
  }

  follow(): number {
    return this.#number("follow", TYPES.length);
  }

  renew(): number {
    return this.#number("renew", TYPES.length);
  }

  callOut(): number {
    return this.#number("callOut", CALL_OUT_TYPE);
  }

  port(name: PortFunction): number {
    return this.#number(name, TYPES.indexOf(PORT_TYPES[name]));
  }

  wideQuotient(): number {
    return this.#number("wideQuotient", TYPES.indexOf(WIDE_QUOTIENT_TYPE));
  }

  bookCall(): number {
    return this.#number("bookCall", BOOK_CALL_TYPE);
  }

  mapping(name: MappingFunction): number {
    return this.#number(name, TYPES.indexOf(MAPPING_TYPES[name]));
  }

  #number(name: string, type: number): number {
    const known = this.list.findIndex((entry) => entry.name === name);
    return known >= 0 ? known : this.list.push({ name, type }) - 1;
  }
}

const VALUE = 5;
/** Number of `status` among the runtime's own functions. */
const STATUS_FUNCTION = 0;
const KINDS: readonly LazyKind[] = [ADD, SUBTRACT, RESULT, INCREMENT, DECREMENT];
const WIDTHS: readonly Width[] = [8, 16, 32, 64];

/** Kinds and widths in a row: five places for each kind, at 0, 1, 2 and 4 the four widths. */
const PLACES = 30;
const placeOf = (kind: LazyKind, width: Width) => kind * 5 + (width >> 4);

function emitPlaceOfForm({ out }: FunctionWriter): void {
  out.get(KEPT.state);
  out.i32(0xff);
  out.byte(OP.i32And);
  out.i32(5);
  out.byte(OP.i32Mul);
  out.get(KEPT.state);
  out.i32(12);
  out.byte(OP.i32ShrU);
  out.i32(7);
  out.byte(OP.i32And);
  out.byte(OP.i32Add);
}

/** The six status flags from what was kept of the last instructions that set them: state, left, right, result, bits. */
function statusFunction(): FunctionBody {
  const fn = new FunctionWriter(KEPT_TYPES.length, [I32]);
  const { out } = fn;
  emitResult(fn, KEPT);
  out.get(KEPT.bits);
  out.set(VALUE);
  const done = fn.open(OP.block);
  const ways = [...KINDS].reverse().flatMap((kind) => [...WIDTHS].reverse().map((width) => ({ kind, width })));
  const labels = new Map(ways.map(({ kind, width }) => [placeOf(kind, width), fn.open(OP.block)]));
  emitPlaceOfForm(fn);
  out.byte(OP.brTable);
  out.unsigned(PLACES);
  for (let place = 0; place < PLACES; place++) out.unsigned(fn.level - (labels.get(place) ?? done));
  out.unsigned(fn.level - done);
  for (const { kind, width } of ways.reverse()) {
    fn.end();
    fn.emit(allFlags(kind, width));
    out.set(VALUE);
    fn.release();
    fn.branch(done);
  }
  fn.end();
  const overridden = () => {
    out.get(KEPT.state);
    out.i32(16);
    out.byte(OP.i32ShrU);
  };
  out.get(KEPT.bits);
  overridden();
  out.byte(OP.i32And);
  out.get(VALUE);
  out.i32(STATUS);
  out.byte(OP.i32And);
  overridden();
  out.i32(-1);
  out.byte(OP.i32Xor);
  out.byte(OP.i32And);
  out.byte(OP.i32Or);
  out.byte(OP.end);
  return { type: STATUS_TYPE, locals: fn.locals, code: out.result(), name: "status" };
}

function allFlags(kind: LazyKind, width: Width): x.Value {
  const view: FlagView = {
    form: { kind, width, plain: false, logical: false, overridden: 0 },
    left: x.local(KEPT.left, I64, width),
    right: x.local(KEPT.right, I64, width),
    result: x.local(KEPT.result, I64, width),
    bits: x.local(KEPT.bits, I32),
    state: x.local(KEPT.state, I32),
    carry: null,
  };
  let all = x.constant(0n);
  for (const flag of Object.values(FLAG) as Flag[]) {
    if (((STATUS >> flag) & 1) === 0) continue;
    all = x.logic("Or", all, x.shift("Shl", flagOf(view, flag)!, x.constant(BigInt(flag))));
  }
  return x.as32(all);
}

/** Writes the eight bytes of a pattern to a place over and over, up to a length in bytes: in words, then byte by byte. */
function fillFunction(): FunctionBody {
  const [place, length, pattern] = [0, 1, 2];
  const fn = new FunctionWriter(3, []);
  const { out } = fn;
  const round = (bytes: number, store: () => void) => {
    const done = fn.open(OP.block);
    const again = fn.open(OP.loop);
    out.get(length!);
    out.i32(bytes);
    out.byte(OP.i32LtU);
    out.branch(OP.brIf, fn.level - done);
    out.get(place!);
    out.get(pattern!);
    store();
    for (const [index, op] of [
      [place!, OP.i32Add],
      [length!, OP.i32Sub],
    ] as const) {
      out.get(index);
      out.i32(bytes);
      out.byte(op);
      out.set(index);
    }
    fn.branch(again);
    fn.end();
    fn.end();
  };
  round(8, () => out.memory(OP.i64Store, 0));
  round(1, () => {
    out.byte(OP.i32WrapI64);
    out.memory(OP.i32Store8, 0);
    out.get(pattern!);
    out.i64(8n);
    out.byte(OP.i64ShrU);
    out.set(pattern!);
  });
  out.byte(OP.end);
  return { type: FILL_TYPE, locals: fn.locals, code: out.result(), name: "fill" };
}

const makeModule = (functions: readonly FunctionBody[], imports: WebAssembly.ModuleImports) => {
  const module = new WebAssembly.Module(encodeModule({ types: TYPES, imports: [], functions }));
  return new WebAssembly.Instance(module, { engine: imports }).exports as WebAssembly.ModuleImports;
};

/** The runtime's functions, as they are imported by regions. */
export const makeRuntime = (imports: WebAssembly.ModuleImports): WebAssembly.ModuleImports =>
  makeModule(
    [
      statusFunction(),
      fillFunction(),
      pageSpan(TYPES.indexOf(SPAN_TYPE)),
      keepFlagsFunction(TYPES.indexOf(KEEP_FLAGS_TYPE), STATUS_FUNCTION),
      wideQuotient(TYPES.indexOf(WIDE_QUOTIENT_TYPE)),
    ],
    imports,
  );

/** Routines of the x87 and of SSE, and elementary functions, which are made one by one, as regions come to need them. */
export class Routines {
  readonly #made: WebAssembly.ModuleImports = {};
  #hasTables = false;

  constructor(
    readonly imports: WebAssembly.ModuleImports,
    /** Where the tables of elementary functions are to be in memory. */
    readonly tables: number,
  ) {}

  /** All that have been made, these among them. */
  with(names: readonly string[]): WebAssembly.ModuleImports {
    const missing = new Set(names.filter((name) => this.#made[name] === undefined));
    if (missing.size === 0) return this.#made;
    const extended = extendedRoutines(ROUTINE_TYPE, missing);
    const elementary = elementaryFunctions(ROUTINE_TYPE, this.tables, missing);
    if (elementary.length > 0) this.#fillTables();
    const lists = [extended, elementary];
    // Those of SSE call each other, and are short.
    if ([...missing].some((name) => !KNOWN_ALONE.has(name)))
      lists.push(floatRoutines(ROUTINE_TYPE, VECTOR_ROUTINE_TYPE));
    for (const functions of lists)
      if (functions.length > 0) Object.assign(this.#made, makeModule(functions, this.imports));
    return this.#made;
  }

  #fillTables(): void {
    if (this.#hasTables) return;
    this.#hasTables = true;
    const { buffer } = this.imports.memory as WebAssembly.Memory;
    new BigUint64Array(buffer, this.tables, TABLE_BYTES / 8).set(functionTables());
  }
}

const KNOWN_ALONE: ReadonlySet<string> = new Set([...EXTENDED_NAMES, ...ELEMENTARY_NAMES]);
