/** The same bytes as nasm: on sources written for the purpose, on random instructions, and on the book's boot code. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { decode, format, type Instruction, type Mode } from "../../machine/isa/index.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { chapterNumbers, readBook, tangleChapter, variantsOf } from "../../tangle/literate/tangle.ts";
import { CASES, MODES, randomCode, randomNumbers } from "../isa/random.ts";
import { lacks } from "../requires.ts";
import { assembleWithNasm } from "./nasm.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const bookFolder = fileURLToPath(new URL("../../book", import.meta.url));

/** Compares a text's bytes; where they differ, names the first line that does. */
function expectSameBytes(path: string, text: string): void {
  const ours = assemble({ path, text });
  expect(ours.diagnostics).toEqual([]);
  const theirs = assembleWithNasm(text);
  const at = ours.bytes.findIndex((byte, index) => byte !== theirs[index]);
  if (at < 0 && ours.bytes.length === theirs.length) return;
  const line = ours.lines.findLast(({ offset }) => offset <= at);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes.slice(line?.offset, (line?.offset ?? 0) + 15)).toString("hex");
  const source = line ? `${path}:${line.place.line}: ${text.split("\n")[line.place.line - 1]}` : path;
  expect.fail(`${source}\n  ours ${hex(ours.bytes)}\n  nasm ${hex(theirs)}`);
}

const sources = readdirSync(join(here, "sources"));

describe.skipIf(lacks("nasm"))("nasm gives the same bytes", () => {
  it.each(sources)("for %s", (name) => {
    expectSameBytes(name, readFileSync(join(here, "sources", name), "utf8"));
  });

  it.each(MODES)("for random instructions in %i-bit mode, as our formatter prints them", (mode) => {
    const next = randomNumbers(mode + 2000);
    const lines = new Set<string>();
    for (let i = 0; i < CASES; i++) {
      const instruction = decode(randomCode(next), 0, mode);
      if (instruction.mnemonic !== null && hasSpelling(instruction, mode)) lines.add(format(instruction));
    }
    expectSameBytes("random.asm", `bits ${mode}\n${[...lines].join("\n")}\n`);
  });

  const files = readdirSync(bookFolder).filter((name) => name.endsWith(".md"));
  const { book, diagnostics } = readBook(
    files.map((path) => ({ path, text: readFileSync(join(bookFolder, path), "utf8") })),
  );
  const editions = chapterNumbers(book).flatMap((chapter) =>
    [null, ...variantsOf(book, chapter)].map((variant) => ({ chapter, variant })),
  );
  it("for a book without mistakes", () => expect(diagnostics).toEqual([]));
  it.each(editions)("for the boot code of chapter $chapter, variant $variant", ({ chapter, variant }) => {
    for (const { path, text } of tangleChapter(book, chapter, variant).files) {
      if (path.endsWith(".asm")) expectSameBytes(path, text);
    }
  });
});

/** Instructions that can be written so that they come out as they were: not those with prefixes that the text does not tell. */
function hasSpelling(instruction: Instruction, mode: Mode): boolean {
  const { mnemonic, operands, operandWidth, addressWidth } = instruction;
  const [first, second] = operands;
  if (mnemonic === "bswap" && operandWidth === 16) return false; // undefined, and refused by nasm
  if (/^mov[sz]x/.test(mnemonic)) {
    // nasm refuses what does not extend.
    return first?.kind === "register" && second !== undefined && "width" in second && first.width > second.width;
  }
  if (operands.some((operand) => operand.kind === "relative")) return operandWidth === mode && addressWidth === mode;
  // nasm leaves REX.W out, since the upper half is cleared without it.
  if (/^(sldt|str|smsw)$/.test(mnemonic)) return operandWidth !== 64;
  const isAbsolute = operands.some((operand) => operand.kind === "memory" && operand.base < 0 && operand.index < 0);
  return mode !== 64 || !isAbsolute || addressWidth === 64;
}
