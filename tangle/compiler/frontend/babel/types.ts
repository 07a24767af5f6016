/** Babel's type annotations to type nodes. */
import type * as babel from "@babel/types";
import type { TypeNode, TypeParameterNode } from "../syntax.ts";
import type { Conversion } from "./conversion.ts";

/** The type in `: T`, or null where none is written. */
export function convertAnnotation(c: Conversion, annotation: babel.Node | null | undefined): TypeNode | null {
  if (annotation === null || annotation === undefined || annotation.type === "Noop") {
    return null;
  }
  return annotation.type === "TSTypeAnnotation" ? convertType(c, annotation.typeAnnotation) : c.reject(annotation);
}

export function convertType(c: Conversion, node: babel.TSType): TypeNode {
  const place = c.place(node);
  switch (node.type) {
    case "TSTypeReference":
      if (node.typeName.type !== "Identifier") {
        c.report("KT1011", node, "qualified type name", "import the type by name");
        return { kind: "error", place };
      }
      return { kind: "name", name: node.typeName.name, arguments: convertTypeArguments(c, node.typeParameters), place };
    case "TSVoidKeyword":
      return { kind: "name", name: "void", arguments: [], place };
    case "TSNeverKeyword":
      return { kind: "name", name: "never", arguments: [], place };
    case "TSStringKeyword":
      return { kind: "name", name: "string", arguments: [], place };
    case "TSParenthesizedType":
      return convertType(c, node.typeAnnotation);
    case "TSUnionType":
      return convertUnion(c, node);
    case "TSNullKeyword":
      c.report("KT1011", node, "`null` alone is not a type", "write `Pointer<T> | null`");
      return { kind: "error", place };
    case "TSFunctionType":
      return convertFunctionType(c, node);
    case "TSLiteralType":
      if (node.literal.type === "NumericLiteral" && /^[0-9_]+$|^0[xbo]/i.test(String(node.literal.extra?.raw))) {
        return { kind: "number", value: BigInt(String(node.literal.extra?.raw).replaceAll("_", "")), place };
      }
      c.report("KT1011", node, "a literal is not a type here", "use an enum");
      return { kind: "error", place };
    case "TSTypeQuery":
      if (node.exprName.type === "Identifier" && !node.typeParameters) {
        return { kind: "typeof", name: node.exprName.name, place };
      }
      c.report("KT1011", node, "`typeof` of this form", "name the type");
      return { kind: "error", place };
    default:
      return c.reject(node);
  }
}

function convertUnion(c: Conversion, node: babel.TSUnionType): TypeNode {
  const others = node.types.filter((member) => member.type !== "TSNullKeyword");
  const [only] = others;
  if (only === undefined || others.length > 1 || others.length === node.types.length) {
    c.report("KT1011", node, "a union of types has no layout", "only `T | null` is a union; use an enum and a class");
    return { kind: "error", place: c.place(node) };
  }
  return { kind: "nullable", of: convertType(c, only), place: c.place(node) };
}

function convertFunctionType(c: Conversion, node: babel.TSFunctionType): TypeNode {
  return { kind: "function", ...convertSignature(c, node), place: c.place(node) };
}

/** Parameters and result of a function's type, or of a method in an interface. */
export function convertSignature(
  c: Conversion,
  node: babel.TSFunctionType | babel.TSMethodSignature,
): { readonly parameters: readonly TypeNode[]; readonly result: TypeNode } {
  if (node.typeParameters) {
    c.report("KT1045", node.typeParameters, "neither a function value nor a method of an interface can be generic");
  }
  const parameters = node.parameters.map((parameter): TypeNode => {
    if (parameter.type !== "Identifier") {
      return c.reject(parameter);
    }
    if (parameter.optional) {
      c.report("KT1023", parameter, "optional parameter");
    }
    const type = convertAnnotation(c, parameter.typeAnnotation);
    if (type === null) {
      c.report("KT1046", parameter, `parameter \`${parameter.name}\` says no type`);
      return { kind: "error", place: c.place(parameter) };
    }
    return type;
  });
  let result = convertAnnotation(c, node.typeAnnotation);
  if (result === null) {
    c.report("KT1046", node, "the type of the result is missing");
    result = { kind: "error", place: c.place(node) };
  }
  return { parameters, result };
}

export function convertTypeArguments(c: Conversion, node: babel.Node | null | undefined): readonly TypeNode[] {
  return node?.type === "TSTypeParameterInstantiation" ? node.params.map((type) => convertType(c, type)) : [];
}

export function convertTypeParameters(
  c: Conversion,
  node: babel.Node | null | undefined,
): readonly TypeParameterNode[] {
  if (node?.type !== "TSTypeParameterDeclaration") {
    return [];
  }
  return node.params.map((parameter) => {
    // `T extends number` keeps tsc quiet about arithmetic on T; each instance is checked with its own type anyway.
    const constraint =
      parameter.constraint && parameter.constraint.type !== "TSNumberKeyword"
        ? convertType(c, parameter.constraint)
        : null;
    if (parameter.default) {
      c.report("KT1045", parameter.default, "a type parameter has no default", "write the type argument at each use");
    }
    if (parameter.const || parameter.in || parameter.out) {
      c.report("KT1045", parameter, "modifier on a type parameter", "drop it");
    }
    return { name: parameter.name, constraint, place: c.place(parameter) };
  });
}
