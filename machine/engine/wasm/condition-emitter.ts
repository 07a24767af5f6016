/** Conditions inside one instruction: both branches are gathered, and what they leave is joined. */

import { type Branch, BranchEmitter, NotEmitted } from "./branch-emitter.ts";
import { I32, I64, OP } from "./encoder.ts";
import type { Value } from "./expressions.ts";
import * as x from "./expressions.ts";
import { type FlagView, sameForm } from "./flag-view.ts";

export abstract class ConditionEmitter extends BranchEmitter {
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (x.isConstant(condition)) {
      if (condition.constant !== 0n) then();
      else otherwise?.();
      return;
    }
    const outer = this.branch;
    const taken = this.#inBranch(outer, then);
    const passed = this.#inBranch(outer, otherwise ?? (() => {}));
    if (passed.departure !== null) throw new NotEmitted("a jump where a condition does not hold");
    this.#joinDeparture(outer, taken, condition);
    this.#joinRegisters(outer, taken, passed);
    this.#joinFlags(outer, taken, passed);
    if (taken.statements.length + passed.statements.length === 0) return;
    condition.uses++;
    outer.statements.push((depth) => {
      const { fn } = this;
      fn.emit(condition, depth);
      fn.open(OP.if);
      for (const statement of taken.statements) statement(depth + 1);
      if (passed.statements.length > 0) {
        fn.otherwise();
        for (const statement of passed.statements) statement(depth + 1);
      }
      fn.end();
    });
  }

  #inBranch(outer: Branch, body: () => void): Branch {
    const branch: Branch = {
      statements: [],
      registers: new Map(outer.registers),
      vectors: new Map(outer.vectors),
      flags: outer.flags,
      departure: null,
    };
    this.branch = branch;
    x.scope.depth++;
    body();
    x.scope.depth--;
    this.branch = outer;
    return branch;
  }

  #joinDeparture(outer: Branch, taken: Branch, condition: Value): void {
    const { departure } = taken;
    if (departure === null) return;
    const { target } = departure;
    if (typeof target !== "bigint") throw new NotEmitted("a conditional jump to a computed place");
    const before = outer.departure;
    if (before !== null && (before.target !== target || before.condition === null))
      throw new NotEmitted("two jumps in one instruction");
    const either = (also: Value) => (before === null ? also : x.logic("Or", before.condition!, also));
    const bare = taken.statements.length === 0 && departure.condition === null;
    if (bare) {
      outer.departure = { target, condition: either(condition) };
      return;
    }
    const index = this.fn.take(I32);
    const inner = departure.condition ?? x.constant(1n);
    inner.uses++;
    outer.statements.push(() => {
      this.fn.out.i32(0);
      this.fn.out.set(index);
    });
    taken.statements.push((depth) => {
      this.fn.emit(x.as32(inner), depth);
      this.fn.out.set(index);
    });
    outer.departure = { target, condition: either(x.local(index, I32, 1)) };
  }

  /** A register that one branch changes is, after both, what a temporary holds. */
  #joinRegisters(outer: Branch, taken: Branch, passed: Branch): void {
    for (const number of new Set([...taken.registers.keys(), ...passed.registers.keys()])) {
      const before = outer.registers.get(number) ?? x.local(this.registerLocal(number), I64);
      const values = [taken, passed].map((branch) => branch.registers.get(number) ?? before);
      if (values[0] === values[1]) continue;
      const index = this.fn.take(I64);
      for (const [which, branch] of [taken, passed].entries()) {
        const value = x.as64(values[which]!);
        value.uses++;
        branch.statements.push((depth) => {
          this.fn.emit(value, depth);
          this.fn.out.set(index);
        });
      }
      outer.registers.set(number, x.local(index, I64));
    }
  }

  #joinFlags(outer: Branch, taken: Branch, passed: Branch): void {
    if (taken.flags === outer.flags && passed.flags === outer.flags) return;
    const fields = ["left", "right", "result", "bits", "state"] as const;
    const joined: Record<string, Value> = {};
    for (const field of fields) {
      const values = [taken.flags[field], passed.flags[field]];
      if (values[0] === values[1]) {
        joined[field] = values[0]!;
        continue;
      }
      const wide = field !== "bits" && field !== "state";
      const index = this.fn.take(wide ? I64 : I32);
      for (const [which, branch] of [taken, passed].entries()) {
        const value = wide ? x.as64(values[which]!) : x.as32(values[which]!);
        value.uses++;
        branch.statements.push((depth) => {
          this.fn.emit(value, depth);
          this.fn.out.set(index);
        });
      }
      joined[field] = x.local(index, wide ? I64 : I32);
    }
    const form = sameForm(taken.flags.form, passed.flags.form) ? taken.flags.form : null;
    outer.flags = { form, carry: null, ...(joined as Pick<FlagView, (typeof fields)[number]>) };
  }
}
