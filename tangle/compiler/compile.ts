/** The compiler from end to end: kernel TypeScript sources in, a linked program out, or all mistakes in the sources. */
import type { Diagnostic, Place } from "../place.ts";
import { check, type SourceFile } from "./frontend/check.ts";
import { link } from "./link.ts";
import { lower } from "./lower/lower.ts";
import type { LinkedProgram } from "./object.ts";
import type { IrProgram } from "./ssa/ir.ts";
import { optimize } from "./ssa/optimize.ts";
import type { Program } from "./tree.ts";
import { generate } from "./x86/generate.ts";

export interface CompileOptions {
  /** The module whose `_start` is the entry point: `kernel/main.ts`. */
  readonly entryFile: string;
  /** The chapter that the sources belong to. */
  readonly chapter: number;
  /** From a place in the sources to the one that panics name; the same place where left out. */
  readonly placeOf?: (place: Place) => Place;
  /** Where the program is linked; see `link`. */
  readonly base?: bigint;
}

export interface Compiled {
  /** Null where there are diagnostics. */
  readonly linked: LinkedProgram | null;
  /** At places in the sources. */
  readonly diagnostics: readonly Diagnostic[];
  /** The typed tree, null where the sources could not be understood. */
  readonly program: Program | null;
  /** After all passes; null with the program. */
  readonly ir: IrProgram | null;
}

/** Compiles a program. Pure: the same sources and options give the same bytes. */
export function compile(files: readonly SourceFile[], options: CompileOptions): Compiled {
  const { program, diagnostics } = check(files, options);
  if (program === null) return { linked: null, diagnostics, program: null, ir: null };
  const ir = optimize(lower(program));
  const generated = generate(ir);
  if (generated.diagnostics.length > 0) return { linked: null, diagnostics: generated.diagnostics, program, ir };
  const linked = link(generated.object, options.base === undefined ? {} : { base: options.base });
  return { linked, diagnostics: [], program, ir };
}
