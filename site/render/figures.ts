/** `<figure src="figures/NAME.svg" alt="…">caption</figure>` in a chapter → the drawing itself, inline. */
import { escapeHtml } from "./html.ts";

const FIGURE = /<figure\s+src="(figures\/[\w-]+\.svg)"\s+alt="([^"]*)"\s*>([\s\S]*?)(?:<\/figure>|$)/g;

/** Elements and attributes that the page's policy would not let work, or that could run. */
const FORBIDDEN = /<(script|style|foreignObject)\b|\sstyle\s*=|\son\w+\s*=|href\s*=\s*"(?!#)/i;

export type ReadFigure = (path: string) => string | null;

/** A figure that cannot be shown; `line` is that of the Markdown, the caller knows the chapter. */
export class FigureError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message);
  }
}

/**
 * Replaces every figure of a piece of raw HTML. Ids are made unique by the drawing's name, so that two drawings with
 * an arrow head called `head` do not meet.
 */
export function inlineFigures(html: string, line: number, read: ReadFigure): string {
  return html.replace(FIGURE, (_, path: string, alt: string, caption: string) => {
    const svg = read(path);
    if (svg === null) throw new FigureError(`there is no book/${path}`, line);
    const bad = FORBIDDEN.exec(svg);
    if (bad !== null)
      throw new FigureError(`book/${path} holds ${bad[0].trim()}, which the page's policy forbids`, line);
    if (alt === "") throw new FigureError(`book/${path} has no text alternative`, line);
    const name = /([\w-]+)\.svg$/.exec(path)![1]!;
    const body = svg
      .replace(/<\?xml[^>]*\?>|<!--[\s\S]*?-->/g, "")
      .replace(/\bid="([^"]+)"/g, `id="${name}-$1"`)
      .replace(/url\(#([^)]+)\)/g, `url(#${name}-$1)`)
      .replace(/href="#([^"]+)"/g, `href="#${name}-$1"`)
      .replace(/<svg\b/, `<svg role="img" aria-label="${escapeHtml(alt.replaceAll("&quot;", '"'))}"`)
      .trim();
    const text = caption.trim() === "" ? "" : `<figcaption>${caption.trim()}</figcaption>`;
    return `<figure class="figure">${body}${text}</figure>`;
  });
}
