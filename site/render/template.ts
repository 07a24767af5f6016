/** The frame around every page: head with its policy, masthead, links to the neighbours. */
import { escapeHtml } from "./html.ts";

/**
 * Only files of the site itself, no inline script or style, WebAssembly allowed. `connect-src` is for disk images and
 * maps; `worker-src` for the machine.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

export interface PageFrame {
  readonly title: string;
  readonly description: string;
  /** What the masthead says beside the book's name: `2 · A minimal kernel`; empty on the cover. */
  readonly where: string;
  /** Everything between masthead and end of the page. */
  readonly main: string;
  readonly withMachine: boolean;
  /** Set by the development server. */
  readonly liveReload: boolean;
}

export const BOOK_TITLE = "TaijiOS, the book";

export function renderPage(page: PageFrame): string {
  const title = page.title === BOOK_TITLE ? BOOK_TITLE : `${page.title} · ${BOOK_TITLE}`;
  const where = page.where === "" ? "" : `<span class="where">${escapeHtml(page.where)}</span>`;
  const head = [
    `<meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    `<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<meta name="description" content="${escapeHtml(page.description)}">`,
    page.liveReload ? `<meta name="live-reload" content="yes">` : "",
    `<title>${escapeHtml(title)}</title>`,
    `<link rel="icon" href="assets/icon.svg" type="image/svg+xml">`,
    `<link rel="stylesheet" href="assets/site.css">`,
    `<script src="assets/theme.js"></script>`,
    `<script type="module" src="assets/page.js"></script>`,
    page.withMachine ? `<script type="module" src="assets/taiji-machine.js"></script>` : "",
  ];
  return `<!doctype html>
<html lang="en">
<head>
${head.filter((line) => line !== "").join("\n")}
</head>
<body>
<a class="skip" href="#text">Skip to the text</a>
<header class="masthead"><a class="book" href="index.html">TaijiOS</a>${where}</header>
${page.main}
</body>
</html>
`;
}
