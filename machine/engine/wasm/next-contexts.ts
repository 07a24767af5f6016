/**
 * Which context follows one when a segment register gets another segment: a table in the machine's memory, from the
 * context and what tells contexts apart to the context that the engine has found then. Code asks it, so that a system
 * with segments of its own comes in and out without the engine.
 */
import type { CpuState } from "#machine/cpu/state.ts";
import { CELL } from "./cells.ts";
import { tablesOf } from "./code-records.ts";
import { CONTEXT_ATTRIBUTES, type Context } from "./context.ts";
import { OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import type { NativeEmitter } from "./native-emitter.ts";

const ENTRY_BITS = 9;
const ENTRY_WORDS = 2;
const FACTOR = 0x9e3779b1;
/** In a key, between the attributes: bit 0 for a segment without base and limit, the register, the context. */
const REGISTER_SHIFT = 4;
const CONTEXT_SHIFT = 18;

/** The context after a segment register has changed; 0 where the engine must find it, which is told what is asked for. */
export function contextAfter(e: NativeEmitter, register: number, attributes: Value, isWhole: Value): Value {
  const fixed = (register << REGISTER_SHIFT) | (e.context.id << CONTEXT_SHIFT);
  const told = e.and(attributes, e.constant(BigInt(CONTEXT_ATTRIBUTES)));
  const key = e.hold(x.as32(e.or(e.or(told, isWhole), e.constant(BigInt(fixed)))));
  const hash = e.truncate(32, e.multiply(32, key, e.constant(BigInt(FACTOR))));
  const entry = e.shiftLeft(e.shiftRight(hash, e.constant(BigInt(32 - ENTRY_BITS))), e.constant(3n));
  const place = e.hold(x.as32(entry));
  const { contexts } = tablesOf(e.cpu.memory.size);
  e.storeState(CELL.contextAsked, key);
  const isKnown = x.compare("Eq", x.loaded(OP.i32Load, place, contexts), key);
  return e.select(isKnown, x.loaded(OP.i32Load, place, contexts + 4), e.constant(0n));
}

export class NextContexts {
  readonly #halves: Uint32Array;
  readonly #words: Uint32Array;

  constructor({ memory, halves }: CpuState, size: number) {
    this.#halves = halves;
    this.#words = new Uint32Array(memory.buffer, tablesOf(size).contexts, ENTRY_WORDS << ENTRY_BITS);
  }

  /** Tells code the context that it has asked for and not found. */
  answer({ id }: Context): void {
    const key = this.#halves[CELL.contextAsked / 4]!;
    const entry = (Math.imul(key, FACTOR) >>> (32 - ENTRY_BITS)) * ENTRY_WORDS;
    this.#words[entry] = key;
    this.#words[entry + 1] = id;
  }

  clear(): void {
    this.#words.fill(0);
  }
}
