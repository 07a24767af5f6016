/**
 * Source text → HTML lines. Shiki finds the tokens; their kinds become classes whose colours the site's style sheet
 * has, light and dark, since a strict policy forbids style attributes.
 */
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createOnigurumaEngine } from "shiki/engine/oniguruma";
import { escapeHtml } from "./html.ts";

/** shiki's name of a fence's language; everything else is shown plain. */
const LANGUAGES = new Map([
  ["ts", "typescript"],
  ["typescript", "typescript"],
  ["js", "typescript"],
  ["asm", "asm"],
  ["c", "c"],
  ["sh", "shellscript"],
  ["shell", "shellscript"],
  ["html", "html"],
]);

export interface Highlighter {
  /** One string of HTML a line, without line ends. Classes are `t-comment`, `t-keyword`, `t-string`, … */
  lines(code: string, language: string): readonly string[];
}

/** One that remembers. */
export interface KeepingHighlighter extends Highlighter {
  /** All that was asked for, to be handed to the next highlighter. */
  readonly used: ReadonlyMap<string, readonly string[]>;
  /** Whether something was asked for that no earlier highlighter knew. */
  isNew(): boolean;
}

/** `var(--t-token-keyword)` → `t-keyword`; null for plain text. */
function classOf(color: string | undefined): string | null {
  const kind = /^var\(--t-token-([\w-]+)\)$/.exec(color ?? "")?.[1];
  return kind === undefined ? null : `t-${kind}`;
}

/**
 * Keeps what it has highlighted: a page rendered anew after an edit costs only what has changed. `earlier`: what another
 * one has used.
 */
export async function createHighlighter(earlier: ReadonlyMap<string, readonly string[]>): Promise<KeepingHighlighter> {
  const core = await createHighlighterCore({
    themes: [createCssVariablesTheme({ name: "kinds", variablePrefix: "--t-" })],
    langs: [
      import("shiki/langs/typescript.mjs"),
      import("shiki/langs/asm.mjs"),
      import("shiki/langs/c.mjs"),
      import("shiki/langs/shellscript.mjs"),
      import("shiki/langs/html.mjs"),
    ],
    engine: createOnigurumaEngine(import("shiki/wasm")),
  });
  const used = new Map<string, readonly string[]>();
  let isNew = false;

  const highlight = (code: string, lang: string): string[] =>
    core.codeToTokensBase(code, { lang, theme: "kinds" }).map((line) =>
      line
        .map(({ content, color }) => {
          const name = content.trim() === "" ? null : classOf(color);
          return name === null ? escapeHtml(content) : `<span class="${name}">${escapeHtml(content)}</span>`;
        })
        .join(""),
    );

  return {
    lines(code, language) {
      const lang = LANGUAGES.get(language);
      if (lang === undefined) return code.split("\n").map(escapeHtml);
      const key = `${lang}\n${code}`;
      const known = used.get(key) ?? earlier.get(key);
      if (known === undefined) isNew = true;
      const lines = known ?? highlight(code, lang);
      used.set(key, lines);
      return lines;
    },
    used,
    isNew: () => isNew,
  };
}
