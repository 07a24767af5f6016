/** Slots: a comment `<<name>>` alone on its line, where a chunk goes. */
import { dialect } from "./path.ts";

const COMMENT = { ts: "//", asm: ";", other: "#" } as const;

/** A line that is a slot, or that only looks like one. */
export type Slot =
  | { readonly name: string; readonly indent: string }
  | { readonly message: string; readonly hint: string };

/** Reads a line of a block as a slot; null for a line of code. */
export function readSlot(text: string, language: string): Slot | null {
  if (!text.includes("<<")) return null;
  const [, indent, mark, gap, inner, rest] = /^(.*?)(\/\/|;|#)(\s*)<<([^<>]*)>>(.*)$/.exec(text) ?? [];
  if (mark === undefined) return null;
  const comment = COMMENT[dialect(language)];
  // In TypeScript `;` ends a statement and `#` begins a private name; only a comment of the language can mislead there.
  const alone = indent!.trim() === "" && rest!.trim() === "";
  if (mark !== comment && !alone) return null;
  const hint = `a slot is \`${comment} <<put-byte>>\`, alone on its line`;
  if (mark !== comment) return { message: `\`${mark} <<…>>\` is no slot in a ${language} block`, hint };
  if (!alone) return { message: "a slot stands alone on its line", hint };
  if (gap !== " " || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(inner!)) return { message: "this is no slot", hint };
  return { name: inner!, indent: indent! };
}
