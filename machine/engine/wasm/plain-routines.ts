/** Which routines of the x87 the runtime has for plain numbers, and under what names. */
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import * as at from "#machine/cpu/layout.ts";
import type { Routine } from "#machine/cpu/vector-semantics.ts";
import * as arithmetic from "#machine/cpu/x87/arithmetic.ts";
import * as environment from "#machine/cpu/x87/environment.ts";
import * as top from "#machine/cpu/x87/top.ts";
import * as transfer from "#machine/cpu/x87/transfer.ts";
import { ELEMENTARY } from "./elementary-functions.ts";

export interface PlainRoutine {
  /** Of the runtime's function. */
  readonly name: string;
  /** Values that it takes besides those of the instruction. */
  readonly values: readonly bigint[];
  /** It leaves a value in `CELL.routineAnswer`. */
  readonly answers: boolean;
  /** It never gives up. */
  readonly certain: boolean;
}

const NAMES = new Map<Routine, string>([
  [arithmetic.root, "root"],
  [arithmetic.compareZero, "compareZero"],
  [environment.writeControlWord, "writeControlWord"],
  [top.toWhole, "toWhole"],
  [top.scale, "scale"],
  [top.extract, "extract"],
  [top.negate, "negate"],
  [top.absolute, "absolute"],
  [transfer.loadBits, "loadBits"],
  [transfer.duplicate, "duplicate"],
  [transfer.copyIf, "copyIf"],
  [transfer.exchange, "exchange"],
]);
/** These never give up. */
const CERTAIN = new Map<Routine, string>([
  [transfer.popTop, "pop"],
  [top.examine, "examine"],
  [environment.initialize, "initialize"],
  [environment.clearExceptions, "clearExceptions"],
]);
const ANSWERING = new Map<Routine, string>([
  [environment.readStatusWord, "readStatusWord"],
  [environment.readControlWord, "readControlWord"],
  [transfer.storeLow, "storeLow"],
  [transfer.storeHigh, "storeHigh"],
  ...Object.entries(transfer.storeRoutines).map(([format, routine]): [Routine, string] => [routine, `store.${format}`]),
]);

const routine = (name: string, more: Partial<PlainRoutine> = {}): PlainRoutine => ({
  name,
  values: [],
  answers: false,
  certain: false,
  ...more,
});

/** The function that does a routine, as an instruction calls it; null where there is none. */
export function plainRoutine(instruction: Instruction, called: Routine): PlainRoutine | null {
  const certain = CERTAIN.get(called);
  if (certain !== undefined) return routine(certain, { certain: true });
  const known = NAMES.get(called);
  if (known !== undefined) return routine(known);
  const answering = ANSWERING.get(called);
  if (answering !== undefined) return routine(answering, { answers: true });
  return byMnemonic(instruction, called);
}

const CONSTANT = /^fld(1|z|l2t|l2e|pi|lg2|ln2)$/;
const OPERATION = /^fi?(add|mul|subr?|divr?)(p?)$/;
const COMPARISON = /^f[iu]?com(p{0,2})$/;
const FLAG_COMPARISON = /^fu?comi(p?)$/;
const COPY = /^fst(p?)$/;
const FREE = /^ffree(p?)$/;
/** Routines that are made for one mnemonic. */
const SINGLE = new Map<string, string>([
  ["fprem", "remainder"],
  ["fprem1", "nearestRemainder"],
  ["fincstp", "turnUp"],
  ["fdecstp", "turnDown"],
]);

/** Routines that are made for one instruction each. */
function byMnemonic(instruction: Instruction, called: Routine): PlainRoutine | null {
  const { mnemonic } = instruction;
  const source = sourceOf(instruction);
  const pops = (found: RegExpExecArray, group: number) => found[group]!.length;
  if (CONSTANT.test(mnemonic)) return routine("loadConstant", { values: constantOf(called) });
  const operation = OPERATION.exec(mnemonic);
  if (operation !== null) return routine(`${operation[1]}${source === "register" ? pops(operation, 2) : ""}.${source}`);
  const comparison = COMPARISON.exec(mnemonic);
  if (comparison !== null) return routine(`compare${pops(comparison, 1)}.${source}`);
  const flags = FLAG_COMPARISON.exec(mnemonic);
  if (flags !== null) return routine(`flags${pops(flags, 1)}.register`, { answers: true });
  const copy = COPY.exec(mnemonic);
  if (copy !== null) return routine(`copyTo${pops(copy, 1)}`);
  const free = FREE.exec(mnemonic);
  if (free !== null) return routine(`free${pops(free, 1)}`);
  const single = SINGLE.get(mnemonic) ?? ELEMENTARY.get(mnemonic);
  if (single !== undefined) return routine(single);
  return mnemonic === "fld" || mnemonic === "fild" ? routine(`load.${source}`) : null;
}

function sourceOf({ mnemonic, operands }: Instruction): string {
  const [first] = operands;
  if (first?.kind !== "memory") return "register";
  return `${mnemonic.startsWith("fi") ? "i" : "m"}${first.width}`;
}

/** What the book's routine loads where it rounds to nearest: its low 64 and its high 16 bits. */
function constantOf(called: Routine): readonly bigint[] {
  const words = new BigUint64Array(at.MICROCODE / 8);
  const halves = new Uint32Array(words.buffer);
  called({ state: { words, halves } } as unknown as Cpu);
  const place = (at.X87 + 7 * at.X87_SIZE) / 8;
  return [words[place]!, words[place + 1]!];
}
