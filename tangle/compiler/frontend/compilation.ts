/** The state of one run of the front end, shared by all that check. */
import type { Place } from "../../place.ts";
import type { ClassType, Global, InterfaceType, Function as TreeFunction } from "../tree.ts";
import type { Heap } from "./allocation.ts";
import type { Embedding } from "./await.ts";
import type { CallNode } from "./calls.ts";
import type { Async } from "./coroutines.ts";
import type { Reporter } from "./diagnostics.ts";
import type { ClassInfo, FunctionEntity, ModuleScope, Scope } from "./entities.ts";

export class Compilation {
  readonly modules = new Map<string, ModuleScope>();
  /** Every class with its type arguments; the key is the type in the tree. */
  readonly classes = new Map<ClassType, ClassInfo>();
  /** Functions whose bodies wait to be checked. */
  readonly pending: (() => void)[] = [];
  readonly panicHandlers: { readonly entity: FunctionEntity; readonly module: ModuleScope; readonly place: Place }[] =
    [];
  /** The modules of the program in the order in which they start. */
  started: readonly ModuleScope[] = [];
  /** The table behind `collectTests()`, once something calls it. */
  testTable: Global | null = null;
  /** How often each inlined function has been compiled for closures. */
  readonly closureCopies = new Map<FunctionEntity, number>();
  /** Functions whose result is being found from their expression. */
  readonly inferring = new Set<TreeFunction>();
  /** Async functions by what their names stand for: the functions that give promises. */
  readonly coroutines = new Map<TreeFunction, Async>();
  /** Awaited calls, in the order of their checking. */
  readonly embeddings: Embedding[] = [];
  /** `globalAllocator(…)` of each module that has one. */
  readonly allocators: { readonly node: CallNode; readonly module: ModuleScope }[] = [];
  /** The functions behind `new`, once something allocates; they call the kernel's allocator. */
  heap: Heap | null = null;
  /** What keeps plain functions where owners of functions are wanted. */
  readonly adapters = new Map<InterfaceType, { readonly info: ClassInfo; readonly code: TreeFunction }>();
  /** What compares strings, once something does. */
  sameText: TreeFunction | null = null;
  private readonly symbols = new Map<string, number>();

  constructor(
    readonly reporter: Reporter,
    /** The scope of the names that the language itself has. */
    readonly language: Scope,
    /** The chapter that the sources belong to. */
    readonly chapter: number,
  ) {}

  /** The symbol, with a number behind it where it is taken. */
  uniqueSymbol(symbol: string): string {
    const uses = this.symbols.get(symbol) ?? 0;
    this.symbols.set(symbol, uses + 1);
    return uses === 0 ? symbol : `${symbol}.${uses + 1}`;
  }

  /** Checks what waits; checking may add more. */
  drain(): void {
    for (let next = this.pending.shift(); next !== undefined; next = this.pending.shift()) {
      next();
    }
  }
}

/** A function whose parts are still being filled in. */
export type OpenFunction = { -readonly [K in keyof TreeFunction]: TreeFunction[K] };
