/** What is known at a point of a function: whether it is reached, which nullable locals are not null, which are moved away. */
import type { Place } from "../../place.ts";
import type { Local } from "../tree.ts";

export interface Flow {
  readonly reachable: boolean;
  readonly nonNull: ReadonlySet<Local>;
  /** Fields and module-level variables that are not null, as `pathOf` writes them; good until the next call or store. */
  readonly paths: ReadonlySet<string>;
  /** Locals that cannot be used, on one way here at least: what they owned or borrowed was moved or dropped there. */
  readonly moved: ReadonlyMap<Local, Move>;
}

export interface Move {
  readonly place: Place;
  /** The local that owned it: itself, or the one that it borrowed from. */
  readonly owner: Local;
}

export const START: Flow = { reachable: true, nonNull: new Set(), paths: new Set(), moved: new Map() };

export function unreachable(flow: Flow): Flow {
  return { ...flow, reachable: false };
}

/** What holds where several ways meet. */
export function merge(first: Flow, ...others: readonly Flow[]): Flow {
  return others.reduce((a, b) => {
    if (!a.reachable) {
      return b;
    }
    return b.reachable
      ? {
          reachable: true,
          nonNull: common(a.nonNull, b.nonNull),
          paths: common(a.paths, b.paths),
          moved: b.moved.size === 0 ? a.moved : new Map([...a.moved, ...b.moved]),
        }
      : a;
  }, first);
}

function common<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  return a.size === 0 || a === b ? a : new Set([...a].filter((one) => b.has(one)));
}

export function withPath(flow: Flow, path: string): Flow {
  return { ...flow, paths: new Set([...flow.paths, path]) };
}

/** Code ran, or memory changed, that may have set any field to null, or any field of this name. */
export function forgetPaths(flow: Flow, field: string | null = null): Flow {
  if (flow.paths.size === 0) {
    return flow;
  }
  return { ...flow, paths: new Set([...flow.paths].filter((path) => field !== null && !names(path, field))) };
}

function names(path: string, field: string): boolean {
  return path.split(".").includes(field);
}

export function withNonNull(flow: Flow, local: Local): Flow {
  return { ...flow, nonNull: new Set([...flow.nonNull, local]) };
}

export function withMaybeNull(flow: Flow, local: Local): Flow {
  return { ...flow, nonNull: new Set([...flow.nonNull].filter((other) => other !== local)) };
}

/** The locals have lost what they stood for. */
export function withMoved(flow: Flow, locals: Iterable<Local>, move: Move): Flow {
  const moved = new Map(flow.moved);
  for (const local of locals) {
    moved.set(local, move);
  }
  return { ...flow, moved };
}

/** The local stands for something again. */
export function withValue(flow: Flow, local: Local): Flow {
  return flow.moved.has(local)
    ? { ...flow, moved: new Map([...flow.moved].filter(([other]) => other !== local)) }
    : flow;
}

/** Forgets what later rounds of a loop may change: everything about locals of these names. */
export function forget(flow: Flow, names: ReadonlySet<string>): Flow {
  const nonNull = new Set([...flow.nonNull].filter((local) => !names.has(local.name)));
  return { ...flow, nonNull, paths: new Set() };
}

/** The names that are assigned anywhere inside a part of the syntax tree. */
export function assignedNames(...parts: readonly unknown[]): ReadonlySet<string> {
  return namesIn(parts, (node) => {
    const { kind, target } = node;
    return (kind === "assign" || kind === "update") && target?.kind === "name" ? target.name : takenName(node);
  });
}

/** The names that are used anywhere inside a part of the syntax tree. */
export function mentionedNames(...parts: readonly unknown[]): ReadonlySet<string> {
  return namesIn(parts, ({ kind, name }) => (kind === "name" ? name : undefined));
}

interface AnyNode {
  readonly kind?: unknown;
  readonly name?: unknown;
  readonly target?: AnyNode;
  readonly callee?: AnyNode;
  readonly arguments?: readonly AnyNode[];
}

function namesIn(parts: readonly unknown[], pick: (node: AnyNode) => unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (part: unknown): void => {
    if (Array.isArray(part)) {
      part.forEach(visit);
    } else if (typeof part === "object" && part !== null && !isPlace(part)) {
      const name = pick(part);
      if (name !== undefined) {
        names.add(String(name));
      }
      Object.values(part).forEach(visit);
    }
  };
  parts.forEach(visit);
  return names;
}

/** The local in `take(local)` and `replace(local, …)`, which change it. */
function takenName({ kind, callee, arguments: args }: AnyNode): unknown {
  const changes = kind === "call" && callee?.kind === "name" && (callee.name === "take" || callee.name === "replace");
  return changes && args?.[0]?.kind === "name" ? args[0].name : undefined;
}

function isPlace(part: object): part is Place {
  return "line" in part && "column" in part;
}
