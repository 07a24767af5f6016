/** The assembler: text to a flat image, or to code that the linker places. Reference for the syntax: the NASM manual. */
import type { Mode } from "#isa/instruction.ts";
import type { Relocation } from "../compiler/object.ts";
import type { Diagnostic, Place } from "../place.ts";
import { registersWritten } from "./effects.ts";
import { type Layout, layOut } from "./layout.ts";
import type { SyntaxProblem } from "./lexer.ts";
import { parse } from "./parser.ts";

export interface AssemblySource {
  /** As places name it. */
  readonly path: string;
  readonly text: string;
}

export interface AssembleOptions {
  /** Mode before the first `bits` directive; 16 unless given, as after reset. */
  readonly mode?: Mode;
  /** Address of the first byte where no `org` says it; 0 unless given. */
  readonly origin?: bigint;
}

export interface AssembledSymbol {
  /** Local labels with their parent: `start.loop`. */
  readonly name: string;
  /** Address of a label, value of an `equ`. */
  readonly value: bigint;
  readonly kind: "label" | "constant";
  readonly place: Place;
}

export interface Assembly {
  /** The image from its origin on; empty where there are diagnostics. */
  readonly bytes: Uint8Array;
  readonly origin: bigint;
  readonly symbols: readonly AssembledSymbol[];
  /** From this offset in `bytes` on, bytes come from this place; ascending. */
  readonly lines: readonly { readonly offset: number; readonly place: Place }[];
  /** All mistakes of the file, in the order of lines. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Assembles a file to a flat image, like `nasm -f bin`. Mistakes are diagnostics; nothing is thrown for them. */
export function assemble(source: AssemblySource, options: AssembleOptions = {}): Assembly {
  const place = (line: number, column: number) => ({ file: source.path, line, column });
  const problem = (line: number, found: SyntaxProblem) => toDiagnostic(line, found, place);
  const parsed = parse(source.text, { mode: options.mode ?? 16, placeholders: [], problem });
  const layout = layOut(parsed.statements, { origin: options.origin ?? 0n, externals: false });
  const diagnostics = sorted([
    ...parsed.diagnostics,
    ...layout.problems.map(({ line, problem: p }) => problem(line, p)),
  ]);
  const symbols: AssembledSymbol[] = [];
  for (const statement of parsed.statements) {
    if (statement.kind !== "label" && statement.kind !== "constant") continue;
    const value = layout.symbols.get(statement.name)?.number;
    if (value === undefined) continue;
    const { name, kind, line, column } = statement;
    symbols.push({ name, value, kind, place: place(line, column) });
  }
  if (diagnostics.length > 0)
    return { bytes: new Uint8Array(), origin: layout.origin, symbols, lines: [], diagnostics };
  return { bytes: imageOf(layout), origin: layout.origin, symbols, lines: linesOf(layout, source.path), diagnostics };
}

/** A problem at a line of the text, as a diagnostic; `place` tells where a line and column of the text stand. */
function toDiagnostic(
  line: number,
  { code, message, column, hint, related }: SyntaxProblem,
  place: (line: number, column: number) => Place,
): Diagnostic {
  return {
    code,
    message,
    place: place(line, column),
    ...(hint === undefined ? {} : { hint }),
    ...(related && { related: [{ place: place(related.line, related.column), message: related.message }] }),
  };
}

function sorted(diagnostics: Diagnostic[]): Diagnostic[] {
  return diagnostics.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
}

function imageOf(layout: Layout): Uint8Array {
  const parts = layout.sections.filter((section) => section.bytes.length > 0);
  const end = parts.reduce((last, { address, bytes }) => {
    const sectionEnd = Number(address - layout.origin) + bytes.length;
    return Math.max(last, sectionEnd);
  }, 0);
  const image = new Uint8Array(end);
  for (const { address, bytes } of parts) image.set(bytes, Number(address - layout.origin));
  return image;
}

function linesOf(layout: Layout, file: string): Assembly["lines"] {
  const addresses = new Map(layout.sections.map((section) => [section.name, section]));
  const lines = layout.starts.flatMap(({ section, offset, statement }) => {
    const { address, bytes } = addresses.get(section)!;
    if (bytes.length === 0) return [];
    const place = { file, line: statement.line, column: statement.column };
    return [{ offset: Number(address - layout.origin) + offset, place }];
  });
  return lines.sort((a, b) => a.offset - b.offset);
}

export interface InlineAssembly {
  readonly bytes: Uint8Array;
  readonly relocations: readonly Relocation[];
  /** Byte offsets with the line and column in the text that they come from, both from 1. */
  readonly lines: readonly { readonly offset: number; readonly line: number; readonly column: number }[];
  /** 64-bit names of the general registers that the code writes, but for rsp; functions that it calls not counted. */
  readonly registersWritten: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface InlineOptions {
  readonly mode?: Mode;
  /** What `{0}`, `{1}` … stand for: names of registers, or of symbols. */
  readonly operands?: readonly string[];
  /** Where the text begins; diagnostics count from here. */
  readonly place: Place;
}

/**
 * Assembles asm`…` of kernel TypeScript: labels are its own, other names are symbols for the linker, and addresses
 * without registers are rip-relative. Mistakes are diagnostics; nothing is thrown for them.
 */
export function assembleInline(text: string, options: InlineOptions): InlineAssembly {
  const { mode = 64, operands = [] } = options;
  const start = options.place;
  const place = (line: number, column: number) => ({
    file: start.file,
    line: start.line + line - 1,
    column: line === 1 ? start.column + column - 1 : column,
  });
  const problem = (line: number, found: SyntaxProblem) => toDiagnostic(line, found, place);
  const parsed = parse(text, { mode, placeholders: operands, problem, defaultRelative: mode === 64 });
  const layout = layOut(parsed.statements, { origin: 0n, externals: true });
  const diagnostics = sorted([
    ...parsed.diagnostics,
    ...layout.problems.map(({ line, problem: p }) => problem(line, p)),
  ]);
  const elsewhere = parsed.statements.find((statement) => statement.section !== ".text");
  if (elsewhere) {
    diagnostics.push({
      code: "AS2004",
      message: "inline assembly has one section",
      place: place(elsewhere.line, elsewhere.column),
      hint: "declare data in kernel TypeScript",
    });
  }
  const lines = layout.starts.map(({ offset, statement: { line, column } }) => ({ offset, line, column }));
  const bytes = imageOf(layout);
  return {
    bytes,
    relocations: layout.relocations,
    lines,
    registersWritten: registersWritten(bytes, mode),
    diagnostics,
  };
}
