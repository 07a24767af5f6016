/** What the quick tier shares: how execution arrives at a place. */
import { MAPPING, RIP } from "#machine/cpu/layout.ts";
import { CELL } from "./cells.ts";
import { claim } from "./claim.ts";
import {
  FORM_WEIGHT,
  HEATS,
  INDEX_MASK,
  JUMP_ENTRIES,
  JUMP_ENTRY_BYTES,
  PAGE_PLACE,
  RECORD,
  tablesOf,
} from "./code-records.ts";
import { encodeModule, type FunctionBody, type FunctionType, I32, I64, OP } from "./encoder.ts";
import { FunctionWriter, type Label, LOCAL } from "./function-writer.ts";
import { dropping, finding, laying } from "./heads.ts";
import { JUMP_GENERATION, JUMP_SLOT } from "./jump-cache.ts";
import { leading } from "./leading.ts";
import { emitPageEntry, emitPageTag, locate, verify } from "./located-code.ts";
import { MISSED_TYPE, missedPage } from "./missed-page.ts";
import { nearTarget } from "./near-jumps.ts";
import { forgetLocal } from "./new-tables.ts";
import { across, quiet } from "./page-crossing.ts";
import { pageWalk, WALK_TYPE } from "./page-walk.ts";

/** After so many arrivals in forms the shape of a block is looked at again: a power of two. */
const LOOKS = 64;

/** Types of functions: of a region, of a form (budget, rip, record), of an arrival (budget, rip), of `claim`, of `lay`, of `walk`, of `locate`, of `verify`, of `forgetLocal`, of `missed`, of `drop`. */
const TYPES: readonly FunctionType[] = [
  { parameters: [I32], results: [I32] },
  { parameters: [I32, I64, I32], results: [I32] },
  { parameters: [I32, I64], results: [I32] },
  { parameters: [I64, I32, I32], results: [I32] },
  { parameters: [I32, I32], results: [I32] },
  WALK_TYPE,
  { parameters: [I64], results: [I32] },
  { parameters: [I64, I32], results: [I32] },
  { parameters: [], results: [] },
  MISSED_TYPE,
  { parameters: [I32], results: [] },
];
const [REGION, FORM, ARRIVAL, CLAIM, LAYING, WALKING, LOCATING, VERIFYING, FORGETTING, MISSED, DROPPING] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
];
/** The module's own functions. */
const [ARRIVE, RESUME, LAY, LEAD, ACROSS, WALK, LOCATE, VERIFY] = [0, 1, 3, 4, 5, 6, 7, 8];
const [NEAR, FIND, DROP] = [12, 13, 14];
/** Forms import the first of these tables only. */
const TABLES = ["forms", "regions"];
const [FORMS, REGIONS] = [0, 1];
export const [, FORM_TYPE, ARRIVAL_TYPE, CLAIM_TYPE] = TYPES as [
  FunctionType,
  FunctionType,
  FunctionType,
  FunctionType,
];
export const [LOCATE_TYPE, , FORGET_TYPE] = TYPES.slice(6) as [FunctionType, FunctionType, FunctionType];

/**
 * Goes on at rip: in the region that begins there, or with the form of the instruction. Returns to the engine where
 * there is neither, and where execution has come here often. Without rules the form comes first, and is not counted.
 */
function arrival(size: number, name: string, rules: ArrivalRules | null): FunctionBody {
  const [budget, rip, low, entry, place, record, tag] = [0, 1, 2, 3, 4, 5, 6] as const;
  const fn = new FunctionWriter(2, [I32, I32, I32, I32, I64]);
  const { out } = fn;
  const { pages, index, heats, jumps } = tablesOf(size);
  const unknown = fn.open(OP.block);
  const context = () => {
    out.i32(0);
    out.memory(OP.i32Load, CELL.context);
    out.byte(OP.i64ExtendI32U);
  };
  out.get(rip);
  out.byte(OP.i32WrapI64);
  out.set(low);
  if (rules !== null) emitRegionJump(fn, unknown, { budget, rip, low, entry, jumps }, context);
  emitPageEntry(fn, low);
  out.tee(entry);
  out.memory(OP.i64Load, pages);
  emitPageTag(fn, rip);
  out.byte(OP.i64Ne);
  fn.open(OP.if);
  out.get(rip);
  out.byte(OP.call);
  out.unsigned(LOCATE);
  out.byte(OP.i32Eqz);
  out.branch(OP.brIf, fn.level - unknown);
  fn.end();
  out.get(entry);
  out.memory(OP.i32Load, pages + PAGE_PLACE);
  out.get(low);
  out.i32(0xfff);
  out.byte(OP.i32And);
  out.byte(OP.i32Add);
  out.set(place);
  out.get(place);
  out.byte(OP.i64ExtendI32U);
  context();
  out.i64(32n);
  out.byte(OP.i64Shl);
  out.byte(OP.i64Or);
  out.set(tag);
  out.get(place);
  out.i32(INDEX_MASK);
  out.byte(OP.i32And);
  out.memory(OP.i32Load, index);
  out.tee(record);
  out.byte(OP.i32Eqz);
  out.get(record);
  out.memory(OP.i64Load, RECORD.tag);
  out.get(tag);
  out.byte(OP.i64Ne);
  out.byte(OP.i32Or);
  fn.open(OP.if);
  out.get(tag);
  out.byte(OP.call);
  out.unsigned(FIND);
  out.tee(record);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  emitNearEdges(fn, rip);
  out.branch(OP.brIf, fn.level - unknown);
  out.get(place);
  out.i32(0);
  out.memory(OP.i32Load, CELL.context);
  out.byte(OP.call);
  out.unsigned(LAY);
  out.tee(record);
  out.byte(OP.i32Eqz);
  if (rules !== null) out.branch(OP.brIf, fn.level - unknown);
  else emitArrival(fn, budget, rip);
  fn.end();
  fn.end();
  if (rules !== null) {
    out.get(place);
    out.i32(2);
    out.byte(OP.i32ShrU);
    out.i32(2 * (HEATS - 1));
    out.byte(OP.i32And);
    out.tee(place);
    out.get(place);
    out.memory(OP.i32Load16U, heats);
    out.get(record);
    out.memory(OP.i32Load8U, RECORD.weight);
    out.byte(OP.i32Add);
    out.tee(entry);
    out.memory(OP.i32Store16, heats);
    out.get(entry);
    out.i32(0);
    out.memory(OP.i32Load, CELL.hot);
    out.byte(OP.i32GeU);
    out.branch(OP.brIf, fn.level - unknown);
    out.get(record);
    out.get(record);
    out.memory(OP.i32Load16U, RECORD.met);
    out.i32(1);
    out.byte(OP.i32Add);
    out.tee(entry);
    out.memory(OP.i32Store16, RECORD.met);
    out.get(entry);
    out.i32(LOOKS - 1);
    out.byte(OP.i32And);
    out.i32(rules.leading);
    out.byte(OP.i32Eq);
    out.get(record);
    out.memory(OP.i32Load8U, RECORD.weight);
    out.i32(FORM_WEIGHT);
    out.byte(OP.i32Eq);
    out.byte(OP.i32And);
    fn.open(OP.if);
    out.get(record);
    out.byte(OP.call);
    out.unsigned(LEAD);
    out.branch(OP.brIf, fn.level - unknown);
    fn.end();
  }
  out.get(budget);
  out.get(rip);
  out.get(record);
  emitFormCall(fn, record, FORM);
  fn.end();
  out.i32(0);
  out.get(rip);
  out.memory(OP.i64Store, RIP);
  out.get(budget);
  out.byte(OP.end);
  return { type: ARRIVAL, locals: fn.locals, code: out.result(), name };
}

/** Where the condition on the stack holds, there is no form: perhaps a region begins here. */
function emitArrival(fn: FunctionWriter, budget: number, rip: number): void {
  const { out } = fn;
  fn.open(OP.if);
  out.get(budget);
  out.get(rip);
  out.byte(OP.returnCall);
  out.unsigned(ARRIVE);
  fn.end();
}

/** The last 4 GiB below the hole of addresses that are not canonical, and the first above it: a jump reaches half as far. */
export const EDGES: readonly bigint[] = [0x7fffn, 0xffff8000n];
export const EDGE_SHIFT = 32n;

/** Leaves 1 on the stack where a relative jump might lead to an address that is not canonical. */
function emitNearEdges({ out }: FunctionWriter, rip: number): void {
  for (const edge of EDGES) {
    out.get(rip);
    out.i64(EDGE_SHIFT);
    out.byte(OP.i64ShrU);
    out.i64(edge);
    out.byte(OP.i64Eq);
  }
  out.byte(OP.i32Or);
}

/** Goes to the form of the record in a local; the parameters are on the stack. */
export function emitFormCall({ out }: FunctionWriter, record: number, type: number): void {
  out.get(record);
  out.memory(OP.i32Load16U, RECORD.slot);
  out.byte(OP.returnCallIndirect);
  out.unsigned(type);
  out.unsigned(FORMS);
}

/** Leaves the answer that the evaluator must do the instruction at rip. */
export function emitEvaluate({ out }: FunctionWriter): void {
  out.get(LOCAL.budget);
  out.i32(-1);
  out.byte(OP.i32Xor);
}

/** To a region, or to `unknown` where the engine must look at first whether it is still there. */
function emitRegionJump(
  fn: FunctionWriter,
  unknown: Label,
  { budget, rip, low, entry, jumps }: { budget: number; rip: number; low: number; entry: number; jumps: number },
  context: () => void,
): void {
  const { out } = fn;
  out.get(low);
  out.i32(12);
  out.byte(OP.i32ShrU);
  out.get(low);
  out.byte(OP.i32Xor);
  out.i32(JUMP_ENTRIES - 1);
  out.byte(OP.i32And);
  out.i32(JUMP_ENTRY_BYTES);
  out.byte(OP.i32Mul);
  out.tee(entry);
  out.memory(OP.i64Load, jumps);
  out.get(rip);
  out.i64(12n);
  out.byte(OP.i64Shl);
  context();
  out.byte(OP.i64Or);
  out.byte(OP.i64Eq);
  fn.open(OP.if);
  out.get(entry);
  out.memory(OP.i32Load, jumps + JUMP_GENERATION);
  out.i32(0);
  out.memory(OP.i32Load, MAPPING);
  out.byte(OP.i32Ne);
  fn.open(OP.if);
  out.get(rip);
  out.get(entry);
  out.byte(OP.call);
  out.unsigned(VERIFY);
  out.byte(OP.i32Eqz);
  fn.open(OP.if);
  out.i32(0);
  out.i32(1);
  out.memory(OP.i32Store, CELL.doubted);
  fn.branch(unknown);
  fn.end();
  fn.end();
  out.get(budget);
  out.get(entry);
  out.memory(OP.i32Load, jumps + JUMP_SLOT);
  out.byte(OP.returnCallIndirect);
  out.unsigned(REGION);
  out.unsigned(REGIONS);
  fn.end();
}

/** Goes on at rip, where the relative jump of a record leads. */
function follow(size: number): FunctionBody {
  const [budget, rip, record, found] = [0, 1, 2, 3] as const;
  const fn = new FunctionWriter(3, [I32]);
  const { out } = fn;
  out.get(rip);
  out.get(record);
  out.byte(OP.call);
  out.unsigned(NEAR);
  out.tee(found);
  fn.open(OP.if);
  out.get(found);
  out.byte(OP.i64ExtendI32U);
  out.get(record);
  out.memory(OP.i64Load, RECORD.tag);
  out.i64(-0x100000000n);
  out.byte(OP.i64And);
  out.byte(OP.i64Or);
  out.byte(OP.call);
  out.unsigned(FIND);
  out.tee(found);
  fn.open(OP.if);
  out.get(record);
  out.get(found);
  out.i32(tablesOf(size).records);
  out.byte(OP.i32Sub);
  out.memory(OP.i32Store, RECORD.link);
  out.get(budget);
  out.get(rip);
  out.get(found);
  emitFormCall(fn, found, FORM);
  fn.end();
  fn.end();
  out.get(budget);
  out.get(rip);
  out.byte(OP.returnCall);
  out.unsigned(ARRIVE);
  out.byte(OP.end);
  return { type: FORM, locals: fn.locals, code: out.result(), name: "follow" };
}

/** Makes the record anew that is given, and those behind it, and goes on with it. */
function renew(): FunctionBody {
  const [budget, rip, record] = [0, 1, 2] as const;
  const fn = new FunctionWriter(3, []);
  const { out } = fn;
  out.get(record);
  out.byte(OP.call);
  out.unsigned(DROP);
  out.get(budget);
  out.get(rip);
  out.byte(OP.returnCall);
  out.unsigned(RESUME);
  out.byte(OP.end);
  return { type: FORM, locals: fn.locals, code: out.result(), name: "renew" };
}

export interface Arrivals {
  /** Goes on at rip with what there is. */
  readonly arrive: (budget: number, rip: bigint) => number;
  /** Goes on at rip with the form of its instruction. */
  readonly resume: (budget: number, rip: bigint) => number;
  readonly claim: (linear: bigint, bytes: number, key: number) => number;
  /** Finds the place of bytes that the TLB has no entry for, or that lie in two pages; see page-crossing.ts. */
  readonly across: (linear: bigint, bytes: number, rights: number) => number;
  /** Finds the page of an access that a region has left at; see missed-page.ts. */
  readonly missed: (linear: bigint, access: number, key: number, budget: number) => number;
  /** Makes records from a place in RAM on; gives the first, or 0. */
  readonly lay: (place: number, context: number) => number;
}

/** What is done at a place after so many arrivals. */
export interface ArrivalRules {
  /** The shape of the block that begins there is looked at, */
  readonly leading: number;
  /** and is told of to the engine when that has been done so often. */
  readonly shape: number;
}

export function makeArrivals(imports: WebAssembly.ModuleImports, size: number, rules: ArrivalRules): Arrivals {
  const functions = [
    arrival(size, "arrive", rules),
    arrival(size, "resume", null),
    claim(size, CLAIM, { across: ACROSS, walk: WALK, drop: DROP }),
    laying(size, LAYING),
    leading(size, rules.shape, REGION),
    across(CLAIM, WALK),
    pageWalk(size, WALKING),
    locate(size, LOCATING, WALK),
    verify(size, VERIFYING, { locate: LOCATE, walk: WALK }),
    quiet(CLAIM, WALK),
    forgetLocal(size, FORGETTING),
    missedPage(WALK, MISSED),
    nearTarget(size, VERIFYING),
    finding(size, LOCATING),
    dropping(size, DROPPING),
    follow(size),
    renew(),
  ];
  const module = new WebAssembly.Module(encodeModule({ types: TYPES, tables: TABLES, imports: [], functions }));
  return new WebAssembly.Instance(module, { engine: imports }).exports as unknown as Arrivals;
}
