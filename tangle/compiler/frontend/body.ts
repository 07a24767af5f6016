/** The context in which statements and expressions of one function, or of one initial value, are checked. */
import type { Place } from "../../place.ts";
import type { Expression, Local, LoopLabel, Statement, Type } from "../tree.ts";
import type { Captures } from "./captures.ts";
import type { Compilation } from "./compilation.ts";
import type { Reporter, RuleCode } from "./diagnostics.ts";
import { type ClassEntity, type Entity, Scope } from "./entities.ts";
import { assignedNames, type Flow, mentionedNames, START, unreachable } from "./flow.ts";
import type { ExpressionNode, FunctionNode } from "./syntax.ts";
import { ERROR, VOID } from "./types.ts";

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
  /** What cleans it up. */
  readonly end: readonly Statement[];
}

export interface BodyOptions {
  /** Symbol of the function, the prefix of the symbols of functions within. */
  readonly symbol: string;
  readonly scope: Scope;
  /** The class whose private members are seen. */
  readonly owner?: ClassEntity | null;
  readonly receiver?: Local | null;
  /** What `return` gives. */
  readonly result?: Type;
  readonly inConstructor?: boolean;
  /** The function as it is written. */
  readonly source?: FunctionNode | null;
  /** How a closure reaches the variables around it. */
  readonly captures?: Captures | null;
  /** In the body of an async function: the local that holds who polls it. */
  readonly waker?: Local | null;
  /** Whether this is the initial value of a module-level variable. */
  readonly atModuleLevel?: boolean;
}

export class Body {
  flow: Flow = START;
  readonly locals: Local[] = [];
  readonly jumps: JumpTarget[] = [];
  /** Objects that the blocks around clean up, outermost first. */
  readonly disposables: Disposable[] = [];
  /** Locals that own what they hold, and may give it away. */
  readonly owners = new Set<Local>();
  /** What the expression being checked owns until it ends. */
  temporaries: Local[] = [];
  /** Locals that refer to memory which ends with this call or before, and the locals that hold or own that memory. */
  readonly borrows = new Map<Local, Set<Local>>();
  private numbered = 0;

  readonly symbol: string;
  scope: Scope;
  readonly owner: ClassEntity | null;
  receiver: Local | null;
  readonly result: Type;
  readonly inConstructor: boolean;
  readonly captures: Captures | null;
  readonly waker: Local | null;
  /** What the `await` being checked waits for: a call there needs no promise of its own. */
  awaited: ExpressionNode | null = null;
  /** Objects in use by `using` that must not be held while the function waits. */
  readonly guards = new Set<Local>();
  readonly atModuleLevel: boolean;
  /** Arguments of the call being checked that may be closures: its function is compiled anew for them. */
  readonly mayCapture = new Set<ExpressionNode>();
  private readonly source: FunctionNode | null;
  private assignedInSource: ReadonlySet<string> | null = null;
  private mentionedInSource: ReadonlySet<string> | null = null;

  constructor(
    readonly compilation: Compilation,
    options: BodyOptions,
  ) {
    this.symbol = options.symbol;
    this.scope = options.scope;
    this.owner = options.owner ?? null;
    this.receiver = options.receiver ?? null;
    this.result = options.result ?? VOID;
    this.inConstructor = options.inConstructor ?? false;
    this.captures = options.captures ?? null;
    this.waker = options.waker ?? null;
    this.atModuleLevel = options.atModuleLevel ?? false;
    this.source = options.source ?? null;
  }

  /** Whether a local of this name is assigned anywhere in the function, in closures too. */
  assigns(name: string): boolean {
    this.assignedInSource ??= assignedNames(this.source);
    return this.assignedInSource.has(name);
  }

  /** Whether the function speaks of this name anywhere, in functions within it too. */
  mentions(name: string): boolean {
    this.mentionedInSource ??= mentionedNames(this.source);
    return this.mentionedInSource.has(name);
  }

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
