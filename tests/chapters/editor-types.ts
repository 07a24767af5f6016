/** The tangled kernel is quiet in an editor: TypeScript's own checker finds nothing, with the ambient types of the language. */
import { readdirSync } from "node:fs";
import ts from "typescript";
import { expect, test } from "vitest";
import { folderOf, repository } from "./images.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  noLib: true,
  noEmit: true,
  strict: true,
  // A field of a class in memory has a value without being given one: zero.
  strictPropertyInitialization: false,
  experimentalDecorators: true,
  types: [],
};

export function testEditorTypes(chapter: number, variant: string | null): void {
  test("its sources are clean under TypeScript's own checker", () => {
    const folder = `${repository}/${folderOf(chapter, variant)}/kernel`;
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
    const files = [`${repository}/tangle/compiler/kernel.d.ts`, ...sources.map((name) => `${folder}/${name}`)];
    const diagnostics = ts.getPreEmitDiagnostics(ts.createProgram(files, OPTIONS));
    const host = {
      getCanonicalFileName: (path: string) => path,
      getCurrentDirectory: () => repository,
      getNewLine: () => "\n",
    };
    expect(ts.formatDiagnostics(diagnostics, host)).toBe("");
  });
}
