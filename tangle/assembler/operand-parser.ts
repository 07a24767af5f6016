/** Operands and data as written, parsed. */
import { mediaRegisterNamed, SEGMENT_NAMES } from "#isa/registers.ts";
import { encodeText, parseExpression } from "./expression.ts";
import { SyntaxProblem } from "./lexer.ts";
import type { TokenReader } from "./reader.ts";
import type { Datum, OperandSyntax, Size } from "./statement.ts";

const ADDRESS_SIZES = { byte: 8, word: 16, dword: 32, qword: 64 } as const;
const SIZES: Readonly<Record<string, Size>> = { ...ADDRESS_SIZES, tword: 80, oword: 128 };

/** The elements after db, dw, dd or dq, whose elements have `unit` bytes. */
export function parseData(reader: TokenReader, unit: number): Datum[] {
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

/** One operand of an instruction. Throws SyntaxProblem. */
export function parseOperand(reader: TokenReader): OperandSyntax {
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
  const word = reader.peek();
  const media = word.kind === "word" ? mediaRegisterNamed(word.text.toLowerCase()) : null;
  if (media) {
    reader.next();
    return { kind: "media", register: media, column };
  }
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
  return reader.acceptWord("byte", "word", "dword", "qword", "tword", "oword", "far", "strict", "short", "near");
}

function parseMemory(reader: TokenReader, size: Size | 0, far: boolean) {
  let addressSize: 8 | 16 | 32 | 64 | 0 = 0;
  let relative: "rel" | "abs" | null = null;
  let segment: number | null = null;
  for (;;) {
    const word = reader.acceptWord("byte", "word", "dword", "qword", "rel", "abs");
    const isSegment = reader.peek(1).text === ":" && SEGMENT_NAMES.indexOf(reader.peek().text.toLowerCase() as "es");
    if (word === "rel" || word === "abs") relative = word;
    else if (word) addressSize = ADDRESS_SIZES[word as keyof typeof ADDRESS_SIZES];
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
