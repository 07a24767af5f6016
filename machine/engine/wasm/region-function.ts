/** The code of one region: a WebAssembly function that runs its blocks on registers in locals. */

import type { Cpu } from "#machine/cpu/cpu.ts";
import type { AccessProfile } from "./access-profile.ts";
import { NotEmitted, type RuntimeFunctions } from "./branch-emitter.ts";
import { BudgetPaths } from "./budget-paths.ts";
import type { Context } from "./context.ts";
import type { Emitter } from "./emitter.ts";
import { type FunctionBody, OP } from "./encoder.ts";
import { flagsDie, flagsLive } from "./flag-liveness.ts";
import { type FlagForm, sameForm } from "./flag-view.ts";
import { FunctionWriter, type Label, LEAVING, LOCAL, leaving } from "./function-writer.ts";
import type { Gates } from "./gates.ts";
import { ReachedPages } from "./reached-pages.ts";
import { type Block, type Step, successorsOf, type Way } from "./region.ts";
import { REGION_TYPE, RegionFrame } from "./region-frame.ts";
import { Structure } from "./structure.ts";
import type { Draft } from "./translations.ts";
import { VectorEmitter } from "./vector-emitter.ts";

class RegionWriter {
  readonly body = new FunctionWriter();
  readonly emitter: VectorEmitter;
  readonly structure: Structure;
  /** What is known of the flags when a block begins: undefined before any edge to it has been written. */
  readonly #forms: (FlagForm | null | undefined)[];
  /** Blocks that begin with the carry flag in a local. */
  readonly #flagsLive: readonly boolean[];
  /** What the TLB has is forgotten inside the region: pages are not remembered, and what misses is walked to in place. */
  readonly #remaps: boolean;
  readonly #reached: ReachedPages;
  readonly #paths: BudgetPaths;
  /** The block being written. */
  #current: number | null = null;
  #exit: Label = 0;
  /** There are accesses that leave where the TLB has no plain entry for them. */
  #mayMiss = false;
  /** The instruction being written: its place, and how many of its block are not done yet, itself included. */
  #rip = 0n;
  #undone = 0;
  /** The place of the instruction that follows it. */
  #after = 0n;

  constructor(
    readonly blocks: readonly Block[],
    readonly context: Context,
    readonly runtime: RuntimeFunctions,
    cpu: Cpu,
    gates: Gates,
    region: number,
    pages: Draft["pages"],
    readonly accesses: AccessProfile,
  ) {
    this.emitter = new VectorEmitter(this.body, context, runtime, cpu, gates, () => this.#leave());
    const writer = this;
    this.emitter.surroundings = {
      get isLast() {
        return writer.#undone === 1;
      },
      get undone() {
        return writer.#undone;
      },
      stop: (why) => this.#stop(why),
      region,
      pages,
    };
    this.#reached = new ReachedPages(this.body, context, pages, cpu.memory.size, () => runtime.mapping("locate"));
    this.#forms = blocks.map(() => undefined);
    this.#flagsLive = flagsLive(blocks);
    this.#paths = new BudgetPaths(blocks);
    this.#remaps = blocks.some(({ steps }) => steps.some(({ findings }) => findings.remaps));
    const graph = { successors: blocks.map(successorsOf) };
    this.structure = new Structure(
      graph,
      this.body,
      (node) => this.#block(node),
      (heads) => {
        for (const head of heads) this.#forms[head] = null;
      },
    );
  }

  write(name: string): FunctionBody {
    const { body } = this;
    this.#exit = body.open(OP.block);
    this.#forms[0] = null;
    this.#reached.restart(this.blocks[0]!.start);
    this.#reach(0);
    this.#look(0);
    this.#charge(0);
    this.structure.emit();
    body.end();
    const whole = new FunctionWriter();
    const frame = new RegionFrame(whole, this.emitter, this.context, this.runtime);
    frame.load();
    whole.out.append(body.out.bytes.subarray(0, body.out.length));
    frame.store(null);
    frame.goOn(this.#mayMiss);
    whole.out.byte(OP.end);
    return { type: REGION_TYPE, locals: body.locals, code: whole.out.result(), name };
  }

  // Ways out

  /** Leaves before the instruction being written, which the evaluator then does, or which is done again. */
  #leave(why: number = LEAVING.evaluate): void {
    this.#leaveFor(this.#rip, leaving(why, this.#undone));
  }

  readonly #leaveMissed = (stored: number) => {
    this.#mayMiss = true;
    this.#leave(LEAVING.missed + stored);
  };

  /** Leaves after the instruction being written. */
  #stop(why: number): void {
    this.#leaveFor(this.#after, leaving(why, this.#undone - 1));
  }

  /** Leaves; `LOCAL.rip` has the place already where none is given. */
  #leaveFor(rip: bigint | null, why: number): void {
    const { out } = this.body;
    if (rip !== null) {
      out.i64(rip);
      out.set(LOCAL.rip);
    }
    if (why !== LEAVING.onward) {
      out.i32(why);
      out.set(LOCAL.leaving);
    }
    this.body.branch(this.#exit);
  }

  /** Leaves before a block where the budget may be too small for what follows up to the next look. */
  #look(node: number): void {
    const { out } = this.body;
    const need = this.#paths.need(node);
    if (need === 0) return;
    out.get(LOCAL.budget);
    out.i32(need);
    out.byte(OP.i32LtS);
    this.body.open(OP.if);
    const { finds, start } = this.blocks[node]!;
    this.#leaveFor(finds ? null : start, LEAVING.evaluate);
    this.body.end();
  }

  /** Takes a block's instructions from the budget. */
  #charge(node: number): void {
    const { out } = this.body;
    const { length } = this.blocks[node]!.steps;
    if (length === 0) return;
    out.get(LOCAL.budget);
    out.i32(length);
    out.byte(OP.i32Sub);
    out.set(LOCAL.budget);
  }

  /** Leaves before a block whose code may lie elsewhere now. */
  #reach(node: number): void {
    const block = this.blocks[node]!;
    const from = this.#current === null ? null : this.blocks[this.#current]!;
    this.#reached.emitReach(block, from, (why) => this.#leaveFor(block.start, leaving(why, 0)));
  }

  #go(way: Way): void {
    if ("outside" in way) {
      this.#leaveFor(way.outside, LEAVING.onward);
      return;
    }
    this.#edge(way.block);
  }

  #edge(node: number): void {
    this.#reach(node);
    const { form } = this.emitter;
    const known = this.#forms[node];
    if (known === undefined) this.#forms[node] = form;
    else if (!sameForm(known, form)) this.#forms[node] = null;
    if (this.#flagsLive[node]) this.emitter.carryOver();
    if (this.#paths.looks(this.#current!, node)) this.#look(node);
    this.#charge(node);
    this.structure.branch(node);
  }

  // Blocks

  #block(node: number): void {
    const block = this.blocks[node]!;
    this.#current = node;
    this.emitter.form = this.#forms[node] ?? null;
    this.emitter.carried = this.#flagsLive[node]!;
    this.emitter.beginBlock();
    this.emitter.remembers = !this.#remaps && this.structure.inLoop;
    const last = block.steps.length - 1;
    for (const [index, step] of block.steps.entries()) {
      this.#rip = step.start;
      this.#after = BigInt.asUintN(this.context.mode === 64 ? 64 : 32, step.start + BigInt(step.decoded.length));
      this.#undone = block.steps.length - index;
      const departure = this.#step(step, flagsDie(block.steps, index));
      if (step.findings.remaps) this.#reached.restart(this.#after);
      if (departure === "evaluate") {
        this.#leave();
        return;
      }
      if (index === last) this.#depart(block, departure);
    }
    if (block.finds) this.#find(block);
    else if (block.steps.length === 0 && block.next !== null) this.#go(block.next);
    else if (block.steps.length === 0 || (block.evaluate !== null && block.taken === null)) this.#leaveAt(block);
  }

  #leaveAt({ evaluate }: Block): void {
    if (evaluate === null) return;
    this.#rip = evaluate;
    this.#undone = 0;
    this.#leave();
  }

  #step(step: Step, flagsDie: boolean): ReturnType<Emitter["instruction"]> | "evaluate" {
    this.emitter.leaveMissed = this.#remaps || this.accesses.isSpecial(step.start) ? null : this.#leaveMissed;
    try {
      return this.emitter.instruction(step, flagsDie);
    } catch (reason) {
      if (reason instanceof NotEmitted) return "evaluate";
      throw reason;
    }
  }

  #depart(block: Block, departure: ReturnType<Emitter["instruction"]>): void {
    const { body } = this;
    if (departure !== null && typeof departure.target !== "bigint") {
      this.#computed(block);
      return;
    }
    if (departure !== null && departure.condition !== null) {
      body.emit(departure.condition);
      body.open(OP.if);
      this.#go(block.taken!);
      body.end();
    } else if (departure !== null) {
      this.#go(block.taken!);
      return;
    }
    if (block.next !== null) this.#go(block.next);
  }

  /** A jump to a computed place, which `LOCAL.rip` holds: expected places are compared with one by one. */
  #computed({ expected, dispatch }: Block): void {
    if (dispatch !== null) this.#edge(dispatch);
    else this.#compare(expected);
  }

  /** Finds the place in `LOCAL.rip` among many: halves what is left with each comparison. */
  #find({ expected }: Block): void {
    const { body } = this;
    const half = (places: Block["expected"]): void => {
      if (places.length <= 2) {
        this.#compare(places);
        return;
      }
      const middle = places.length >> 1;
      body.out.get(LOCAL.rip);
      body.out.i64(places[middle]!.rip);
      body.out.byte(OP.i64LtU);
      body.open(OP.if);
      half(places.slice(0, middle));
      body.end();
      half(places.slice(middle));
    };
    half([...expected].sort((a, b) => (a.rip < b.rip ? -1 : 1)));
  }

  /** Goes to the one of these places that `LOCAL.rip` holds, or leaves. */
  #compare(expected: Block["expected"]): void {
    const { body } = this;
    for (const { rip, block } of expected) {
      body.out.get(LOCAL.rip);
      body.out.i64(rip);
      body.out.byte(OP.i64Eq);
      body.open(OP.if);
      this.#edge(block);
      body.end();
    }
    body.branch(this.#exit);
  }
}

/** Translates a region. */
export function regionFunction(
  { blocks, context, gates, number, pages }: Draft,
  cpu: Cpu,
  runtime: RuntimeFunctions,
  accesses: AccessProfile,
  name: string,
): FunctionBody {
  return new RegionWriter(blocks, context, runtime, cpu, gates, number, pages, accesses).write(name);
}
