/** Lines of assembly to statements. The grammar is a subset of nasm's, so that both read the same text alike. */
import type { Mode } from "#isa/instruction.ts";
import { registerNamed, SEGMENT_NAMES } from "#isa/registers.ts";
import type { Diagnostic } from "../place.ts";
import { encodeText, parseExpression } from "./expression.ts";
import { SyntaxProblem, tokenize } from "./lexer.ts";
import { isMnemonic } from "./mnemonics.ts";
import { TokenReader } from "./reader.ts";
import type { Datum, Emission, InstructionSyntax, OperandSyntax, Size, Statement } from "./statement.ts";

export interface ParseOptions {
  readonly mode: Mode;
  readonly placeholders: readonly string[];
  readonly defaultRelative?: boolean;
  /** Turns line and column of the text into a diagnostic. */
  problem(line: number, problem: SyntaxProblem): Diagnostic;
}

const SIZES: Readonly<Record<string, Size>> = { byte: 8, word: 16, dword: 32, qword: 64 };
const DATA: Readonly<Record<string, 1 | 2 | 4 | 8>> = { db: 1, dw: 2, dd: 4, dq: 8 };
const RESERVE: Readonly<Record<string, 1 | 2 | 4 | 8>> = { resb: 1, resw: 2, resd: 4, resq: 8 };
const PREFIXES: Readonly<Record<string, Partial<InstructionSyntax>>> = {
  lock: { lock: true },
  rep: { repeat: "rep" },
  repe: { repeat: "rep" },
  repz: { repeat: "rep" },
  repne: { repeat: "repne" },
  repnz: { repeat: "repne" },
  a16: { addressSize: 16 },
  a32: { addressSize: 32 },
  a64: { addressSize: 64 },
  o16: { operandSize: 16 },
  o32: { operandSize: 32 },
  o64: { operandSize: 64 },
  ...Object.fromEntries(SEGMENT_NAMES.map((name, segment) => [name, { segment }])),
};
const DIRECTIVES = [
  "bits",
  "use16",
  "use32",
  "use64",
  "org",
  "section",
  "segment",
  "default",
  "align",
  "alignb",
  "times",
  "equ",
];
/** Words that nasm gives a meaning in operands. */
const NOT_LABELS = new Set(
  "$ $$ byte word dword qword tword oword yword zword long far near short strict rel abs nosplit seg wrt to".split(" "),
);
const KEYWORDS = new Set([...DIRECTIVES, ...Object.keys(DATA), ...Object.keys(RESERVE), ...Object.keys(PREFIXES)]);
/** Directives of nasm that flat images have no use for. */
const FOREIGN: Readonly<Record<string, string>> = {
  global: "all symbols of the file are known to its readers; leave the line out",
  extern: "write the whole program in one file",
  incbin: "write the bytes with db",
  struc: "name offsets with equ",
};

/** Parses a whole text. Lines that cannot be read are left out, each with a diagnostic. */
export function parse(text: string, options: ParseOptions): { statements: Statement[]; diagnostics: Diagnostic[] } {
  const parser = new LineParser(options);
  const diagnostics: Diagnostic[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    try {
      parser.line(line, index + 1);
    } catch (problem) {
      if (!(problem instanceof SyntaxProblem)) throw problem;
      diagnostics.push(options.problem(index + 1, problem));
    }
  }
  return { statements: parser.statements, diagnostics };
}

class LineParser {
  readonly statements: Statement[] = [];
  private mode: Mode;
  private defaultRelative: boolean;
  private section = ".text";
  private parent = "";

  constructor(private readonly options: ParseOptions) {
    this.mode = options.mode;
    this.defaultRelative = options.defaultRelative ?? false;
  }

  line(text: string, line: number): void {
    const directive = /^\s*%\w+/.exec(text)?.[0];
    if (directive) {
      throw new SyntaxProblem(
        "AS2004",
        `${directive.trim()} belongs to nasm's preprocessor, which is not part of this language`,
        directive.length - directive.trimStart().length + 1,
        "name constants with equ; write repeated lines out, or use times",
      );
    }
    const reader = this.reader(tokenize(text));
    const add = (statement: Emission | Partial<Statement>, column: number) =>
      this.statements.push({ ...statement, line, column, section: this.section } as Statement);
    const bracketed = reader.peek().text === "[" && reader.accept("[");
    this.label(reader, add);
    const { column } = reader.peek();
    const statement = reader.atEnd ? null : this.statement(reader);
    if (bracketed) reader.expect("]");
    reader.expectEnd();
    if (statement) add(statement, column);
  }

  private reader(tokens: ReturnType<typeof tokenize>): TokenReader {
    return new TokenReader(tokens, this.mode, this.parent, this.options.placeholders);
  }

  /** A label, with or without colon, or the name of an `equ`. */
  private label(reader: TokenReader, add: (statement: Partial<Statement>, column: number) => void): void {
    const token = reader.peek();
    if (token.kind !== "word") return;
    const after = reader.peek(1);
    const hasColon = after.kind === "mark" && after.text === ":";
    const word = token.text.toLowerCase();
    const isLabel =
      !(KEYWORDS.has(word) || isMnemonic(word)) && after.kind === "word" && this.startsStatement(after.text);
    if (!hasColon && !isLabel) return;
    if (registerNamed(word) || NOT_LABELS.has(word) || KEYWORDS.has(word)) {
      throw new SyntaxProblem("AS2005", `${token.text} cannot be a label`, token.column);
    }
    const name = reader.symbolName(token);
    reader.next();
    if (hasColon) reader.next();
    if (reader.acceptWord("equ")) {
      add({ kind: "constant", name, value: parseExpression(reader) }, token.column);
      return;
    }
    if (!token.text.startsWith(".")) {
      this.parent = token.text;
      reader.parent = token.text;
    }
    add({ kind: "label", name }, token.column);
  }

  private startsStatement(text: string): boolean {
    const word = text.toLowerCase();
    return KEYWORDS.has(word) || isMnemonic(word);
  }

  private statement(reader: TokenReader): Emission | Partial<Statement> | null {
    const token = reader.peek();
    const word = token.kind === "word" ? token.text.toLowerCase() : "";
    if (FOREIGN[word])
      throw new SyntaxProblem("AS2004", `${word} has no place in a flat image`, token.column, FOREIGN[word]);
    if (!DIRECTIVES.includes(word)) return this.emission(reader);
    reader.next();
    switch (word) {
      case "bits":
        this.setMode(reader);
        return null;
      case "use16":
      case "use32":
      case "use64":
        this.mode = Number(word.slice(3)) as Mode;
        return null;
      case "org":
        return { kind: "origin", value: parseExpression(reader) };
      case "section":
      case "segment":
        return this.enterSection(reader);
      case "default":
        this.defaultRelative = this.oneOf(reader, "rel", "abs") === "rel";
        return null;
      case "align":
      case "alignb": {
        const boundary = parseExpression(reader);
        const fill = reader.accept(",") ? this.emission(reader) : word === "alignb" ? ONE_RESERVED : null;
        return { kind: "align", boundary, fill };
      }
      case "times": {
        const count = parseExpression(reader);
        return { kind: "times", count, body: this.emission(reader) };
      }
    }
    throw new SyntaxProblem("AS2003", "equ needs a name before it", token.column, "write: NAME equ value");
  }

  private oneOf(reader: TokenReader, ...words: string[]): string {
    const token = reader.peek();
    const word = reader.acceptWord(...words);
    if (word === null) throw new SyntaxProblem("AS2003", `here one of ${words.join(", ")} should stand`, token.column);
    return word;
  }

  private setMode(reader: TokenReader): void {
    const token = reader.next();
    const bits = Number(token.value);
    if (bits !== 16 && bits !== 32 && bits !== 64) {
      throw new SyntaxProblem("AS2003", "bits takes 16, 32 or 64", token.column);
    }
    this.mode = bits;
  }

  private enterSection(reader: TokenReader): Partial<Statement> {
    const token = reader.next();
    if (token.kind !== "word")
      throw new SyntaxProblem("AS2003", "a section needs a name", token.column, "section .data");
    this.section = token.text;
    const align = reader.acceptWord("align") ? this.sectionAlignment(reader) : null;
    return { kind: "section", align };
  }

  private sectionAlignment(reader: TokenReader) {
    const token = reader.next();
    if (token.text === "=" || token.kind === "number") return parseExpression(reader);
    throw new SyntaxProblem("AS2003", "write align=16", token.column);
  }

  /** An instruction, data, or reserved space. */
  private emission(reader: TokenReader): Emission {
    const token = reader.peek();
    if (token.kind !== "word") {
      const found = token.kind === "end" ? "the line ends" : `${token.text} stands`;
      throw new SyntaxProblem("AS2003", `${found} where an instruction should stand`, token.column);
    }
    const word = token.text.toLowerCase();
    if (DATA[word]) {
      reader.next();
      return { kind: "data", unit: DATA[word], data: parseData(reader, DATA[word]) };
    }
    if (RESERVE[word]) {
      reader.next();
      return { kind: "reserve", unit: RESERVE[word], count: parseExpression(reader) };
    }
    return this.instruction(reader);
  }

  private instruction(reader: TokenReader): InstructionSyntax {
    let prefixes: Partial<InstructionSyntax> = {};
    let token = reader.next();
    for (let prefix = PREFIXES[token.text.toLowerCase()]; prefix; prefix = PREFIXES[token.text.toLowerCase()]) {
      prefixes = { ...prefixes, ...prefix };
      token = reader.next();
    }
    const mnemonic = token.text.toLowerCase();
    if (token.kind !== "word" || !isMnemonic(mnemonic)) {
      const hint =
        reader.atEnd && /^[\w.]+$/.test(token.text) ? `a label ends with a colon: ${token.text}:` : undefined;
      throw new SyntaxProblem("AS2010", `${token.text || "this line"} is no instruction`, token.column, hint);
    }
    const operands: OperandSyntax[] = [];
    if (!reader.atEnd && reader.peek().text !== "]") {
      do operands.push(parseOperand(reader));
      while (reader.accept(","));
    }
    return {
      kind: "instruction",
      mnemonic,
      operands,
      mode: this.mode,
      defaultRelative: this.defaultRelative,
      lock: false,
      repeat: null,
      segment: null,
      addressSize: null,
      operandSize: null,
      ...prefixes,
    };
  }
}

const ONE_RESERVED: Emission = { kind: "reserve", unit: 1, count: { kind: "number", value: 1n, column: 1 } };

function parseData(reader: TokenReader, unit: number): Datum[] {
  const data: Datum[] = [];
  do {
    const token = reader.peek();
    const after = reader.peek(1);
    // A string alone is text; within an expression it is a number.
    if (token.kind === "string" && (after.kind === "end" || after.text === ",")) {
      reader.next();
      const text = encodeText(token.text);
      const bytes = new Uint8Array(Math.ceil(text.length / unit) * unit);
      bytes.set(text);
      data.push({ kind: "text", bytes });
    } else data.push({ kind: "value", value: parseExpression(reader) });
  } while (reader.accept(","));
  return data;
}

function parseOperand(reader: TokenReader): OperandSyntax {
  const { column } = reader.peek();
  let size: Size | 0 = 0;
  let [far, strict] = [false, false];
  let distance: "short" | "near" | null = null;
  for (let word = acceptQualifier(reader); word !== null; word = acceptQualifier(reader)) {
    const written = SIZES[word];
    if (written) size = written;
    else if (word === "far") far = true;
    else if (word === "strict") strict = true;
    else distance = word as "short" | "near";
  }
  if (reader.accept("[")) return { ...parseMemory(reader, size, far), column };
  const expression = parseExpression(reader);
  if (expression.kind === "register") {
    if (reader.peek().text === ":") {
      throw new SyntaxProblem("AS2003", "a segment stands inside the brackets", reader.peek().column, "write [es:di]");
    }
    return { kind: "register", register: expression.register, column };
  }
  if (reader.accept(":")) {
    return { kind: "far", size, selector: expression, offset: parseExpression(reader), column };
  }
  return { kind: "expression", size, strict, distance, expression, column };
}

function acceptQualifier(reader: TokenReader): string | null {
  return reader.acceptWord("byte", "word", "dword", "qword", "far", "strict", "short", "near");
}

function parseMemory(reader: TokenReader, size: Size | 0, far: boolean) {
  let addressSize: Size | 0 = 0;
  let relative: "rel" | "abs" | null = null;
  let segment: number | null = null;
  for (;;) {
    const word = reader.acceptWord("byte", "word", "dword", "qword", "rel", "abs");
    const isSegment = reader.peek(1).text === ":" && SEGMENT_NAMES.indexOf(reader.peek().text.toLowerCase() as "es");
    if (word === "rel" || word === "abs") relative = word;
    else if (word) addressSize = SIZES[word]!;
    else if (typeof isSegment === "number" && isSegment >= 0) {
      segment = isSegment;
      reader.next();
      reader.next();
    } else break;
  }
  const address = parseExpression(reader);
  reader.expect("]");
  return { kind: "memory" as const, size, far, address, segment, addressSize, relative };
}
