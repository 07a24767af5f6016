/** The words after the backticks of a fence: `ts #scroll after=put-byte variant=tall`. */
import type { Diagnostic, Place } from "../place.ts";
import type { Expectation, Operation } from "./book.ts";
import { LT } from "./errors.ts";

/** One value and the place of the word that gave it. */
export interface Given<T> {
  readonly value: T;
  readonly place: Place;
}

/** The words of one fence, each understood on its own. */
export interface Attributes {
  readonly language: string;
  readonly file: Given<string> | null;
  readonly name: Given<string> | null;
  readonly operation: Given<Operation> | null;
  readonly after: Given<string> | null;
  readonly before: Given<string> | null;
  readonly variant: Given<string> | null;
  readonly since: Given<number> | null;
  readonly until: Given<number> | null;
  readonly expect: Given<Expectation["kind"]> | null;
  readonly example: Given<true> | null;
}

type Key = Exclude<keyof Attributes, "language">;

const OPERATIONS: Readonly<Record<string, Operation>> = { "+=": "append", ":=": "replace", "-=": "remove" };
const KNOWN = "known are file=, #name, +=, :=, -=, after=, before=, variant=, since=, until=, expect= and example";
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Whether the words of a fence ask for tangling or testing, so that losing the fence would lose code. */
export function isTagged(info: string): boolean {
  return /\s(#\S|file=|expect=)/.test(info);
}

/** Reads the words of a fence. `place` is where `info` begins; wrong words are reported and left out. */
export function readAttributes(info: string, place: Place, diagnostics: Diagnostic[]): Attributes {
  const words = [...info.matchAll(/\S+/g)].map((match) => ({
    text: match[0],
    place: { ...place, column: place.column + match.index },
  }));
  const found = new Map<Key, Given<unknown>>();
  const first = words[0]?.text ?? "";
  // A tag in the first place means that the language was forgotten.
  const named = first !== "" && !/^#|=|^example$/.test(first);
  if (!named && first !== "") {
    const hint = "write `ts` or `asm` first";
    diagnostics.push({
      code: LT.badAttribute,
      message: "a fence names its language first",
      place: words[0]!.place,
      hint,
    });
  }
  for (const word of named ? words.slice(1) : words) {
    const read = readWord(word.text);
    if ("code" in read) diagnostics.push({ ...read, place: word.place });
    else if (found.has(read.key)) {
      const message = `\`${word.text}\` says again what this fence has said already`;
      const related = [{ place: found.get(read.key)!.place, message: "here" }];
      diagnostics.push({ code: LT.badAttribute, message, place: word.place, related });
    } else found.set(read.key, { value: read.value, place: word.place });
  }
  const get = <T>(key: Key): Given<T> | null => (found.get(key) as Given<T> | undefined) ?? null;
  return {
    language: named ? first : "",
    file: get("file"),
    name: get("name"),
    operation: get("operation"),
    after: get("after"),
    before: get("before"),
    variant: get("variant"),
    since: get("since"),
    until: get("until"),
    expect: get("expect"),
    example: get("example"),
  };
}

type Word = { readonly key: Key; readonly value: unknown } | Omit<Diagnostic, "place">;

function readWord(text: string): Word {
  if (text === "example") return { key: "example", value: true };
  const operation = OPERATIONS[text];
  if (operation !== undefined) return { key: "operation", value: operation };
  if (text.startsWith("#")) return readName("name", text.slice(1), "chunk");

  const [, key, value] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  switch (key) {
    case "file":
      return { key, value: value! };
    case "after":
    case "before":
      return readName(key, value!.replace(/^#/, ""), "chunk");
    case "variant":
      return readName(key, value!, "variant");
    case "since":
    case "until":
      if (/^[1-9]\d{0,3}$/.test(value!)) return { key, value: Number(value) };
      return { code: LT.badAttribute, message: `\`${key}=\` takes the number of a chapter, not \`${value}\`` };
    case "expect":
      if (value === "screen" || value === "serial" || value === "exit") return { key, value };
      return { code: LT.badAttribute, message: `\`expect=\` takes screen, serial or exit, not \`${value}\`` };
    default:
      return { code: LT.unknownAttribute, message: `unknown attribute \`${text}\``, hint: KNOWN };
  }
}

function readName(key: Key, value: string, what: string): Word {
  if (NAME.test(value)) return { key, value };
  const hint = "names have letters, digits, `-`, `_` and `.`: `#put-byte`";
  return { code: LT.badName, message: `\`${value}\` is no name for a ${what}`, hint };
}
