/** What `tsc` says of kernel TypeScript beside the shipped ambient types. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const AMBIENT = fileURLToPath(new URL("../../tangle/compiler/kernel.d.ts", import.meta.url));
const OPTIONS: ts.CompilerOptions = {
  noLib: true,
  noEmit: true,
  strict: true,
  strictPropertyInitialization: false,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};

const ambient = ts.createSourceFile(AMBIENT, readFileSync(AMBIENT, "utf8"), ts.ScriptTarget.ESNext, true);

/** The messages of tsc on one module beside kernel.d.ts, as `line: message`. */
export function typescript(text: string): string[] {
  const path = "/kernel/sample.ts";
  const sample = ts.createSourceFile(path, `${text}\nexport {};`, ts.ScriptTarget.ESNext, true);
  const host: ts.CompilerHost = {
    ...ts.createCompilerHost(OPTIONS),
    getSourceFile: (name) => (name === path ? sample : name === AMBIENT ? ambient : undefined),
    fileExists: (name) => name === path || name === AMBIENT,
    writeFile: () => {},
  };
  const program = ts.createProgram([path, AMBIENT], OPTIONS, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}
