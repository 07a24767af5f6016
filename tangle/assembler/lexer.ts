/** Assembly text to tokens, a line at a time. The syntax is a subset of nasm's. */

export interface Token {
  readonly kind: "word" | "number" | "string" | "placeholder" | "mark" | "end";
  /** As written; for strings the characters they stand for; for placeholders `{0}` the number; for `end` empty. */
  readonly text: string;
  /** Of numbers. */
  readonly value: bigint;
  /** Column of the first character, from 1. */
  readonly column: number;
}

/** A line that cannot be read, at a column of it. */
export class SyntaxProblem extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly column: number,
    readonly hint?: string,
    /** Another place of the text that the message speaks of. */
    readonly related?: { readonly line: number; readonly column: number; readonly message: string },
  ) {
    super(message);
  }
}

const MARKS = /^(<<|>>|\/\/|%%|[-+*/%&|^~!(),:[\]])/;
const WORD = /^[A-Za-z_.?$][\w.?$#@~]*/;
const NUMBER = /^[0-9][\w]*/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  e: "\x1b",
  a: "\x07",
  b: "\b",
};

/** The tokens of one line, without its comment; the last is always of kind `end`. Throws SyntaxProblem. */
export function tokenize(line: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const push = (kind: Token["kind"], text: string, length: number, value = 0n) => {
    tokens.push({ kind, text, value, column: at + 1 });
    at += length;
  };
  for (;;) {
    while (/\s/.test(line[at] ?? "")) at++;
    const rest = line.slice(at);
    const first = rest[0];
    if (first === undefined || first === ";") break;
    const number = NUMBER.exec(rest)?.[0];
    const word = WORD.exec(rest)?.[0];
    const mark = MARKS.exec(rest)?.[0];
    const placeholder = /^\{(\d+)\}/.exec(rest);
    if (number) push("number", number, number.length, parseNumber(number, at + 1));
    else if (first === "'" || first === '"' || first === "`") {
      const { text, length } = readString(rest, at + 1);
      push("string", text, length);
    } else if (word) push("word", word, word.length);
    else if (placeholder) push("placeholder", placeholder[1]!, placeholder[0].length);
    else if (mark) push("mark", mark, mark.length);
    else throw new SyntaxProblem("AS2001", `the character ${first} has no meaning here`, at + 1);
  }
  push("end", "", 0);
  return tokens;
}

/** nasm's ways to write a number: 0x1f, 1fh, 0b11, 11b, 0o17, 17q, 0d9, 9d, with _ between digits. */
function parseNumber(text: string, column: number): bigint {
  const digits = text.toLowerCase().replaceAll("_", "");
  const prefixed = /^0([xhbyoqdt])([0-9a-f]+)$/.exec(digits);
  const suffixed = /^([0-9a-f]+?)([hbyoqdt]?)$/.exec(digits);
  const radixes: Readonly<Record<string, string>> = {
    x: "0x",
    h: "0x",
    b: "0b",
    y: "0b",
    o: "0o",
    q: "0o",
    d: "",
    t: "",
    "": "",
  };
  // `0b1h` is hexadecimal with a suffix, so suffix h is looked at first.
  const [radix, body] = digits.endsWith("h")
    ? ["h", digits.slice(0, -1)]
    : prefixed
      ? [prefixed[1]!, prefixed[2]!]
      : [suffixed?.[2] ?? "", suffixed?.[1] ?? digits];
  const alphabet = { "0x": /^[0-9a-f]+$/, "0b": /^[01]+$/, "0o": /^[0-7]+$/, "": /^[0-9]+$/ }[radixes[radix]!]!;
  if (!alphabet.test(body)) throw new SyntaxProblem("AS2001", `${text} is not a number`, column);
  return BigInt(radixes[radix] + body);
}

function readString(rest: string, column: number): { text: string; length: number } {
  const quote = rest[0]!;
  let text = "";
  for (let i = 1; i < rest.length; i++) {
    if (rest[i] === quote) return { text, length: i + 1 };
    if (quote !== "`" || rest[i] !== "\\") {
      text += rest[i];
      continue;
    }
    const code = /^x([0-9a-fA-F]{1,2})/.exec(rest.slice(++i))?.[0];
    if (code) {
      text += String.fromCharCode(Number.parseInt(code.slice(1), 16));
      i += code.length - 1;
    } else text += ESCAPES[rest[i] ?? ""] ?? rest[i];
  }
  throw new SyntaxProblem("AS2002", "this string is not closed", column, `close it with ${quote} on the same line`);
}
