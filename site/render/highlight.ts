/**
 * Source text → HTML lines. Shiki finds the tokens in both themes; colours become classes with a style sheet of their
 * own, since a strict policy forbids style attributes.
 */
import { createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import { escapeHtml } from "./html.ts";

const THEMES = { light: "github-light", dark: "github-dark-dimmed" } as const;
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
  /** One string of HTML a line, without line ends. */
  lines(code: string, language: string): string[];
  /** The rules for every class used so far, light and dark. */
  styleSheet(): string;
}

/** A highlighter whose classes are numbered in order of first use, so the same book gives the same sheet. */
export async function createHighlighter(): Promise<Highlighter> {
  const core = await createHighlighterCore({
    themes: [import("shiki/themes/github-light.mjs"), import("shiki/themes/github-dark-dimmed.mjs")],
    langs: [
      import("shiki/langs/typescript.mjs"),
      import("shiki/langs/asm.mjs"),
      import("shiki/langs/c.mjs"),
      import("shiki/langs/shellscript.mjs"),
      import("shiki/langs/html.mjs"),
    ],
    engine: createJavaScriptRegexEngine(),
  });
  const classes = new Map<string, string>();

  const classFor = (light: string, dark: string, italic: boolean): string => {
    const key = `${light} ${dark} ${italic}`;
    const known = classes.get(key);
    if (known !== undefined) return known;
    const name = `t${classes.size}`;
    classes.set(key, name);
    return name;
  };

  return {
    lines(code, language) {
      const lang = LANGUAGES.get(language);
      if (lang === undefined) return code.split("\n").map(escapeHtml);
      return core.codeToTokensWithThemes(code, { lang, themes: THEMES }).map((line) =>
        line
          .map((token) => {
            const { light, dark } = token.variants;
            if (token.content.trim() === "" || light === undefined || dark === undefined)
              return escapeHtml(token.content);
            // FontStyle bit 0 is italic.
            const name = classFor(
              light.color ?? "inherit",
              dark.color ?? "inherit",
              ((light.fontStyle ?? 0) & 1) === 1,
            );
            return `<span class="${name}">${escapeHtml(token.content)}</span>`;
          })
          .join(""),
      );
    },
    styleSheet() {
      return [...classes]
        .map(([key, name]) => {
          const [light, dark, italic] = key.split(" ");
          return `.${name}{color:light-dark(${light},${dark})${italic === "true" ? ";font-style:italic" : ""}}`;
        })
        .join("\n");
    },
  };
}
