/** The context in which statements and expressions of one function, or of one initial value, are checked. */
import type { Place } from "../../place.ts";
import type { Expression, Local, LoopLabel, Function as TreeFunction, Type } from "../tree.ts";
import type { Compilation } from "./compilation.ts";
import type { Reporter, RuleCode } from "./diagnostics.ts";
import { type ClassEntity, type Entity, Scope } from "./entities.ts";
import { type Flow, START, unreachable } from "./flow.ts";
import { ERROR } from "./types.ts";

/** What `break` and `continue` can name. */
export interface JumpTarget {
  readonly name: string | null;
  readonly label: LoopLabel;
  readonly kind: "loop" | "switch" | "block";
  /** How many objects were in use around it. */
  readonly depth: number;
  /** What is known at each jump. */
  readonly breaks: Flow[];
  readonly continues: Flow[];
}

/** An object that its block cleans up in the end. */
export interface Disposable {
  readonly local: Local;
  readonly dispose: TreeFunction;
}

export class Body {
  flow: Flow = START;
  readonly locals: Local[] = [];
  readonly jumps: JumpTarget[] = [];
  /** Objects declared with `using` in the blocks around, outermost first. */
  readonly disposables: Disposable[] = [];
  /** Locals that hold memory of this function's frame, directly or through a slice. */
  readonly frameMemory = new Set<Local>();
  private numbered = 0;

  constructor(
    readonly compilation: Compilation,
    /** Symbol of the function, the prefix of the symbols of functions within. */
    readonly symbol: string,
    public scope: Scope,
    /** The class whose private members are seen. */
    readonly owner: ClassEntity | null,
    public receiver: Local | null,
    /** What `return` gives; null while it is still inferred. */
    readonly result: Type,
    readonly inConstructor: boolean,
  ) {}

  get reporter(): Reporter {
    return this.compilation.reporter;
  }

  report(code: RuleCode, place: Place, message?: string, hint?: string): void {
    this.reporter.report(code, place, message, hint === undefined ? {} : { hint });
  }

  /** Reports, and gives the expression that stands for the mistake. */
  error(code: RuleCode, place: Place, message?: string, hint?: string): Expression {
    this.report(code, place, message, hint);
    return errorExpression(place);
  }

  /** Runs `check` in a scope of its own. */
  scoped<T>(check: () => T): T {
    const outer = this.scope;
    this.scope = new Scope(outer, outer.module);
    try {
      return check();
    } finally {
      this.scope = outer;
    }
  }

  declare(name: string, entity: Entity, place: Place): void {
    const earlier = this.scope.declare(name, entity, place);
    if (earlier !== null) {
      this.reporter.report("KT1003", place, `\`${name}\` is declared twice in this block`, {
        related: [{ place: earlier, message: "declared here first" }],
      });
    }
  }

  addLocal(local: Local): Local {
    this.locals.push(local);
    return local;
  }

  /** A local of the compiler's own; no program can name it. */
  temporary(name: string, type: Type, place: Place): Local {
    return this.addLocal({ name: `$${name}${this.numbered++}`, type, storage: "register", mutable: true, place });
  }

  /** What follows is never reached. */
  stop(): void {
    this.flow = unreachable(this.flow);
  }
}

export function errorExpression(place: Place): Expression {
  return { kind: "integer", value: 0n, type: ERROR, place };
}
