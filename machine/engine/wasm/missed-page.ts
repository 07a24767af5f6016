/** What a region does that has left at an access, because the TLB has no plain entry for its page. */
import { CELL } from "./cells.ts";
import { type FunctionBody, type FunctionType, I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { RoutineWriter } from "./routine-writer.ts";

/** So many misses in a run of translated code are worth a look at where they are. */
const MANY_MISSES = 256;

/** Linear address, bytes stored (0 for a read), key, budget. Gives whether the access is to be tried again. */
export const MISSED_TYPE: FunctionType = { parameters: [I64, I32, I32, I32], results: [I32] };

const small = (value: number) => x.constant(BigInt(value));

/**
 * Has the page walked to. An instruction may miss two pages; a third miss at one count of instructions is of an access
 * that the TLB does not allow: the evaluator does it, and is told so. It is told of one of many misses as well. A store
 * that lies in two pages is the evaluator's at once: the walk would mark the first, and the second may be closed.
 */
export function missedPage(walk: number, type: number): FunctionBody {
  const w = new RoutineWriter([I64, I32, I32, I32]);
  const [linear, stored, key, budget] = w.parameters as [Value, Value, Value, Value];
  const refuse = () => {
    w.storeState(CELL.refused, x.as32(small(1)));
    w.give(small(0));
  };
  const offset = x.as32(x.logic("And", linear, small(0xfff)));
  w.if(x.compare("LtU", x.arithmetic("Sub", 32, small(0x1000), offset), stored), refuse);
  const last = w.let(x.stateWord(CELL.missedAt, I32));
  const again = w.let(x.as32(x.logic("Xor", budget, small(-1))));
  w.if(x.compare("Eq", last, again), refuse);
  w.storeState(CELL.missedAt, x.select(x.compare("Eq", last, budget), again, budget));
  const misses = w.let(x.arithmetic("Add", 32, x.stateWord(CELL.misses, I32), small(1)));
  w.storeState(CELL.misses, misses);
  w.if(x.compare("Eq", misses, small(MANY_MISSES)), refuse);
  w.give(x.isNonZero(x.make(OP.call, I32, [linear, x.isNonZero(stored), key], 32, walk)));
  return w.finish(type, "missed");
}
