/** Babel's modules and their declarations to the syntax tree. */
import type * as babel from "@babel/types";
import type { AliasNode, EnumNode, ExportClause, ImportDeclaration, Item, SourceModule } from "../syntax.ts";
import { convertClass } from "./classes.ts";
import type { Conversion } from "./conversion.ts";
import { convertExpression } from "./expressions.ts";
import { convertFunctionDeclaration } from "./functions.ts";
import { convertInterface } from "./interfaces.ts";
import { convertVariables, reportDirectives, reportUsing } from "./statements.ts";
import { convertType, convertTypeParameters } from "./types.ts";

export function convertModule(c: Conversion, program: babel.Program): SourceModule {
  const imports: ImportDeclaration[] = [];
  const exports: ExportClause[] = [];
  const items: Item[] = [];
  reportDirectives(c, program.directives);
  if (program.interpreter) {
    c.report("KT1028", program.interpreter, "`#!` line", "drop it: nothing interprets a kernel");
  }
  for (const statement of program.body) {
    switch (statement.type) {
      case "ImportDeclaration":
        imports.push(convertImport(c, statement));
        break;
      case "ExportNamedDeclaration":
        if (statement.declaration) {
          items.push(...convertItem(c, statement.declaration, true));
        } else {
          exports.push(convertExport(c, statement));
        }
        break;
      default:
        items.push(...convertItem(c, statement, false));
    }
  }
  return { path: c.path, imports, exports, items };
}

function convertItem(c: Conversion, node: babel.Statement, exported: boolean): Item[] {
  const place = c.place(node);
  switch (node.type) {
    case "VariableDeclaration":
      reportUsing(c, node);
      return [{ kind: "variables", variables: convertVariables(c, node), exported, place }];
    case "FunctionDeclaration":
      return [{ kind: "function", function: convertFunctionDeclaration(c, node), exported, place }];
    case "ClassDeclaration":
      return [{ kind: "class", class: convertClass(c, node), exported, place }];
    case "TSEnumDeclaration":
      return [{ kind: "enum", enum: convertEnum(c, node), exported, place }];
    case "TSInterfaceDeclaration":
      return [{ kind: "interface", interface: convertInterface(c, node), exported, place }];
    case "TSTypeAliasDeclaration":
      return [{ kind: "alias", alias: convertAlias(c, node), exported, place }];
    case "ExpressionStatement":
      return [{ kind: "expression", expression: convertExpression(c, node.expression), exported, place }];
    case "EmptyStatement":
      return [];
    case "IfStatement":
    case "WhileStatement":
    case "DoWhileStatement":
    case "ForStatement":
    case "ForOfStatement":
    case "SwitchStatement":
    case "BlockStatement":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "ReturnStatement":
      c.report("KT1054", node);
      return [];
    default:
      c.reject(node);
      return [];
  }
}

function convertImport(c: Conversion, node: babel.ImportDeclaration): ImportDeclaration {
  if (node.attributes?.length || node.phase || node.module || node.importKind === "typeof") {
    c.report("KT1006", node, "import with attributes or a phase");
  }
  let namespace: string | null = null;
  const names = node.specifiers.flatMap((specifier) => {
    switch (specifier.type) {
      case "ImportSpecifier":
        return [{ imported: nameOf(specifier.imported), local: specifier.local.name, place: c.place(specifier) }];
      case "ImportNamespaceSpecifier":
        namespace = specifier.local.name;
        return [];
      default:
        c.reject(specifier);
        return [];
    }
  });
  return { from: node.source.value, names, namespace, place: c.place(node) };
}

function convertExport(c: Conversion, node: babel.ExportNamedDeclaration): ExportClause {
  if (node.attributes?.length) {
    c.report("KT1006", node, "export with attributes");
  }
  const names = node.specifiers.flatMap((specifier) => {
    if (specifier.type !== "ExportSpecifier") {
      c.reject(specifier);
      return [];
    }
    return [{ local: nameOf(specifier.local), exported: nameOf(specifier.exported), place: c.place(specifier) }];
  });
  return { from: node.source?.value ?? null, names, place: c.place(node) };
}

function nameOf(node: babel.Identifier | babel.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

function convertEnum(c: Conversion, node: babel.TSEnumDeclaration): EnumNode {
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  if (node.const) {
    c.report("KT1048", node, "every enum is constant", "drop `const`");
  }
  const members = node.members.map((member) => ({
    name: nameOf(member.id),
    initial: member.initializer ? convertExpression(c, member.initializer) : null,
    place: c.place(member),
  }));
  return { name: node.id.name, members, place: c.place(node) };
}

function convertAlias(c: Conversion, node: babel.TSTypeAliasDeclaration): AliasNode {
  if (node.declare) {
    c.report("KT1025", node, "`declare`");
  }
  if (convertTypeParameters(c, node.typeParameters).length > 0) {
    c.report("KT1045", node, "a type alias is not generic", "write the type out, or declare a generic class");
  }
  return { name: node.id.name, type: convertType(c, node.typeAnnotation), place: c.place(node) };
}
