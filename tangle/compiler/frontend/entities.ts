/** What names stand for, and the scopes that hold them. */
import type { Place } from "../../place.ts";
import type {
  ClassType,
  EnumType,
  FunctionType,
  Global,
  InterfaceType,
  Local,
  Statement,
  Function as TreeFunction,
  Type,
} from "../tree.ts";
import type { Body } from "./body.ts";
import type { Builtin } from "./builtins.ts";
import type {
  AliasNode,
  ClassNode,
  EnumNode,
  ExpressionNode,
  FieldNode,
  FunctionNode,
  InterfaceNode,
  TypeNode,
  TypeParameterNode,
} from "./syntax.ts";
import type { KernelTest } from "./tests.ts";

/** A type argument: a type, or the length of a fixed array. */
export type TypeArgument = Type | { readonly kind: "length"; readonly value: number };

export type Entity =
  | FunctionEntity
  | GlobalEntity
  | ClassEntity
  | EnumEntity
  | InterfaceEntity
  | AliasEntity
  | { readonly kind: "namespace"; readonly module: ModuleScope; readonly place: Place }
  | { readonly kind: "typeArgument"; readonly argument: TypeArgument }
  | { readonly kind: "local"; readonly local: Local; readonly owner: Body }
  /** A parameter that stands for a closure, in a function compiled for it; `parameters` are the closure's further ones. */
  | {
      readonly kind: "closure";
      readonly target: TreeFunction;
      readonly parameters: readonly Local[];
      readonly type: FunctionType;
      readonly owner: Body;
    }
  /** An import that is in error; its uses are not reported again. */
  | { readonly kind: "missing" }
  | { readonly kind: "builtin"; readonly builtin: Builtin }
  | { readonly kind: "builtinType"; readonly type: Type }
  /** `Pointer`, `Slice` … with type arguments. */
  | { readonly kind: "typeConstructor"; readonly name: TypeConstructorName };

export type TypeConstructorName =
  | "FixedArray"
  | "Slice"
  | "Pointer"
  | "Volatile"
  | "Atomic"
  | "Owned"
  | "Borrowed"
  | "Promise";

/** A function, method or constructor; compiled once for each list of type arguments. */
export interface FunctionEntity {
  readonly kind: "function";
  readonly node: FunctionNode;
  /** Symbol without type arguments. */
  readonly symbol: string;
  /** The scope that its declaration stands in. */
  readonly scope: Scope;
  /** The class whose private members are seen. */
  readonly owner: ClassEntity | null;
  /** The type of `this`, for methods. */
  readonly receiver: ClassType | null;
  readonly convention: TreeFunction["convention"];
  readonly inline: TreeFunction["inline"];
  readonly instances: Map<string, FunctionInstance>;
  /** The type that the context wants, for arrows whose parameters say none. */
  readonly context: { readonly parameters: readonly Type[]; readonly result: Type } | null;
  readonly private: boolean;
}

export interface FunctionInstance {
  readonly entity: FunctionEntity;
  readonly function: TreeFunction;
  /** The scope with the type arguments bound. */
  readonly scope: Scope;
}

/** A module-level variable or static field. Its type and initial value are found when first asked for. */
export interface GlobalEntity {
  readonly kind: "global";
  readonly symbol: string;
  readonly type: TypeNode | null;
  readonly initial: ExpressionNode | null;
  readonly mutable: boolean;
  readonly scope: Scope;
  /** The class of a static field, else null. */
  readonly owner: ClassEntity | null;
  readonly private: boolean;
  readonly place: Place;
  state: "new" | "busy" | "done";
  /** Once done: the variable, or null where its type is in error. */
  global: CheckedGlobal | null;
}

/** `initial` is filled in after folding. */
export interface CheckedGlobal {
  readonly global: Global & { initial: Global["initial"] };
  /** The function that computes the initial value. */
  readonly initializer: TreeFunction & { body: readonly Statement[] };
}

export interface ClassEntity {
  readonly kind: "class";
  readonly node: ClassNode;
  readonly symbol: string;
  readonly scope: Scope;
  readonly instances: Map<string, ClassInfo>;
  /** Static fields and methods. */
  readonly statics: Map<string, FunctionEntity | GlobalEntity>;
}

/** One class with its type arguments. */
export interface ClassInfo {
  readonly entity: ClassEntity;
  readonly type: ClassType;
  readonly arguments: readonly TypeArgument[];
  readonly scope: Scope;
  readonly members: Map<string, FieldNode>;
  readonly methods: Map<string, FunctionEntity>;
  state: "new" | "busy" | "done";
  constructor_: TreeFunction | null;
  /** Whether fields have something to drop, once that has been asked. */
  fieldsNeedDrop: boolean | null;
  /** What drops an object in place, and what also frees its memory, once something needs them. */
  drop: TreeFunction | null;
  release: TreeFunction | null;
  /** The tables of its methods, one for each interface that a value has been made of. */
  readonly tables: Map<InterfaceType, Global>;
  /** The same for values that own their object: with `release` behind the methods. */
  readonly owningTables: Map<InterfaceType, Global>;
}

export interface EnumEntity {
  readonly kind: "enum";
  readonly node: EnumNode;
  readonly scope: Scope;
  state: "new" | "busy" | "done";
  type: EnumType | null;
}

export interface InterfaceEntity {
  readonly kind: "interface";
  readonly node: InterfaceNode;
  readonly scope: Scope;
  readonly instances: Map<string, InterfaceType>;
}

export interface AliasEntity {
  readonly kind: "alias";
  readonly node: AliasNode;
  readonly scope: Scope;
  state: "new" | "busy" | "done";
  type: Type | null;
}

/** Names of one block, function, module, or of the language itself. */
export class Scope {
  private readonly names = new Map<string, { readonly entity: Entity; readonly place: Place | null }>();
  constructor(
    readonly parent: Scope | null,
    /** The module around it, where there is one. */
    readonly module: ModuleScope | null,
  ) {}

  /** The place of an earlier declaration of the same name in this very scope, else null. */
  declare(name: string, entity: Entity, place: Place | null): Place | null {
    const earlier = this.names.get(name);
    if (earlier !== undefined) {
      return earlier.place;
    }
    this.names.set(name, { entity, place });
    return null;
  }

  own(name: string): Entity | null {
    return this.names.get(name)?.entity ?? null;
  }

  find(name: string): Entity | null {
    return this.own(name) ?? this.parent?.find(name) ?? null;
  }

  /** All names that can be seen from here, for suggestions. */
  visible(): string[] {
    return [...this.names.keys(), ...(this.parent?.visible() ?? [])];
  }
}

/** A scope in which the type parameters stand for these arguments. */
export function boundScope(
  parent: Scope,
  parameters: readonly TypeParameterNode[],
  args: readonly TypeArgument[],
): Scope {
  const scope = new Scope(parent, parent.module);
  parameters.forEach((parameter, index) => {
    scope.declare(parameter.name, { kind: "typeArgument", argument: args[index]! }, parameter.place);
  });
  return scope;
}

export class ModuleScope {
  readonly scope: Scope;
  /** Exported name → local name, or what another module exports. */
  readonly exports = new Map<string, { readonly local: string; readonly from: string | null; readonly place: Place }>();
  /** Local name → what it imports. */
  readonly imported = new Map<string, { readonly from: string; readonly name: string; readonly place: Place }>();
  readonly tests: KernelTest[] = [];
  /** Modules in the order of their imports. */
  readonly imports: string[] = [];
  /** Module-level variables and static fields in source order. */
  readonly globals: GlobalEntity[] = [];
  constructor(
    readonly path: string,
    language: Scope,
  ) {
    this.scope = new Scope(language, this);
  }

  /** `kernel/vga:name`. */
  symbol(name: string): string {
    return `${this.path.replace(/\.ts$/, "")}:${name}`;
  }
}
