/** The code of one region: a WebAssembly function that runs its blocks on registers in locals. */

import type { Cpu } from "#machine/cpu/cpu.ts";
import { STATUS } from "#machine/cpu/flags.ts";
import * as at from "#machine/cpu/layout.ts";
import { NotEmitted, type RuntimeFunctions } from "./branch-emitter.ts";
import { CELL } from "./cells.ts";
import type { Context } from "./context.ts";
import type { Emitter } from "./emitter.ts";
import { type ByteWriter, type FunctionBody, OP } from "./encoder.ts";
import { flagsDie, flagsLive } from "./flag-liveness.ts";
import { emitStatus, emitStoredFlags } from "./flag-storage.ts";
import { type FlagForm, sameForm } from "./flag-view.ts";
import { EXACT_ROUNDING } from "./float-lanes.ts";
import { FunctionWriter, type Label, LEAVING, LOCAL } from "./function-writer.ts";
import type { Gates } from "./gates.ts";
import { JUMP_ENTRIES, JUMP_ENTRY_BYTES, JUMP_SLOT, JUMPS } from "./jump-cache.ts";
import { type Block, type Step, successorsOf, type Way } from "./region.ts";
import { Structure } from "./structure.ts";
import { emitMissed, NO_PAGE } from "./tlb-access.ts";
import type { Draft } from "./translations.ts";
import { VectorEmitter } from "./vector-emitter.ts";

/** Index of the type of a region. */
const REGION_TYPE = 0;

class RegionWriter {
  readonly body = new FunctionWriter();
  readonly emitter: VectorEmitter;
  readonly structure: Structure;
  /** What is known of the flags when a block begins: undefined before any edge to it has been written. */
  readonly #forms: (FlagForm | null | undefined)[];
  /** Blocks that begin with the carry flag in a local. */
  readonly #flagsLive: readonly boolean[];
  readonly #mayRemember: boolean;
  #exit: Label = 0;
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
  ) {
    this.emitter = new VectorEmitter(
      this.body,
      context,
      runtime,
      cpu,
      gates,
      () => this.#leave(),
      (address, access) => {
        emitMissed(this.body, address, access);
        this.#leave(null);
      },
    );
    const writer = this;
    this.emitter.surroundings = {
      get isLast() {
        return writer.#undone === 1;
      },
      get undone() {
        return writer.#undone;
      },
      stop: () => this.#stop(),
    };
    this.#forms = blocks.map(() => undefined);
    this.#flagsLive = flagsLive(blocks);
    this.#mayRemember = !blocks.some(({ steps }) => steps.some(({ findings }) => findings.remaps));
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
    this.#charge(0);
    this.structure.emit();
    body.end();
    const whole = new FunctionWriter();
    this.#load(whole);
    whole.out.append(body.out.bytes.subarray(0, body.out.length));
    this.#store(whole);
    this.#goOn(whole);
    whole.out.byte(OP.end);
    return { type: REGION_TYPE, locals: body.locals, code: whole.out.result(), name };
  }

  // The frame around the blocks

  #load({ out }: FunctionWriter): void {
    const loads: [local: number, op: number, from: number][] = [
      [LOCAL.left, OP.i64Load, at.LAZY_LEFT],
      [LOCAL.right, OP.i64Load, at.LAZY_RIGHT],
      [LOCAL.result, OP.i64Load, at.LAZY_RESULT],
    ];
    for (const register of this.emitter.used) loads.push([LOCAL.registers + register, OP.i64Load, register * 8]);
    for (const [local, op, from] of loads) {
      out.i32(0);
      out.memory(op, from);
      out.set(local);
    }
    for (const { page } of this.emitter.pages.values()) {
      out.i64(NO_PAGE);
      out.set(page);
    }
    if (this.emitter.exactRounding >= 0) {
      out.i32(0);
      out.memory(OP.i32Load, at.MXCSR);
      out.i32(Number(EXACT_ROUNDING.mask));
      out.byte(OP.i32And);
      out.i32(Number(EXACT_ROUNDING.value));
      out.byte(OP.i32Eq);
      out.set(this.emitter.exactRounding);
    }
    for (const [number, local] of this.emitter.vectorLocals) {
      out.i32(0);
      out.vectorMemory("load", at.XMM + number * 16);
      out.set(local);
    }
    out.i32(0);
    out.memory(OP.i32Load, at.LAZY_KIND);
    out.i32(0);
    out.memory(OP.i32Load, at.LAZY_WIDTH);
    out.i32(8);
    out.byte(OP.i32Shl);
    out.byte(OP.i32Or);
    out.set(LOCAL.flagState);
    out.i32(0);
    out.memory(OP.i32Load, at.RFLAGS);
    out.i32(STATUS);
    out.byte(OP.i32And);
    out.set(LOCAL.flagBits);
    if (this.emitter.usesCarry) {
      emitStatus(out, this.runtime.status);
      out.i32(1);
      out.byte(OP.i32And);
      out.set(LOCAL.carry);
    }
  }

  #store(fn: FunctionWriter): void {
    const { out } = fn;
    const word = (op: number, to: number, value: () => void) => {
      out.i32(0);
      value();
      out.memory(op, to);
    };
    for (const register of this.emitter.written)
      word(OP.i64Store, register * 8, () => out.get(LOCAL.registers + register));
    for (const number of this.emitter.vectorsWritten) {
      out.i32(0);
      out.get(this.emitter.vectorLocals.get(number)!);
      out.vectorMemory("store", at.XMM + number * 16);
    }
    word(OP.i64Store, at.RIP, () => out.get(LOCAL.rip));
    emitStoredFlags(fn, null, this.emitter.overrides, this.runtime.status);
  }

  /** To the region that begins at rip, if the jump cache knows one; otherwise to the forms there, or back to the engine. */
  #goOn(fn: FunctionWriter): void {
    const { out } = fn;
    out.get(LOCAL.leaving);
    fn.open(OP.if);
    if (this.emitter.callsOut) this.#returnToLook(fn);
    this.#findPage(out);
    out.byte(OP.i32Eqz);
    fn.open(OP.if);
    out.get(LOCAL.budget);
    out.i32(-1);
    out.byte(OP.i32Xor);
    out.byte(OP.return);
    fn.end();
    fn.end();
    out.get(LOCAL.rip);
    out.byte(OP.i32WrapI64);
    out.tee(LOCAL.label);
    out.i32(12);
    out.byte(OP.i32ShrU);
    out.get(LOCAL.label);
    out.byte(OP.i32Xor);
    out.i32(JUMP_ENTRIES - 1);
    out.byte(OP.i32And);
    out.i32(JUMP_ENTRY_BYTES);
    out.byte(OP.i32Mul);
    out.tee(LOCAL.label);
    out.memory(OP.i64Load, JUMPS);
    out.get(LOCAL.rip);
    out.i64(12n);
    out.byte(OP.i64Shl);
    this.#contextNumber(out);
    out.byte(OP.i64Or);
    out.byte(OP.i64Eq);
    fn.open(OP.if);
    out.get(LOCAL.budget);
    out.get(LOCAL.label);
    out.memory(OP.i32Load, JUMPS + JUMP_SLOT);
    out.byte(OP.returnCallIndirect);
    out.unsigned(REGION_TYPE);
    out.unsigned(0);
    fn.end();
    out.get(LOCAL.budget);
    out.get(LOCAL.rip);
    out.byte(OP.returnCall);
    out.unsigned(this.runtime.arrive);
  }

  #returnToLook(fn: FunctionWriter): void {
    const { out } = fn;
    out.get(LOCAL.leaving);
    out.i32(LEAVING.look);
    out.byte(OP.i32Eq);
    fn.open(OP.if);
    out.get(LOCAL.budget);
    out.byte(OP.return);
    fn.end();
  }

  #contextNumber(out: ByteWriter): void {
    if (!this.emitter.changesContext) out.i64(BigInt(this.context.id));
    else {
      out.i32(0);
      out.memory(OP.i32Load, CELL.context);
      out.byte(OP.i64ExtendI32U);
    }
  }

  /** Leaves 1 on the stack where the runtime has found the page that was missed; a second miss in a row is not its. */
  #findPage(out: ByteWriter): void {
    out.get(LOCAL.missed);
    out.get(LOCAL.leaving);
    out.get(LOCAL.budget);
    out.i32(this.context.user ? 1 : 0);
    out.byte(OP.call);
    out.unsigned(this.runtime.findPage);
  }

  // Ways out

  /** Leaves before the instruction being written, which the evaluator then does; `null`: it is known why. */
  #leave(why: number | null = LEAVING.evaluate): void {
    const { out } = this.body;
    this.#refund(this.#undone);
    out.i64(this.#rip);
    out.set(LOCAL.rip);
    if (why !== null) {
      out.i32(why);
      out.set(LOCAL.leaving);
    }
    this.body.branch(this.#exit);
  }

  /** Leaves after the instruction being written, for the engine to look. */
  #stop(): void {
    const { out } = this.body;
    this.#refund(this.#undone - 1);
    out.i64(this.#after);
    out.set(LOCAL.rip);
    out.i32(LEAVING.look);
    out.set(LOCAL.leaving);
    this.body.branch(this.#exit);
  }

  #refund(instructions: number): void {
    if (instructions === 0) return;
    const { out } = this.body;
    out.get(LOCAL.budget);
    out.i32(instructions);
    out.byte(OP.i32Add);
    out.set(LOCAL.budget);
  }

  /** Takes a block's instructions from the budget, or leaves before it where they are too many. */
  #charge(node: number): void {
    const { out } = this.body;
    const { steps, start } = this.blocks[node]!;
    if (steps.length === 0) return;
    out.get(LOCAL.budget);
    out.i32(steps.length);
    out.byte(OP.i32Sub);
    out.tee(LOCAL.budget);
    out.i32(0);
    out.byte(OP.i32LtS);
    this.body.open(OP.if);
    this.#rip = start;
    this.#undone = steps.length;
    this.#leave();
    this.body.end();
  }

  #go(way: Way): void {
    if ("outside" in way) {
      this.body.out.i64(way.outside);
      this.body.out.set(LOCAL.rip);
      this.body.branch(this.#exit);
      return;
    }
    this.#edge(way.block);
  }

  #edge(node: number): void {
    const { form } = this.emitter;
    const known = this.#forms[node];
    if (known === undefined) this.#forms[node] = form;
    else if (!sameForm(known, form)) this.#forms[node] = null;
    if (this.#flagsLive[node]) this.emitter.carryOver();
    this.#charge(node);
    this.structure.branch(node);
  }

  // Blocks

  #block(node: number): void {
    const block = this.blocks[node]!;
    this.emitter.form = this.#forms[node] ?? null;
    this.emitter.carried = this.#flagsLive[node]!;
    this.emitter.beginBlock();
    this.emitter.remembers = this.#mayRemember && this.structure.inLoop;
    const last = block.steps.length - 1;
    for (const [index, step] of block.steps.entries()) {
      this.#rip = step.start;
      this.#after = BigInt.asUintN(this.context.mode === 64 ? 64 : 32, step.start + BigInt(step.decoded.length));
      this.#undone = block.steps.length - index;
      const departure = this.#step(step, flagsDie(block, index));
      if (departure === "evaluate") {
        this.#leave();
        return;
      }
      if (index === last) this.#depart(block, departure);
    }
    if (block.finds) this.#find(block);
    else if (block.steps.length === 0 || (block.evaluate !== null && block.taken === null)) this.#leaveAt(block);
  }

  #leaveAt({ evaluate }: Block): void {
    if (evaluate === null) return;
    this.#rip = evaluate;
    this.#undone = 0;
    this.#leave();
  }

  #step(step: Step, flagsDie: boolean): ReturnType<Emitter["instruction"]> | "evaluate" {
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
  { blocks, context, gates }: Draft,
  cpu: Cpu,
  runtime: RuntimeFunctions,
  name: string,
): FunctionBody {
  return new RegionWriter(blocks, context, runtime, cpu, gates).write(name);
}
