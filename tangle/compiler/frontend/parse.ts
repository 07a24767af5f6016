/** Text to syntax tree. Babel's parser does the work; only this file and the folder `babel/` know of it. */
import { type ParseError, type ParserOptions, parse as parseWithBabel } from "@babel/parser";
import { Conversion } from "./babel/conversion.ts";
import { convertModule } from "./babel/declarations.ts";
import type { Reporter } from "./diagnostics.ts";
import type { SourceModule } from "./syntax.ts";

/** How the text is read; also for the test that goes through the whole grammar. */
export const PARSER_OPTIONS: ParserOptions = {
  sourceType: "module",
  errorRecovery: true,
  plugins: ["typescript", "decorators", "decoratorAutoAccessors", "explicitResourceManagement", "importAttributes"],
};

/** Mistakes in meaning that Babel reports in passing; our own rules say them with more to go by. */
const CHECKED_LATER: ReadonlySet<string> = new Set([
  "VarRedeclaration",
  "ParamDupe",
  "DuplicateExport",
  "ModuleExportUndefined",
  "IllegalBreakContinue",
  "LabelRedeclaration",
  "DeclarationMissingInitializer",
  "UnsupportedParameterDecorator",
  "AwaitNotInAsyncContext",
  "AwaitUsingNotInAsyncContext",
  "YieldNotInGeneratorFunction",
  "ConstructorIsAsync",
  "ConstructorIsGenerator",
  "StrictWith",
  "StrictDelete",
  "StrictFunction",
  "IllegalReturn",
  "UnexpectedNewTarget",
  "SuperNotAllowed",
  "UnexpectedSuper",
  "OverrideNotInSubClass",
  "NonAbstractClassHasAbstractMethod",
  "InvalidPrivateFieldResolution",
]);

/**
 * Parses one module. Syntax errors (KT1001) and all of TypeScript's grammar that the language lacks are reported; the
 * tree holds the rest. Null where there are syntax errors.
 */
export function parseModule(path: string, text: string, reporter: Reporter): SourceModule | null {
  const conversion = new Conversion(path, reporter);
  try {
    const file = parseWithBabel(text, PARSER_OPTIONS);
    const errors = (file.errors ?? []).filter((error) => !CHECKED_LATER.has(error.reasonCode));
    for (const error of errors) {
      reportSyntaxError(conversion, error, reporter);
    }
    // A tree that Babel patched up may have holes.
    return errors.length > 0 ? null : convertModule(conversion, file.program);
  } catch (error) {
    if (!isParseError(error)) {
      throw error;
    }
    reportSyntaxError(conversion, error, reporter);
    return null;
  }
}

type PositionedError = ParseError & {
  readonly loc: { readonly line: number; readonly column: number };
  readonly message: string;
};

function isParseError(error: unknown): error is PositionedError {
  return error instanceof SyntaxError && "loc" in error;
}

function reportSyntaxError(conversion: Conversion, error: ParseError, reporter: Reporter): void {
  const { loc, message } = error as PositionedError;
  // Babel appends "(line:column)", counted its own way.
  const text = message.replace(/ \(\d+:\d+\)$/, "").replace(/\.$/, "");
  reporter.report("KT1001", { file: conversion.path, line: loc.line, column: loc.column + 1 }, `syntax error: ${text}`);
}
