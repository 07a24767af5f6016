/**
 * The syntax tree of kernel TypeScript: what `parse.ts` makes of Babel's tree. It holds only what the language has;
 * everything else has been rejected with a diagnostic on the way and stands here as an `error` node.
 */
import type { Place } from "../../place.ts";

export interface SourceModule {
  /** `kernel/vga.ts` */
  readonly path: string;
  readonly imports: readonly ImportDeclaration[];
  readonly exports: readonly ExportClause[];
  readonly items: readonly Item[];
}

export interface ImportDeclaration {
  readonly from: string;
  readonly names: readonly { readonly imported: string; readonly local: string; readonly place: Place }[];
  /** `import * as vga from "./vga"`: the name, else null. */
  readonly namespace: string | null;
  readonly place: Place;
}

/** `export { a as b }`, with `from` where it re-exports. */
export interface ExportClause {
  readonly from: string | null;
  readonly names: readonly { readonly local: string; readonly exported: string; readonly place: Place }[];
  readonly place: Place;
}

/** What may stand at the top of a module. */
export type Item = (
  | { readonly kind: "variables"; readonly variables: VariablesNode }
  | { readonly kind: "function"; readonly function: FunctionNode }
  | { readonly kind: "class"; readonly class: ClassNode }
  | { readonly kind: "enum"; readonly enum: EnumNode }
  | { readonly kind: "interface"; readonly interface: InterfaceNode }
  | { readonly kind: "alias"; readonly alias: AliasNode }
  | { readonly kind: "expression"; readonly expression: ExpressionNode }
) & { readonly exported: boolean; readonly place: Place };

export interface VariablesNode {
  readonly mutable: boolean;
  /** Declared with `using`. */
  readonly disposed: boolean;
  readonly declarators: readonly DeclaratorNode[];
  readonly place: Place;
}
export interface DeclaratorNode {
  readonly name: string;
  readonly type: TypeNode | null;
  readonly initial: ExpressionNode | null;
  readonly place: Place;
}

export interface ParameterNode {
  readonly name: string;
  /** Null only where the context gives the type: arrows passed as arguments. */
  readonly type: TypeNode | null;
  readonly initial: ExpressionNode | null;
  readonly place: Place;
}
export interface TypeParameterNode {
  readonly name: string;
  /** The interface that its types implement; `extends number` says nothing here. */
  readonly constraint: TypeNode | null;
  readonly place: Place;
}
export interface FunctionNode {
  /** Null for arrows and nameless function expressions. */
  readonly name: string | null;
  readonly typeParameters: readonly TypeParameterNode[];
  readonly parameters: readonly ParameterNode[];
  readonly result: TypeNode | null;
  /** Statements, or the expression after `=>`. */
  readonly body: readonly StatementNode[] | ExpressionNode;
  readonly place: Place;
  /** The closing brace, where a missing `return` is reported. */
  readonly end: Place;
  readonly async: boolean;
}

export interface FieldNode {
  readonly name: string;
  readonly type: TypeNode | null;
  readonly initial: ExpressionNode | null;
  readonly static: boolean;
  readonly readonly: boolean;
  readonly private: boolean;
  /** The argument of `@offset(…)`. */
  readonly offset: ExpressionNode | null;
  readonly place: Place;
}
export interface MethodNode {
  readonly name: string;
  readonly static: boolean;
  readonly private: boolean;
  readonly function: FunctionNode;
  readonly place: Place;
}
export interface ClassNode {
  readonly name: string;
  readonly typeParameters: readonly TypeParameterNode[];
  readonly packed: boolean;
  /** The argument of `@size(…)`. */
  readonly size: ExpressionNode | null;
  readonly fields: readonly FieldNode[];
  readonly methods: readonly MethodNode[];
  readonly constructor_: FunctionNode | null;
  /** The interfaces after `implements`. */
  readonly contracts: readonly TypeNode[];
  readonly place: Place;
}
export interface InterfaceNode {
  readonly name: string;
  readonly typeParameters: readonly TypeParameterNode[];
  readonly methods: readonly {
    readonly name: string;
    readonly parameters: readonly TypeNode[];
    readonly result: TypeNode;
    readonly place: Place;
  }[];
  readonly place: Place;
}
export interface EnumNode {
  readonly name: string;
  readonly members: readonly {
    readonly name: string;
    readonly initial: ExpressionNode | null;
    readonly place: Place;
  }[];
  readonly place: Place;
}
export interface AliasNode {
  readonly name: string;
  readonly type: TypeNode;
  readonly place: Place;
}

export type TypeNode = { readonly place: Place } /** Also the keywords `void`, `never`, `string`. */ & (
  | { readonly kind: "name"; readonly name: string; readonly arguments: readonly TypeNode[] }
  | { readonly kind: "nullable"; readonly of: TypeNode }
  | { readonly kind: "function"; readonly parameters: readonly TypeNode[]; readonly result: TypeNode }
  /** The length of a fixed array. */
  | { readonly kind: "number"; readonly value: bigint }
  /** `typeof WIDTH`: the value of a constant, as the length of a fixed array. */
  | { readonly kind: "typeof"; readonly name: string }
  | { readonly kind: "error" }
);

export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>";
export type ComparisonOperator = "===" | "!==" | "<" | "<=" | ">" | ">=";

export type ExpressionNode = { readonly place: Place } & (
  | { readonly kind: "number"; readonly value: bigint; readonly text: string }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "null" | "this" | "error" }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "template"; readonly texts: readonly string[]; readonly values: readonly ExpressionNode[] }
  | { readonly kind: "asm"; readonly texts: readonly string[]; readonly values: readonly ExpressionNode[] }
  | { readonly kind: "array"; readonly elements: readonly ExpressionNode[] }
  | { readonly kind: "function"; readonly function: FunctionNode }
  | { readonly kind: "await"; readonly operand: ExpressionNode }
  | { readonly kind: "unary"; readonly operator: "-" | "~" | "!"; readonly operand: ExpressionNode }
  | {
      readonly kind: "update";
      readonly operator: "+" | "-";
      readonly prefix: boolean;
      readonly target: ExpressionNode;
    }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: ExpressionNode;
      readonly right: ExpressionNode;
    }
  | {
      readonly kind: "compare";
      readonly operator: ComparisonOperator;
      readonly left: ExpressionNode;
      readonly right: ExpressionNode;
    }
  | {
      readonly kind: "logical";
      readonly operator: "&&" | "||";
      readonly left: ExpressionNode;
      readonly right: ExpressionNode;
    }
  | {
      readonly kind: "assign";
      /** Null for a plain `=`. */
      readonly operator: BinaryOperator | null;
      readonly target: ExpressionNode;
      readonly value: ExpressionNode;
    }
  | {
      readonly kind: "conditional";
      readonly condition: ExpressionNode;
      readonly then: ExpressionNode;
      readonly otherwise: ExpressionNode;
    }
  | {
      readonly kind: "call";
      readonly callee: ExpressionNode;
      readonly typeArguments: readonly TypeNode[];
      readonly arguments: readonly ExpressionNode[];
    }
  | {
      readonly kind: "new";
      readonly class: string;
      readonly typeArguments: readonly TypeNode[];
      readonly arguments: readonly ExpressionNode[];
    }
  | { readonly kind: "member"; readonly object: ExpressionNode; readonly name: string; readonly namePlace: Place }
  | { readonly kind: "index"; readonly object: ExpressionNode; readonly index: ExpressionNode }
  | { readonly kind: "sequence"; readonly expressions: readonly ExpressionNode[] }
  /** `sort<u8>` as a value. */
  | { readonly kind: "instantiate"; readonly function: ExpressionNode; readonly typeArguments: readonly TypeNode[] }
);

export type StatementNode = { readonly place: Place } & (
  | { readonly kind: "expression"; readonly expression: ExpressionNode }
  | { readonly kind: "variables"; readonly variables: VariablesNode }
  | { readonly kind: "function"; readonly function: FunctionNode }
  | {
      readonly kind: "if";
      readonly condition: ExpressionNode;
      readonly then: StatementNode;
      readonly otherwise: StatementNode | null;
    }
  | { readonly kind: "while"; readonly condition: ExpressionNode; readonly body: StatementNode }
  | { readonly kind: "doWhile"; readonly condition: ExpressionNode; readonly body: StatementNode }
  | {
      readonly kind: "for";
      readonly initial: VariablesNode | ExpressionNode | null;
      readonly condition: ExpressionNode | null;
      readonly update: ExpressionNode | null;
      readonly body: StatementNode;
    }
  | {
      readonly kind: "forOf";
      readonly name: string;
      readonly mutable: boolean;
      readonly type: TypeNode | null;
      readonly iterable: ExpressionNode;
      readonly body: StatementNode;
    }
  | {
      readonly kind: "switch";
      readonly subject: ExpressionNode;
      readonly cases: readonly {
        /** Null for `default`. */
        readonly value: ExpressionNode | null;
        readonly body: readonly StatementNode[];
        readonly place: Place;
      }[];
    }
  | { readonly kind: "break" | "continue"; readonly label: string | null }
  | { readonly kind: "return"; readonly value: ExpressionNode | null }
  | { readonly kind: "block"; readonly body: readonly StatementNode[] }
  | { readonly kind: "labelled"; readonly label: string; readonly body: StatementNode }
  | { readonly kind: "empty" | "error" }
);
