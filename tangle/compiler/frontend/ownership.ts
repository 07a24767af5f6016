/**
 * Ownership: who drops an object of the heap. A place of type `Owned<C>` owns; reading it borrows, or moves where another
 * owner is wanted. A local that has been moved from holds 0, and dropping that does nothing: so the end of a block is the
 * same whichever way it was reached. What an expression makes and nobody takes is dropped when the full expression ends.
 */
import { isFat } from "../layout.ts";
import type { Expression, Local, Target, Type } from "../tree.ts";
import { type Body, errorExpression } from "./body.ts";
import { dropValue } from "./drops.ts";
import { assignedNames, forget, withMoved, withValue } from "./flow.ts";
import { lenders } from "./frame.ts";
import { assign, integerOf, localTarget, readLocal, reinterpret, sequence } from "./nodes.ts";
import { borrowed, isOwning, typeName, U64, VOID } from "./types.ts";

/** The place that an owning value is read from; null for a value that nobody owns yet. */
export function placeOf(value: Expression): Target | null {
  if (value.kind === "reinterpret" && isOwning(value.operand.type)) {
    return placeOf(value.operand);
  }
  return value.kind === "read" ? value.target : null;
}

/** An owning value where a reference is wanted. What nobody owns is kept until the full expression ends. */
export function borrow(body: Body, value: Expression): Expression {
  if (!isOwning(value.type)) {
    return value;
  }
  const type = borrowed(value.type);
  if (placeOf(value) !== null) {
    return reinterpret(value, type);
  }
  const { place } = value;
  const kept = body.temporary("owned", value.type, place);
  body.owners.add(kept);
  body.temporaries.push(kept);
  return sequence([assign(localTarget(kept, place), value)], reinterpret(readLocal(kept, place), type));
}

/** An owning value that somebody else owns from here on. */
export function move(body: Body, value: Expression): Expression {
  const target = placeOf(value);
  if (target === null) {
    return value;
  }
  const { place } = value;
  if (target.kind !== "local" || !body.owners.has(target.local)) {
    return body.error(
      "KT1067",
      place,
      `\`${typeName(value.type)}\` cannot be moved from here`,
      isNullable(target.type) ? "write `take(…)`: it leaves null behind" : undefined,
    );
  }
  const { local } = target;
  if (!checkUsable(body, local, place)) {
    return errorExpression(place);
  }
  loseBorrows(body, local, place, true);
  const kept = body.temporary("moved", target.type, place);
  const taken = sequence(
    [assign(localTarget(kept, place), readLocal(local, place)), assign(target, zeroOf(target.type, value))],
    readLocal(kept, place),
  );
  const moved = target.type === value.type ? taken : reinterpret(taken, value.type);
  moves.set(moved, local);
  return moved;
}

/** The local that a value has been moved out of. */
const moves = new WeakMap<Expression, Local>();

/** Reports an argument that borrows what another argument of the same call gives away: the call would drop it under its feet. */
export function checkBorrows(body: Body, call: Expression): void {
  const made = call.kind === "sequence" ? call.last : call;
  if (made.kind !== "call" && made.kind !== "callIndirect" && made.kind !== "construct") {
    return;
  }
  for (const argument of made.arguments) {
    const local = moves.get(argument);
    const other = local && made.arguments.find((one) => one !== argument && lenders(body, one).has(local));
    if (local !== undefined && other !== undefined) {
      body.report(
        "KT1066",
        argument.place,
        `\`${local.name}\` is moved into a call that also borrows it`,
        "call first and keep the result, then move it",
      );
    }
  }
}

function isNullable(type: Type): boolean {
  return type.kind === "nullable";
}

/** Reports a local whose value is gone; whether it is still there. */
export function checkUsable(body: Body, local: Local, place: Expression["place"]): boolean {
  const gone = body.flow.moved.get(local);
  if (gone === undefined) {
    return true;
  }
  const { owner } = gone;
  const message =
    owner === local
      ? `\`${local.name}\` has been moved`
      : `\`${local.name}\` borrows from \`${owner.name}\`, which has been moved or replaced`;
  body.reporter.report("KT1066", place, message, { related: [{ place: gone.place, message: "here" }] });
  return false;
}

/** The owner loses what it held: those that borrow from it, and itself where it is `moved`, are no longer usable. */
export function loseBorrows(body: Body, owner: Local, place: Expression["place"], moved: boolean): void {
  const locals = [...body.borrows].filter(([, from]) => from.has(owner)).map(([local]) => local);
  if (moved) {
    locals.push(owner);
  }
  if (locals.length > 0) {
    body.flow = withMoved(body.flow, locals, { place, owner });
  }
}

/** What holds although these parts of the syntax tree, a loop or a closure, may run any number of times. */
export function forgetAssigned(body: Body, ...parts: readonly unknown[]): void {
  const names = assignedNames(...parts);
  body.flow = forget(body.flow, names);
  for (const owner of body.owners) {
    if (names.has(owner.name)) {
      loseBorrows(body, owner, owner.place, false);
    }
  }
}

/** 0, the value of an owner that owns nothing. */
export function zeroOf(type: Type, { place }: Pick<Expression, "place">): Expression {
  if (!isFat(type)) {
    return integerOf(0n, type, place);
  }
  const zero = integerOf(0n, U64, place);
  return { kind: "makeSlice", address: zero, length: zero, type, place };
}

/** Stores an owning value: the new one is evaluated, then stored, then the old one is dropped. */
export function assignOwned(body: Body, target: Target, value: Expression): Expression {
  const { type, place } = target;
  const first: Expression[] = [];
  const stable = stableTarget(body, target, first);
  const fresh = body.temporary("new", type, place);
  const old = body.temporary("old", type, place);
  first.push(
    assign(localTarget(fresh, place), value),
    assign(localTarget(old, place), { kind: "read", target: stable, type, place }),
    assign(stable, readLocal(fresh, place)),
  );
  if (target.kind === "local") {
    loseBorrows(body, target.local, place, false);
    body.flow = withValue(body.flow, target.local);
  }
  return sequence(first, dropValue(body.compilation, readLocal(old, place)));
}

/** The target as one that can be read and written, evaluated once; what that takes is added to `first`. */
export function stableTarget(body: Body, target: Target, first: Expression[]): Target {
  const { type, place } = target;
  if (target.kind === "local" || target.kind === "global") {
    return target;
  }
  if (target.kind === "field" && isFixedReference(body, target.object)) {
    return target;
  }
  const pointer = body.temporary("place", { kind: "pointer", of: type }, place);
  first.push(assign(localTarget(pointer, place), { kind: "addressOf", target, type: pointer.type, place }));
  return { kind: "pointee", pointer: readLocal(pointer, place), type, place };
}

/** `this`, or another local that always refers to the same object. */
function isFixedReference(body: Body, object: Expression): boolean {
  if (object.kind === "reinterpret") {
    return isFixedReference(body, object.operand);
  }
  return (
    object.kind === "read" &&
    object.target.kind === "local" &&
    !body.owners.has(object.target.local) &&
    !body.assigns(object.target.local.name)
  );
}

/** A full expression of which only the effect counts. */
export function fullEffect(body: Body, check: () => Expression): Expression {
  return fullExpression(body, () => {
    const value = check();
    const { type } = value;
    return type.kind === "never" || type.kind === "void" || body.temporaries.length === 0
      ? value
      : { kind: "sequence", first: [value], last: integerOf(0n, U64, value.place), type: U64, place: value.place };
  });
}

/**
 * Checks a full expression: what it owns in the end, and nobody took, is dropped after it, the last first. Its value may
 * not refer to that.
 */
export function fullExpression(body: Body, check: () => Expression): Expression {
  const outer = body.temporaries;
  body.temporaries = [];
  const value = check();
  const temporaries = body.temporaries;
  body.temporaries = outer;
  if (temporaries.length === 0 || value.type.kind === "never") {
    return value;
  }
  const { type, place } = value;
  const from = lenders(body, value);
  if (type.kind !== "void" && temporaries.some((local) => from.has(local))) {
    body.report(
      "KT1068",
      place,
      "this borrows from an object that is dropped at the end of the statement",
      "keep the object first, `const object = …;`, or give it away as `Owned<C>`",
    );
  }
  // Some of them may stand in a branch that is not taken.
  const zeros = temporaries.map((local) => assign(localTarget(local, place), zeroOf(local.type, value)));
  const drops = [...temporaries].reverse().map((local) => dropValue(body.compilation, readLocal(local, place)));
  if (type.kind === "void") {
    return {
      kind: "sequence",
      first: [...zeros, value, ...drops.slice(0, -1)],
      last: drops.at(-1)!,
      type: VOID,
      place,
    };
  }
  const kept = body.temporary("value", type, place);
  return sequence([...zeros, assign(localTarget(kept, place), value), ...drops], readLocal(kept, place));
}
