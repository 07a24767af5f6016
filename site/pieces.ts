/** What the site consists of: its pages, scripts and images in pieces, each with the work that makes it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { deflateRawSync, gzip, inflateRawSync } from "node:zlib";
import { INSPECTOR_NAMES } from "../machine/debug/inspection.ts";
import { readBookFiles } from "../tangle/io.ts";
import { tellBlocks } from "../tangle/literate/blocks.ts";
import type { Book, BookFile, Chapter, Snapshot } from "../tangle/literate/book.ts";
import { readBook, tangleChapter, tangleMachine, variantsOf } from "../tangle/literate/tangle.ts";
import { BookError } from "../tangle/place.ts";
import { bundleScripts } from "./bundle.ts";
import type { ChapterBuilds } from "./chapter-builds.ts";
import { type ChapterContext, pageName } from "./render/chapter.ts";
import { renderCover, screenPicture } from "./render/cover.ts";
import { FigureError } from "./render/figures.ts";
import { createHighlighter, type Highlighter, type KeepingHighlighter } from "./render/highlight.ts";
import { type MachineOffer, machineOffers } from "./render/offers.ts";
import { renderChapterPage, renderPlainPage } from "./render/pages.ts";
import { renderPlainMarkdown } from "./render/plain.ts";
import { buildSearchIndex } from "./render/search-index.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export type Outputs = ReadonlyMap<string, string | Uint8Array>;

/** Some files of the site that are made together. */
export interface Piece {
  /** Relative to the site's folder. */
  readonly paths: readonly string[];
  /** Throws `BookError` for the book's mistakes. */
  readonly make: () => Promise<Outputs>;
  /** Another thread makes it; this asks for it to be the next. */
  readonly hurry?: () => void;
}

export interface SiteOptions {
  /** Pages reload when the server says that they were built anew. */
  readonly liveReload: boolean;
  /** Hears of each chapter's kernels as they are built. */
  readonly progress: (line: string) => void;
}

/**
 * The pieces of the site of the book as it is now: first what the cover needs, then the pages, in the order of the
 * book, then the images. Throws `BookError` where the book cannot be tangled.
 */
export function sitePieces(builds: ChapterBuilds, { liveReload, progress }: SiteOptions): Piece[] {
  const files = readBookFiles(root);
  const { book, diagnostics } = readBook(files);
  if (diagnostics.length > 0) throw new BookError(diagnostics);
  checkInspectors(files, book);
  const chapters = [...book.chapters, ...book.appendices];
  const stories = tellBlocks(book);
  const machineFiles = { files: tangleMachine(book) };

  const pages = chapters.map((chapter): Piece => {
    const page = pageName(chapter.path);
    const make = async (): Promise<Outputs> => {
      const text = files.find(({ path }) => path === chapter.path)!.text;
      const snapshots = [...snapshotsOf(chapter, book), machineFiles];
      const context = { book, chapter, text, stories, snapshots, highlighter: await highlighter(), readFigure };
      return new Map([[page, renderPage(context, machineOffers(book, chapter), liveReload)]]);
    };
    return { paths: [page], make };
  });
  const images = book.chapters.map((chapter) => imagePiece(chapter, machineOffers(book, chapter), builds, progress));
  return [
    staticPiece(files),
    piece("index.html", () => renderCover(book, liveReload)),
    ...pages,
    ...images,
    piece("search.json", () => JSON.stringify(buildSearchIndex(book, files))),
    piece("embed.html", async () => embedPage(await highlighter(), liveReload)),
  ];
}

function piece(path: string, make: () => string | Promise<string>): Piece {
  return { paths: [path], make: async () => new Map([[path, await make()]]) };
}

const STYLE_SHEET = "assets/site.css";
/** What it is made of, in this order: later rules win. */
const STYLES = ["page", "code", "figures", "search", "contents", "print"];

const SCRIPTS = ["theme", "page", "search", "taiji-machine", "taiji-machine-worker"];

/** Scripts, styles, and the chapters' own text: the machine quotes their lines beside its instructions. */
function staticPiece(files: readonly BookFile[]): Piece {
  const copies = new Map([
    ["assets/icon.svg", "site/styles/icon.svg"],
    ["assets/taiji-machine.d.ts", "machine/hosts/page/api.ts"],
  ]);
  const make = async (): Promise<Outputs> => {
    const outputs = new Map<string, string>([...copies].map(([path, source]) => [path, readSource(source)]));
    outputs.set(STYLE_SHEET, STYLES.map((name) => readSource(`site/styles/${name}.css`)).join("\n"));
    for (const { path, text } of files) outputs.set(path, text);
    for (const [name, text] of await bundleScripts()) outputs.set(`assets/${name}`, text);
    // GitHub Pages would otherwise run the folder through Jekyll.
    return outputs.set(".nojekyll", "");
  };
  const scripts = SCRIPTS.map((name) => `assets/${name}.js`);
  const paths = [...copies.keys(), STYLE_SHEET, ...files.map(({ path }) => path), ...scripts];
  return { paths, make };
}

const gzipped = promisify(gzip);

/** A chapter's images, compressed, with their maps, and the picture of its screen. */
function imagePiece(
  chapter: Chapter,
  offers: readonly MachineOffer[],
  builds: ChapterBuilds,
  progress: SiteOptions["progress"],
): Piece {
  const milestone = chapter.frontMatter.milestone!;
  const make = async (): Promise<Outputs> => {
    const { diagnostics, picture, lines } = await builds.build(milestone);
    if (diagnostics.length > 0) throw new BookError(diagnostics);
    for (const line of lines) progress(line);
    const outputs = new Map<string, string | Uint8Array>([[screenPicture(milestone), picture!]]);
    for (const { folder, file, image, map } of offers) {
      const built = join(root, "dist/chapters", folder);
      outputs.set(image, await gzipped(readFileSync(join(built, file)), { level: 9 }));
      outputs.set(map, readFileSync(join(built, "map.json")));
    }
    return outputs;
  };
  const paths = [screenPicture(milestone), ...offers.flatMap(({ image, map }) => [image, map])];
  return { paths, make, hurry: () => builds.hurry(milestone) };
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
function renderPage(context: ChapterContext, offers: readonly MachineOffer[], liveReload: boolean): string {
  try {
    return renderChapterPage(context, offers, liveReload);
  } catch (error) {
    if (!(error instanceof FigureError)) throw error;
    const place = { file: context.chapter.path, line: error.line, column: 1 };
    throw new BookError([{ code: "ST4001", message: error.message, place }]);
  }
}

/** What was highlighted in earlier runs: to highlight the whole book takes seconds. */
const HIGHLIGHTED = join(root, "dist/.cache/highlighted");

interface Highlighted {
  /** The highlighter that it comes from; another one may do it differently. */
  readonly by: string;
  readonly lines: readonly (readonly [string, readonly string[]])[];
}

function highlightedBy(): string {
  const { dependencies } = JSON.parse(readSource("package.json")) as { dependencies: Record<string, string> };
  return `${dependencies.shiki}\n${readSource("site/render/highlight.ts")}`;
}

let started: Promise<KeepingHighlighter> | null = null;

/** One highlighter serves all builds of a run. */
function highlighter(): Promise<KeepingHighlighter> {
  started ??= createHighlighter(readHighlighted());
  return started;
}

function readHighlighted(): Map<string, readonly string[]> {
  try {
    const { by, lines } = JSON.parse(inflateRawSync(readFileSync(HIGHLIGHTED)).toString("utf8")) as Highlighted;
    return new Map(by === highlightedBy() ? lines : []);
  } catch {
    return new Map(); // none yet, or of no use
  }
}

/** Keeps what was highlighted in this run for the next one. */
export async function keepHighlighted(): Promise<void> {
  if (started === null) return;
  const { used, isNew } = await started;
  if (!isNew()) return;
  const kept: Highlighted = { by: highlightedBy(), lines: [...used] };
  mkdirSync(join(root, "dist/.cache"), { recursive: true });
  writeFileSync(HIGHLIGHTED, deflateRawSync(JSON.stringify(kept), { level: 1 }));
}
