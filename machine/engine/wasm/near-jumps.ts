/**
 * Jumps forward in a page: the record of the jump holds where that of its target lies, so that nobody has to look for it.
 * Such a jump counts for nothing: no loop is made of these alone.
 */
import type { Instruction } from "#isa/instruction.ts";
import { CELL } from "./cells.ts";
import { JUMP_ENTRIES, JUMP_ENTRY_BYTES, RECORD, tablesOf } from "./code-records.ts";
import { type FunctionBody, I32, I64, OP } from "./encoder.ts";
import * as x from "./expressions.ts";
import type { FunctionWriter } from "./function-writer.ts";
import { FORM } from "./open-emitter.ts";
import { RoutineWriter } from "./routine-writer.ts";

const small = (value: number) => x.constant(BigInt(value));
const plus = (left: x.Value, right: x.Value) => x.arithmetic("Add", 32, left, right);

/** Whether an instruction may be such a jump. */
export function mayBeNear({ mnemonic, operands }: Instruction): boolean {
  return operands[0]?.kind === "relative" && mnemonic !== "call";
}

/**
 * Goes on with the record that the jump of a record leads to, if it is known and still that of the target. `offset`: where
 * the jump's record lies, from the one given to the function; `length`: leaves the bytes from that one's instruction to
 * the next after the jump, as i64. The budget and rip are those of the target.
 */
export function emitNear(
  fn: FunctionWriter,
  { size, type, offset }: { readonly size: number; readonly type: number; readonly offset: number },
  length: () => void,
): void {
  const { out } = fn;
  const { records } = tablesOf(size);
  const next = fn.keep(I32);
  out.get(FORM.record);
  out.memory(OP.i32Load, offset + RECORD.link);
  out.tee(next);
  out.memory(OP.i64Load, records + RECORD.tag);
  out.get(FORM.record);
  out.memory(OP.i64Load, RECORD.tag);
  length();
  out.byte(OP.i64Add);
  out.get(FORM.record);
  out.memory(OP.i32Load, offset + RECORD.displacement);
  out.byte(OP.i64ExtendI32S);
  out.byte(OP.i64Add);
  out.byte(OP.i64Eq);
  fn.open(OP.if);
  out.get(FORM.budget);
  out.get(FORM.rip);
  out.get(next);
  out.i32(records);
  out.byte(OP.i32Add);
  out.get(next);
  out.memory(OP.i32Load16U, records + RECORD.slot);
  out.byte(OP.returnCallIndirect);
  out.unsigned(type);
  out.unsigned(0);
  fn.end();
}

/**
 * The place in RAM of the target of a jump, if the jump is such a one and no region is known to begin at the target.
 * Otherwise 0. Parameters: the target's address, the jump's record.
 */
export function nearTarget(size: number, type: number): FunctionBody {
  const w = new RoutineWriter([I64, I32]);
  const [rip, record] = w.parameters as [x.Value, x.Value];
  const { jumps } = tablesOf(size);
  const load = (op: number, place: x.Value, offset = 0) => x.loaded(op, place, offset);
  const displacement = w.let(load(OP.i32Load, record, RECORD.displacement));
  w.giveUpIf(x.compare("LeS", displacement, small(0)));
  const distance = w.let(plus(displacement, load(OP.i32Load8U, record, RECORD.length)));
  const place = w.let(load(OP.i32Load, record, RECORD.tag));
  const target = w.let(plus(place, distance));
  w.giveUpIf(x.isNonZero(x.shift("ShrU", x.logic("Xor", place, target), small(12))));
  const low = w.let(x.as32(rip));
  const mixed = x.logic("And", x.logic("Xor", x.shift("ShrU", low, small(12)), low), small(JUMP_ENTRIES - 1));
  const known = load(OP.i64Load, x.arithmetic("Mul", 32, mixed, small(JUMP_ENTRY_BYTES)), jumps);
  const context = x.as64(x.stateWord(CELL.context, I32));
  w.giveUpIf(x.compare("Eq", known, x.logic("Or", x.shift("Shl", rip, small(12)), context)));
  w.give(target);
  return w.finish(type, "nearTarget");
}
