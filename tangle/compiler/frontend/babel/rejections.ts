/** Babel's node types that kernel TypeScript lacks as a whole, each with the rule that says so. */
import type * as babel from "@babel/types";
import type { RuleCode } from "../diagnostics.ts";

export interface Rejection {
  readonly code: RuleCode;
  readonly message: string;
  readonly hint?: string;
}

function rejection(code: RuleCode, message: string, hint?: string): Rejection {
  return hint === undefined ? { code, message } : { code, message, hint };
}

const sizeless = (name: string, hint?: string): Rejection =>
  rejection("KT1010", `\`${name}\` does not say how many bytes a value has`, hint);
const typeForm = (what: string): Rejection => rejection("KT1011", `${what} is not a type of this language`);

export const REJECTED_NODES: Readonly<Partial<Record<babel.Node["type"], Rejection>>> = {
  // Expressions
  ArrayPattern: rejection("KT1012", "destructuring", "read the elements one by one: `const a = pair[0]`"),
  ObjectPattern: rejection("KT1012", "destructuring", "read the fields one by one: `const x = point.x`"),
  ObjectExpression: rejection("KT1012", "object literal"),
  SpreadElement: rejection("KT1012", "spread", "pass a slice"),
  RestElement: rejection("KT1012", "rest parameter", "take a slice: `values: Slice<u8>`"),
  TSAsExpression: rejection("KT1007", "`as` does not convert"),
  TSTypeAssertion: rejection("KT1007", "`<T>x` does not convert"),
  TSSatisfiesExpression: rejection(
    "KT1007",
    "`satisfies` has nothing to check here",
    "declare the type: `const x: T = …`",
  ),
  TSNonNullExpression: rejection("KT1007", "`!` does not make a value non-null", "test it: `if (p === null) { … }`"),
  YieldExpression: rejection("KT1016", "`yield`"),
  ClassExpression: rejection("KT1056", "class as an expression", "declare the class at the top of the module"),
  OptionalMemberExpression: rejection("KT1023", "optional chaining", "test for null first: `if (p !== null) { … }`"),
  OptionalCallExpression: rejection("KT1023", "optional call", "test for null first: `if (f !== null) { f(); }`"),
  RegExpLiteral: rejection("KT1024", "regular expression", "compare bytes: `text.byteAt(i)`"),
  BigIntLiteral: rejection("KT1024", "BigInt literal", "drop the `n`: literals are exact in 64 bits"),
  DecimalLiteral: rejection("KT1024", "decimal literal"),
  MetaProperty: rejection("KT1029", "`new.target` and `import.meta` ask the engine"),
  Import: rejection("KT1029", "import at run time", 'import at the top: `import { f } from "./module"`'),
  ImportExpression: rejection("KT1029", "import at run time", 'import at the top: `import { f } from "./module"`'),
  Super: rejection("KT1021", "`super`: there is no inheritance"),
  PrivateName: rejection("KT1027", "name with `#`", "write `private name`"),
  // Statements
  TryStatement: rejection("KT1014", "`try`"),
  ThrowStatement: rejection("KT1014", "`throw`", "call `panic(…)`"),
  ForInStatement: rejection(
    "KT1028",
    "`for … in`",
    "use `for (const x of array)` or count: `for (let i: usize = 0; …)`",
  ),
  WithStatement: rejection("KT1028", "`with`"),
  DebuggerStatement: rejection("KT1028", "`debugger`", "call `breakpoint()`"),
  // Declarations
  TSModuleDeclaration: rejection("KT1025", "namespace"),
  TSDeclareFunction: rejection("KT1025", "function without a body", "write one function for each signature"),
  TSDeclareMethod: rejection("KT1025", "method without a body", "write one method for each signature"),
  TSNamespaceExportDeclaration: rejection("KT1006", "`export as namespace`"),
  TSExportAssignment: rejection("KT1006", "`export =`"),
  TSImportEqualsDeclaration: rejection("KT1006", "`import … = `"),
  ExportDefaultDeclaration: rejection("KT1006", "default export", "export it by name"),
  ExportAllDeclaration: rejection("KT1006", "`export *`", 'name what is exported: `export { a, b } from "./module"`'),
  ExportNamespaceSpecifier: rejection("KT1006", "`export * as`"),
  ExportDefaultSpecifier: rejection("KT1006", "default export", "export it by name"),
  ImportDefaultSpecifier: rejection("KT1006", "default import", 'write `import { name } from "./module"`'),
  // Class members
  ClassPrivateProperty: rejection("KT1027", "field with `#`", "write `private name`"),
  ClassPrivateMethod: rejection("KT1027", "method with `#`", "write `private name`"),
  ClassAccessorProperty: rejection("KT1020", "`accessor` field", "declare a plain field"),
  StaticBlock: rejection("KT1020", "static block", "initialise static fields where they are declared"),
  TSIndexSignature: rejection("KT1020", "index signature", "use a `FixedArray` field"),
  TSParameterProperty: rejection(
    "KT1020",
    "field declared by a parameter",
    "declare the field and assign it in the constructor",
  ),
  // Types
  TSAnyKeyword: sizeless("any"),
  TSUnknownKeyword: sizeless("unknown"),
  TSNumberKeyword: sizeless("number", "say the width: `u8` … `u64`, `i8` … `i64`, `usize`"),
  TSBigIntKeyword: sizeless("bigint", "use `u64` or `i64`"),
  TSBooleanKeyword: rejection("KT1010", "the type of truth values is written `bool`", "write `bool`"),
  TSObjectKeyword: sizeless("object"),
  TSSymbolKeyword: sizeless("symbol"),
  TSUndefinedKeyword: rejection("KT1023", "there is no `undefined`"),
  TSIntrinsicKeyword: typeForm("`intrinsic`"),
  TSArrayType: rejection(
    "KT1011",
    "an array type says its length",
    "write `FixedArray<T, N>`, or `Slice<T>` where the length varies",
  ),
  TSTupleType: typeForm("a tuple"),
  TSNamedTupleMember: typeForm("a tuple"),
  TSOptionalType: typeForm("an optional element"),
  TSRestType: typeForm("a rest element"),
  TSIntersectionType: typeForm("an intersection"),
  TSConditionalType: typeForm("a conditional type"),
  TSInferType: typeForm("`infer`"),
  TSTypeOperator: typeForm("a type operator"),
  TSIndexedAccessType: typeForm("an indexed type"),
  TSMappedType: typeForm("a mapped type"),
  TSTemplateLiteralType: typeForm("a template literal type"),
  TSTypeLiteral: rejection("KT1011", "an object type has no layout", "declare a class"),
  TSTypePredicate: rejection("KT1011", "a type predicate", "return `bool`"),
  TSThisType: rejection("KT1011", "the type `this`", "name the class"),
  TSImportType: rejection("KT1011", "an import inside a type", "import the name at the top of the module"),
  TSConstructorType: typeForm("the type of a constructor"),
  TSExpressionWithTypeArguments: typeForm("this form"),
};
