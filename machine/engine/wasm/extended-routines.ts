/**
 * The x87's routines for plain numbers, as functions of the runtime. Each takes the values that the routine of the book
 * takes, and gives 1, or 0 where it has done nothing and that routine must be called.
 */
import * as at from "#machine/cpu/layout.ts";
import { CELL } from "./cells.ts";
import { type FunctionBody, I32, I64 } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { giveProduct, giveQuotient, giveRoot, giveSum } from "./extended-arithmetic.ts";
import {
  emptyPlace,
  type Format,
  fill,
  fromMemory,
  fullPlace,
  loadExtended,
  plainAt,
  pop,
  push,
} from "./extended-stack.ts";
import { floatInMemory, integerInMemory } from "./extended-stores.ts";
import * as onTop from "./extended-top.ts";
import {
  and,
  C1,
  c,
  type Extended,
  exponentOf,
  isBelow,
  left,
  or,
  roundingMode,
  SIGN,
  setStatus,
  signOf,
  storeExtended,
  wide,
  xor,
} from "./extended-values.ts";
import { RoutineWriter } from "./routine-writer.ts";

type Body = (w: RoutineWriter, first: Value, second: Value) => void;

export type Arithmetic = "add" | "sub" | "subr" | "mul" | "div" | "divr";
const FORMATS: readonly Format[] = ["m32", "m64", "i16", "i32", "i64"];

const negated = ({ head, significand }: Extended): Extended => ({ head: xor(head, c(SIGN)), significand });

const OPERATIONS: Readonly<Record<Arithmetic, typeof giveSum>> = {
  add: giveSum,
  sub: (w, place, a, b) => giveSum(w, place, a, negated(b)),
  subr: (w, place, a, b) => giveSum(w, place, b, negated(a)),
  mul: giveProduct,
  div: giveQuotient,
  divr: (w, place, a, b) => giveQuotient(w, place, b, a),
};

function withMemory(operation: Arithmetic, format: Format): Body {
  return (w, bits) => {
    const { address, value } = plainAt(w, c(0));
    OPERATIONS[operation](w, address, value, fromMemory(w, format, bits));
  };
}

const withRegister =
  (operation: Arithmetic, popping: boolean): Body =>
  (w, to, from) => {
    if (popping) w.atSuccess = () => pop(w);
    const target = plainAt(w, to);
    OPERATIONS[operation](w, target.address, target.value, plainAt(w, from).value);
  };

const CODE = { less: 0x100n, equal: 0x4000n };
const CODES = 0x4500n;
const CONDITIONS = 0x4700n;
/** The control word after fninit. */
const INITIAL_CONTROL = 0x37f;
const FLAGS = { less: 1n, equal: 0x40n };

/** One of two values, or 0, by the order of two plain numbers. */
function byOrder(w: RoutineWriter, a: Extended, b: Extended, codes: { less: bigint; equal: bigint }): Value {
  const found = w.variable(c(0));
  const setIfLess = (condition: Value) => found.set(x.select(condition, c(codes.less), c(0)));
  const bothZero = x.isZero(or(a.significand, b.significand));
  const same = and(x.compare("Eq", a.head, b.head), x.compare("Eq", a.significand, b.significand));
  w.if(
    or(bothZero, same),
    () => found.set(c(codes.equal)),
    () =>
      w.if(
        x.isNonZero(and(xor(a.head, b.head), c(SIGN))),
        () => setIfLess(x.isNonZero(signOf(a))),
        () => {
          const [high, low] = [w.let(exponentOf(a)), w.let(exponentOf(b))];
          const tied = and(x.compare("Eq", high, low), isBelow(a.significand, b.significand));
          setIfLess(xor(or(isBelow(high, low), tied), x.isNonZero(signOf(a))));
        },
      ),
  );
  return found.value;
}

const status = () => x.stateWord(at.FPU_STATUS, I32);

function giveOrder(w: RoutineWriter, a: Extended, b: Extended, pops: number): void {
  const code = byOrder(w, a, b, CODE);
  w.storeState(at.FPU_STATUS, x.as32(or(and(status(), c(0xffffffffn & ~(CODES | C1))), code)));
  givePopped(w, pops);
}

function givePopped(w: RoutineWriter, pops: number): void {
  for (let count = 0; count < pops; count++) pop(w);
  w.succeed();
}

/** What a routine answers, besides having been done. */
const answer = (w: RoutineWriter, value: Value) => w.storeState(CELL.routineAnswer, wide(value));

const signChange =
  (change: (head: Value) => Value): Body =>
  (w) => {
    const address = fullPlace(w, c(0));
    const { head, significand } = loadExtended(w, address);
    storeExtended(w, address, { head: w.let(change(head)), significand });
    setStatus(w, c(0));
    w.succeed();
  };

/** A value for memory, of which `FPU_DELIVERED` says that it may be stored. */
function giveDelivered(w: RoutineWriter, value: Value): void {
  answer(w, value);
  w.storeState(at.FPU_DELIVERED, c(1));
  w.succeed();
}

const store =
  (format: Format): Body =>
  (w) => {
    const { value } = plainAt(w, c(0));
    const write = format === "m32" || format === "m64" ? floatInMemory : integerInMemory;
    giveDelivered(w, write(w, format as never, value));
  };

const byFormat = (prefix: string, make: (format: Format) => Body) =>
  FORMATS.map((format): [string, Body] => [`${prefix}.${format}`, make(format)]);

const arithmetic = (Object.keys(OPERATIONS) as Arithmetic[]).flatMap((operation): [string, Body][] => [
  ...byFormat(operation, (format) => withMemory(operation, format)),
  [`${operation}0.register`, withRegister(operation, false)],
  [`${operation}1.register`, withRegister(operation, true)],
]);

const comparisons = [0, 1, 2].flatMap((pops): [string, Body][] => [
  ...byFormat(`compare${pops}`, (format) => (w, bits) => {
    const { value } = plainAt(w, c(0));
    giveOrder(w, value, fromMemory(w, format, bits), pops);
  }),
  [
    `compare${pops}.register`,
    (w, from) => {
      const { value } = plainAt(w, c(0));
      giveOrder(w, value, plainAt(w, from).value, pops);
    },
  ],
  [
    `flags${pops}.register`,
    (w, from) => {
      const { value } = plainAt(w, c(0));
      answer(w, byOrder(w, value, plainAt(w, from).value, FLAGS));
      givePopped(w, pops);
    },
  ],
]);

const pushed = (w: RoutineWriter, value: Extended) => {
  push(w, value);
  w.succeed();
};

const transfers: [string, Body][] = [
  ...byFormat("load", (format) => (w, bits) => pushed(w, fromMemory(w, format, bits))),
  ...byFormat("store", store),
  ["loadBits", (w, low, high) => pushed(w, { head: w.let(x.as32(and(high, c(0xffff)))), significand: low })],
  [
    "loadConstant",
    (w, low, high) => {
      // These were rounded to nearest.
      w.giveUpIf(x.isNonZero(roundingMode()));
      pushed(w, { head: w.let(x.as32(high)), significand: low });
    },
  ],
  ["duplicate", (w, from) => pushed(w, loadExtended(w, fullPlace(w, from)))],
  [
    "storeLow",
    (w) => {
      const { significand } = loadExtended(w, fullPlace(w, c(0)));
      setStatus(w, c(0));
      giveDelivered(w, significand);
    },
  ],
  [
    "storeHigh",
    (w) => {
      answer(w, loadExtended(w, fullPlace(w, c(0))).head);
      w.succeed();
    },
  ],
  ...[0, 1].map((pops): [string, Body] => [
    `copyTo${pops}`,
    (w, to) => {
      const value = loadExtended(w, fullPlace(w, c(0)));
      setStatus(w, c(0));
      fill(w, to, value);
      givePopped(w, pops);
    },
  ]),
  [
    "copyIf",
    (w, from, condition) => {
      const target = fullPlace(w, c(0));
      const source = fullPlace(w, from);
      w.if(x.isNonZero(condition), () => storeExtended(w, target, loadExtended(w, source)));
      w.succeed();
    },
  ],
  [
    "exchange",
    (w, place) => {
      const [first, second] = [fullPlace(w, c(0)), fullPlace(w, place)];
      const [above, below] = [loadExtended(w, first), loadExtended(w, second)];
      storeExtended(w, first, below);
      storeExtended(w, second, above);
      setStatus(w, c(0));
      w.succeed();
    },
  ],
  ...[0, 1].map((pops): [string, Body] => [
    `free${pops}`,
    (w, place) => {
      setStatus(w, c(0));
      emptyPlace(w, place);
      givePopped(w, pops);
    },
  ]),
  ["pop", (w) => givePopped(w, 1)],
  ["negate", signChange((head) => xor(head, c(SIGN)))],
  ["absolute", signChange((head) => and(head, c(0x7fff)))],
];

const others: [string, Body][] = [
  ["toWhole", onTop.giveWhole],
  ["scale", onTop.giveScaled],
  ["extract", onTop.giveParts],
  ["remainder", (w) => onTop.giveRemainder(w, false)],
  ["nearestRemainder", (w) => onTop.giveRemainder(w, true)],
  ["examine", onTop.giveKind],
  ["turnUp", (w) => onTop.giveTurned(w, 1)],
  ["turnDown", (w) => onTop.giveTurned(w, 7)],
  [
    "initialize",
    (w) => {
      for (const offset of [at.FPU_TOP, at.FPU_TAGS, at.FPU_STATUS, at.FPU_OPCODE]) w.storeState(offset, c(0));
      for (const offset of [at.FPU_POINTER, at.FPU_DATA]) w.storeState(offset, wide(c(0)));
      w.storeState(at.FPU_CONTROL, c(INITIAL_CONTROL));
      w.succeed();
    },
  ],
  [
    "clearExceptions",
    (w) => {
      w.storeState(at.FPU_STATUS, and(status(), c(CONDITIONS)));
      w.succeed();
    },
  ],
  [
    "root",
    (w) => {
      const { address, value } = plainAt(w, c(0));
      giveRoot(w, address, value);
    },
  ],
  ["compareZero", (w) => giveOrder(w, plainAt(w, c(0)).value, { head: c(0), significand: wide(c(0)) }, 0)],
  [
    "readStatusWord",
    (w) => {
      answer(w, or(status(), x.as32(left(x.stateWord(at.FPU_TOP, I32), c(11)))));
      w.succeed();
    },
  ],
  [
    "readControlWord",
    (w) => {
      answer(w, x.stateWord(at.FPU_CONTROL, I32));
      w.succeed();
    },
  ],
  [
    "writeControlWord",
    (w, value) => {
      // Exceptions that wait, or would with the new masks, are not for us.
      const masks = and(x.as32(value), c(EXCEPTIONS));
      const open = and(status(), or(xor(masks, c(EXCEPTIONS)), c(SUMMARY)));
      w.giveUpIf(x.isNonZero(open));
      w.storeState(at.FPU_CONTROL, x.as32(or(and(x.as32(value), c(CONTROL_DEFINED)), c(CONTROL_ALWAYS))));
      w.succeed();
    },
  ],
];

const EXCEPTIONS = 0x3fn;
const SUMMARY = 0x80n;
const CONTROL_DEFINED = 0x1f3fn;
const CONTROL_ALWAYS = 0x40n;

const ROUTINES = [...arithmetic, ...comparisons, ...transfers, ...others];

export const EXTENDED_NAMES: readonly string[] = ROUTINES.map(([name]) => name);

/** The functions with these names, all of the type with this number: two i64 give an i32. */
export function extendedRoutines(type: number, names: ReadonlySet<string>): FunctionBody[] {
  return ROUTINES.filter(([name]) => names.has(name)).map(([name, body]) => {
    const w = new RoutineWriter([I64, I64]);
    body(w, w.parameters[0]!, w.parameters[1]!);
    return w.finish(type, name);
  });
}
