/** Lines of assembly to statements. The grammar is a subset of nasm's, so that both read the same text alike. */
import type { Mode } from "#isa/instruction.ts";
import { mediaRegisterNamed, registerNamed, SEGMENT_NAMES } from "#isa/registers.ts";
import type { Diagnostic } from "../place.ts";
import { parseExpression } from "./expression.ts";
import { SyntaxProblem, type Token, tokenize } from "./lexer.ts";
import { isMnemonic } from "./mnemonics.ts";
import { parseData, parseOperand } from "./operand-parser.ts";
import { TokenReader } from "./reader.ts";
import type { Emission, InstructionSyntax, OperandSyntax, Statement } from "./statement.ts";

export interface ParseOptions {
  readonly mode: Mode;
  readonly placeholders: readonly string[];
  readonly defaultRelative?: boolean;
  /** Turns line and column of the text into a diagnostic. */
  problem(line: number, problem: SyntaxProblem): Diagnostic;
}

type Unit = 1 | 2 | 4 | 8;
const DATA: ReadonlyMap<string, Unit> = new Map([
  ["db", 1],
  ["dw", 2],
  ["dd", 4],
  ["dq", 8],
] as const);
const RESERVE: ReadonlyMap<string, Unit> = new Map([
  ["resb", 1],
  ["resw", 2],
  ["resd", 4],
  ["resq", 8],
] as const);
const PREFIXES: ReadonlyMap<string, Partial<InstructionSyntax>> = new Map<string, Partial<InstructionSyntax>>([
  ["lock", { lock: true }],
  ["rep", { repeat: "rep" }],
  ["repe", { repeat: "rep" }],
  ["repz", { repeat: "rep" }],
  ["repne", { repeat: "repne" }],
  ["repnz", { repeat: "repne" }],
  ["a16", { addressSize: 16 }],
  ["a32", { addressSize: 32 }],
  ["a64", { addressSize: 64 }],
  ["o16", { operandSize: 16 }],
  ["o32", { operandSize: 32 }],
  ["o64", { operandSize: 64 }],
  ...SEGMENT_NAMES.map((name, segment): [string, Partial<InstructionSyntax>] => [name, { segment }]),
]);
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
const KEYWORDS = new Set([...DIRECTIVES, ...DATA.keys(), ...RESERVE.keys(), ...PREFIXES.keys()]);
/** Directives of nasm that flat images have no use for. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["global", "all symbols of the file are known to its readers; leave the line out"],
  ["extern", "write the whole program in one file"],
  ["incbin", "write the bytes with db"],
  ["struc", "name offsets with equ"],
]);

function prefixOf(token: Token): Partial<InstructionSyntax> | undefined {
  return token.kind === "word" ? PREFIXES.get(token.text.toLowerCase()) : undefined;
}

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
    if (registerNamed(word) || mediaRegisterNamed(word) || NOT_LABELS.has(word) || KEYWORDS.has(word)) {
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
    const alternative = FOREIGN.get(word);
    if (alternative)
      throw new SyntaxProblem("AS2004", `${word} has no place in a flat image`, token.column, alternative);
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
    const dataUnit = DATA.get(word);
    const reserveUnit = RESERVE.get(word);
    if (dataUnit === undefined && reserveUnit === undefined) return this.instruction(reader);
    reader.next();
    if (dataUnit !== undefined) return { kind: "data", unit: dataUnit, data: parseData(reader, dataUnit) };
    return { kind: "reserve", unit: reserveUnit!, count: parseExpression(reader) };
  }

  private instruction(reader: TokenReader): InstructionSyntax {
    let prefixes: Partial<InstructionSyntax> = {};
    let token = reader.next();
    for (let prefix = prefixOf(token); prefix; prefix = prefixOf(token)) {
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
