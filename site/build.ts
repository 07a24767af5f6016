/** The whole site: pages, scripts, styles, disk images → one folder of static files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { INSPECTOR_NAMES } from "../machine/debug/inspection.ts";
import { kernelTestName } from "../tangle/chapter.ts";
import { readBookFiles } from "../tangle/io.ts";
import { tellBlocks } from "../tangle/literate/blocks.ts";
import type { Book, BookFile, Chapter, Snapshot } from "../tangle/literate/book.ts";
import { readBook, tangleChapter, tangleMachine, variantsOf } from "../tangle/literate/tangle.ts";
import { BookError } from "../tangle/place.ts";
import { bundleScripts } from "./bundle.ts";
import { type ChapterContext, pageName } from "./render/chapter.ts";
import { FigureError } from "./render/figures.ts";
import { createHighlighter, type Highlighter } from "./render/highlight.ts";
import { type MachineOffer, renderChapterPage, renderCover, renderPlainPage } from "./render/pages.ts";
import { renderPlainMarkdown } from "./render/plain.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface SiteOptions {
  /** The folder to write; files there that are not the site's are removed. */
  readonly output: string;
  /** Pages reload when the server says that they were built anew. */
  readonly liveReload: boolean;
}

export interface BuiltSite {
  /** Paths relative to the output folder. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Starting shiki takes most of a build; one highlighter serves all builds of a run. */
let highlighter: Promise<Highlighter> | null = null;

/**
 * Renders the site from the book and from the images in dist/chapters, which must have been tangled before. Throws
 * `BookError` for the book's mistakes; then nothing is written.
 */
export async function buildSite(options: SiteOptions): Promise<BuiltSite> {
  const files = readBookFiles(root);
  const { book, diagnostics } = readBook(files);
  if (diagnostics.length > 0) throw new BookError(diagnostics);
  checkInspectors(files, book);
  highlighter ??= createHighlighter();
  const outputs = new Map<string, string | Uint8Array>();
  const shiki = await highlighter;

  const stories = tellBlocks(book);
  const machineFiles = { files: tangleMachine(book) };
  for (const chapter of [...book.chapters, ...book.appendices]) {
    const offers = machineOffers(chapter, book, outputs);
    const text = files.find((file: BookFile) => file.path === chapter.path)!.text;
    const snapshots = [...snapshotsOf(chapter, book), machineFiles];
    const context: ChapterContext = { book, chapter, text, stories, snapshots, highlighter: shiki, readFigure };
    outputs.set(
      pageName(chapter.path),
      placed(chapter, () => renderChapterPage(context, offers, options.liveReload)),
    );
  }
  outputs.set("index.html", renderCover(book, options.liveReload));
  outputs.set("embed.html", embedPage(shiki, options.liveReload));

  // The machine quotes the chapters' lines beside its instructions.
  for (const { path, text } of files) outputs.set(path, text);

  for (const [name, text] of await bundleScripts()) outputs.set(`assets/${name}`, text);
  outputs.set("assets/site.css", readSource("site/styles/site.css"));
  outputs.set("assets/icon.svg", readSource("site/styles/icon.svg"));
  outputs.set("assets/taiji-machine.d.ts", readSource("machine/hosts/page/api.ts"));
  // GitHub Pages would otherwise run the folder through Jekyll.
  outputs.set(".nojekyll", "");
  return write(options.output, outputs);
}

/** A chapter can open only inspectors that the machine element has. */
function checkInspectors(files: readonly BookFile[], book: Book): void {
  const diagnostics = book.chapters.flatMap(({ path, frontMatter }) =>
    frontMatter.inspect
      .filter((name) => !INSPECTOR_NAMES.some((known) => known === name))
      .map((name) => {
        const lines = files.find((file) => file.path === path)!.text.split("\n");
        const line = lines.findIndex((text) => text.startsWith("inspect:")) + 1;
        const hint = `the inspectors are ${INSPECTOR_NAMES.join(", ")}`;
        return {
          code: "ST4002",
          message: `there is no inspector ${name}`,
          place: { file: path, line, column: 1 },
          hint,
        };
      }),
  );
  if (diagnostics.length > 0) throw new BookError(diagnostics);
}

const readSource = (path: string): string => readFileSync(join(root, path), "utf8");

function readFigure(path: string): string | null {
  const file = join(root, "book", path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}

function snapshotsOf(chapter: Chapter, book: Book): Pick<Snapshot, "files">[] {
  const { milestone } = chapter.frontMatter;
  if (milestone === null) return [];
  return [null, ...variantsOf(book, milestone)].map((variant) => tangleChapter(book, milestone, variant));
}

/** Copies a chapter's images into the site, compressed, and says what its page can start. */
function machineOffers(chapter: Chapter, book: Book, outputs: Map<string, string | Uint8Array>): MachineOffer[] {
  const { milestone } = chapter.frontMatter;
  if (milestone === null) return [];
  const number = String(milestone).padStart(2, "0");
  const tests = tangleChapter(book, milestone).files.flatMap(({ path }) => kernelTestName(path) ?? []);
  const images: Pick<MachineOffer, "kind" | "name">[] = [
    { kind: "chapter", name: "" },
    ...variantsOf(book, milestone).map((name) => ({ kind: "variant" as const, name })),
    ...tests.map((name) => ({ kind: "test" as const, name })),
  ];
  return images.map(({ kind, name }) => {
    const folder = join(root, "dist/chapters", number, ...(kind === "chapter" ? [] : [`${kind}s`, name]));
    const disk = join(folder, "disk.img");
    const source = existsSync(disk) ? disk : join(folder, "kernel.elf");
    const base = kind === "chapter" ? number : `${number}-${kind === "test" ? "test-" : ""}${name}`;
    const image = `images/${base}${source === disk ? ".img" : ".elf"}.gz`;
    outputs.set(image, gzipSync(readFileSync(source), { level: 9 }));
    outputs.set(`images/${base}.map.json`, readFileSync(join(folder, "map.json")));
    return { kind, name, image, map: `images/${base}.map.json` };
  });
}

function embedPage(shiki: Highlighter, liveReload: boolean): string {
  const article = renderPlainMarkdown(readSource("site/embed.md"), shiki);
  return renderPlainPage(
    "The machine in your page",
    "An element that boots a disk image, in three files.",
    article,
    liveReload,
  );
}

/** Gives a figure's mistake the place of the chapter that shows it. */
function placed(chapter: Chapter, render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof FigureError)) throw error;
    const place = { file: chapter.path, line: error.line, column: 1 };
    throw new BookError([{ code: "ST4001", message: error.message, place }]);
  }
}

/** Writes what changed, removes what is no longer the site's. */
function write(folder: string, outputs: ReadonlyMap<string, string | Uint8Array>): BuiltSite {
  let bytes = 0;
  for (const [path, content] of outputs) {
    const data = Buffer.from(content as Uint8Array);
    bytes += data.length;
    const file = join(folder, path);
    if (existsSync(file) && readFileSync(file).equals(data)) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isFile() && !outputs.has(path.replaceAll("\\", "/"))) rmSync(join(folder, path));
  }
  return { files: [...outputs.keys()].sort(), bytes };
}
