/** Markdown that is no chapter: no tags, no maps. */
import { markdown } from "../../tangle/literate/markdown.ts";
import { renderExample } from "./block.ts";
import type { Highlighter } from "./highlight.ts";

export function renderPlainMarkdown(text: string, highlighter: Highlighter): string {
  return markdown
    .parse(text, {})
    .map((token) => {
      if (token.type === "fence") return renderExample(token.content, token.info.trim(), highlighter);
      if (token.type === "table_open") return '<div class="table"><table>';
      if (token.type === "table_close") return "</table></div>";
      return markdown.renderer.render([token], markdown.options, {});
    })
    .join("");
}
