/** What the lowering of one function works with. */
import type { Block } from "../ssa/ir.ts";
import type { LoopLabel } from "../tree.ts";
import type { FunctionBuilder } from "./builder.ts";
import type { DataPool } from "./data.ts";
import type { Frame } from "./frame.ts";
import type { Panics } from "./panics.ts";

export interface FunctionContext {
  readonly data: DataPool;
  readonly panics: Panics;
  readonly builder: FunctionBuilder;
  readonly frame: Frame;
  /** Whether this is the body of a coroutine: its results begin with whether it came to its end. */
  readonly isCoroutine: boolean;
  /** Where `break` and `continue` of each enclosing loop, switch or labelled block lead. */
  readonly jumps: Map<LoopLabel, { readonly leave: Block; readonly next: Block | null }>;
}
