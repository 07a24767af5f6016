/**
 * What a closure uses of the function around it. A closure is a function with more parameters: the value of each variable
 * that never changes, a pointer to each that does. Calls that know the closure pass them along.
 */
import type { Place } from "../../place.ts";
import { isAggregate } from "../layout.ts";
import type { Expression, Local } from "../tree.ts";
import { type Access, readAccess, targetAccess, valueAccess } from "./access.ts";
import { type Body, errorExpression } from "./body.ts";
import { localTarget, read, readLocal, reinterpret } from "./nodes.ts";
import { checkUsable } from "./ownership.ts";
import { pointerTo } from "./types.ts";

interface Capture {
  /** The closure's own parameter. */
  readonly parameter: Local;
  readonly byPointer: boolean;
}

/** How a closure reaches variables of the functions around it. */
export interface Captures {
  readonly outer: Body;
  /** Whether the closure may outlive the call that makes it. */
  readonly escapes: boolean;
  /** A variable of a function around the closure, from inside; null where no chain of closures leads there. */
  access(inner: Body, local: Local, owner: Body, place: Place): Access | null;
  /** A value that never changes while the closure lives, such as `this` or another closure's parameter. */
  value(inner: Body, local: Local, outside: Expression, place: Place): Expression;
}

/** Those of a closure that is passed to an inlined function. */
export class PassedCaptures implements Captures {
  readonly escapes = false;
  /** The parameters behind the closure's own ones, and what the function around it passes for them. */
  readonly parameters: Local[] = [];
  readonly values: Expression[] = [];
  private readonly known = new Map<Local, Capture>();

  constructor(readonly outer: Body) {}

  access(inner: Body, local: Local, owner: Body, place: Place): Access | null {
    let capture = this.known.get(local);
    if (capture === undefined) {
      const outside = this.outside(local, owner, place);
      if (outside === null) {
        return null;
      }
      if (outside === "changes") {
        inner.report(
          "KT1013",
          place,
          `\`${local.name}\` refers to different objects in turn, and cannot be captured`,
          "copy the reference into a `const` first",
        );
        return valueAccess(errorExpression(place));
      }
      capture = this.add(inner, local, outside, owner, place);
    }
    const { parameter, byPointer } = capture;
    if (!byPointer) {
      return targetAccess(localTarget(parameter, place), `\`${local.name}\` is a constant`);
    }
    const pointer = readLocal(parameter, place);
    return targetAccess({ kind: "pointee", pointer, type: local.type, place });
  }

  value(inner: Body, local: Local, outside: Expression, place: Place): Expression {
    const known = this.known.get(local);
    if (known !== undefined) {
      return readLocal(known.parameter, place);
    }
    const { parameter } = this.addParameter(inner, local, outside, false);
    return readLocal(parameter, place);
  }

  private add(inner: Body, local: Local, outside: Access, owner: Body, place: Place): Capture {
    if (outside.target === null) {
      return this.addParameter(inner, local, outside.value, false);
    }
    const { target } = outside;
    if (target.kind === "pointee") {
      return this.addParameter(inner, local, target.pointer, true);
    }
    if (isFixed(local, owner)) {
      return this.addParameter(inner, local, readAccess(outside), false);
    }
    (local as { storage: Local["storage"] }).storage = "frame";
    return this.addParameter(inner, local, { kind: "addressOf", target, type: pointerTo(local.type), place }, true);
  }

  private addParameter(inner: Body, local: Local, value: Expression, byPointer: boolean): Capture {
    const { name, place } = local;
    const parameter: Local = { name, type: value.type, storage: "register", mutable: false, place };
    this.parameters.push(parameter);
    this.values.push(value);
    const capture = { parameter, byPointer };
    this.known.set(local, capture);
    const inFrame = local.storage === "frame" && isAggregate(local.type);
    if (inFrame || this.outer.owners.has(local) || this.outer.borrows.has(local)) {
      inner.borrows.set(parameter, new Set([local]));
    }
    return capture;
  }

  /** The variable as the function around the closure sees it. */
  private outside(local: Local, owner: Body, place: Place): Access | "changes" | null {
    if (owner !== this.outer) {
      return this.outer.captures?.access(this.outer, local, owner, place) ?? null;
    }
    if (!isFixed(local, owner) && isAggregate(local.type)) {
      return "changes";
    }
    checkUsable(owner, local, place);
    const value = read(localTarget(local, place));
    const narrowed = local.type.kind === "nullable" && isFixed(local, owner) && owner.flow.nonNull.has(local);
    return narrowed && local.type.kind === "nullable"
      ? valueAccess(reinterpret(value, local.type.of))
      : targetAccess(localTarget(local, place));
  }
}

/** Whether a variable has one value from its declaration on; what lies in the frame as a whole has one address. */
export function isFixed(local: Local, owner: Body): boolean {
  return !local.mutable || (local.storage === "frame" && isAggregate(local.type)) || !owner.assigns(local.name);
}
