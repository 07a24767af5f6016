/** What is known at a point of a function: whether it is reached, and which nullable locals are not null there. */
import type { Place } from "../../place.ts";
import type { Local } from "../tree.ts";

export interface Flow {
  readonly reachable: boolean;
  readonly nonNull: ReadonlySet<Local>;
}

export const START: Flow = { reachable: true, nonNull: new Set() };

export function unreachable(flow: Flow): Flow {
  return { reachable: false, nonNull: flow.nonNull };
}

/** What holds where several ways meet. */
export function merge(first: Flow, ...others: readonly Flow[]): Flow {
  return others.reduce((a, b) => {
    if (!a.reachable) {
      return b;
    }
    return b.reachable
      ? { reachable: true, nonNull: new Set([...a.nonNull].filter((local) => b.nonNull.has(local))) }
      : a;
  }, first);
}

export function withNonNull(flow: Flow, local: Local): Flow {
  return { reachable: flow.reachable, nonNull: new Set([...flow.nonNull, local]) };
}

export function withMaybeNull(flow: Flow, local: Local): Flow {
  return { reachable: flow.reachable, nonNull: new Set([...flow.nonNull].filter((other) => other !== local)) };
}

/** Forgets what later rounds of a loop may change: everything about locals of these names. */
export function forget(flow: Flow, names: ReadonlySet<string>): Flow {
  return { reachable: flow.reachable, nonNull: new Set([...flow.nonNull].filter((local) => !names.has(local.name))) };
}

/** The names that are assigned anywhere inside a part of the syntax tree. */
export function assignedNames(...parts: readonly unknown[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      part.forEach(visit);
    } else if (typeof part === "object" && part !== null && !isPlace(part)) {
      const { kind, target } = part as { kind?: unknown; target?: { kind?: unknown; name?: unknown } };
      if ((kind === "assign" || kind === "update") && target?.kind === "name") {
        names.add(String(target.name));
      }
      Object.values(part).forEach(visit);
    }
  };
  parts.forEach(visit);
  return names;
}

function isPlace(part: object): part is Place {
  return "line" in part && "column" in part;
}
