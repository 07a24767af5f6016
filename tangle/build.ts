/** Builds the chosen part of the book into the folders of dist/. Pure: what is on the disk does not matter here. */
import { buildChapter, type ChapterBuild, type Output } from "./chapter.ts";
import type { Book, Snapshot } from "./literate/book.ts";
import type { EditionName } from "./literate/edition.ts";
import { chapterNumbers, tangleChapter, tangleMachine, variantsOf } from "./literate/tangle.ts";
import type { Diagnostic } from "./place.ts";

/** What to build. */
export interface Selection {
  readonly chapters: "all" | readonly number[];
  /** One variant alone, or null for chapters with all their variants. */
  readonly variant: string | null;
  readonly machine: boolean;
}

/** All chapters with their variants, and the machine. */
export const EVERYTHING: Selection = { chapters: "all", variant: null, machine: true };

/** A folder of the repository and all files that it is to hold; whatever else is in it is an orphan. */
export interface Tree {
  /** `dist/machine`, `dist/chapters/03` */
  readonly folder: string;
  readonly outputs: readonly Output[];
}

/** The folder of an edition: `dist/chapters/03/variants/trap`, `dist/machine`. */
export function folderOf({ chapter, variant }: EditionName): string {
  if (chapter === null) return "dist/machine";
  const folder = `dist/chapters/${String(chapter).padStart(2, "0")}`;
  return variant === null ? folder : `${folder}/variants/${variant}`;
}

/** The editions that a selection has. */
export function editionsOf({ chapters, variant, machine }: Selection, book: Book): EditionName[] {
  const numbers = chapters === "all" ? chapterNumbers(book) : chapters;
  const variants = (chapter: number): readonly (string | null)[] =>
    variant === null ? [null, ...variantsOf(book, chapter)] : [variant];
  return [
    ...(machine ? [{ chapter: null, variant: null }] : []),
    ...numbers.flatMap((chapter) => variants(chapter).map((variant) => ({ chapter, variant }))),
  ];
}

/** Builds of earlier runs by edition: `3`, `3-panic`. `source` is all that a build depends on. */
export interface BuildCache {
  /** The build of an edition from exactly this source, if there was one. */
  get(edition: string, source: string): ChapterBuild | null;
  set(edition: string, source: string, build: ChapterBuild): void;
}

/** Builds the selection; `progress` hears of each chapter as it is done. */
export function buildTrees(
  book: Book,
  selection: Selection,
  cache: BuildCache,
  progress: (line: string) => void,
): { trees: readonly Tree[]; diagnostics: readonly Diagnostic[] } {
  const trees: Tree[] = [];
  const diagnostics = new Map<string, Diagnostic>();
  if (selection.machine) {
    const start = performance.now();
    const outputs = tangleMachine(book).map((file) => ({
      path: file.path.slice("machine/".length),
      bytes: new TextEncoder().encode(file.text),
    }));
    trees.push({ folder: folderOf({ chapter: null, variant: null }), outputs });
    progress(`machine: ${outputs.length} files, ${Math.round(performance.now() - start)} ms`);
  }

  const chapters: { readonly folder: string; readonly outputs: Output[] }[] = [];
  for (const chapter of selection.chapters === "all" ? chapterNumbers(book) : selection.chapters) {
    const outputs: Output[] = [];
    for (const variant of selection.variant === null ? [null, ...variantsOf(book, chapter)] : [selection.variant]) {
      const start = performance.now();
      const built = buildOnce(tangleChapter(book, chapter, variant), loaderFor(book, chapter), cache);
      // A mistake in chapter 2 shows in every later chapter too; it is one mistake.
      for (const diagnostic of built.diagnostics) diagnostics.set(JSON.stringify(diagnostic), diagnostic);
      const below = variant === null || selection.variant !== null ? "" : `variants/${variant}/`;
      outputs.push(...built.outputs.map(({ path, bytes }) => ({ path: below + path, bytes })));
      const name = variant === null ? `chapter ${chapter}` : `chapter ${chapter}, variant ${variant}`;
      progress(`${name}: ${built.outputs.length} files, ${Math.round(performance.now() - start)} ms`);
    }
    chapters.push({ folder: folderOf({ chapter, variant: selection.variant }), outputs });
  }
  if (selection.chapters === "all") {
    // One tree for all of them, so that the folder of a chapter that is gone is an orphan.
    const outputs = chapters.flatMap(({ folder, outputs }) =>
      outputs.map(({ path, bytes }) => ({ path: `${folder.slice("dist/chapters/".length)}/${path}`, bytes })),
    );
    trees.push({ folder: "dist/chapters", outputs });
  } else trees.push(...chapters);
  return { trees, diagnostics: [...diagnostics.values()] };
}

/** A chapter before the book's own loader borrows that of the first chapter that has one; null for all others. */
function loaderFor(book: Book, chapter: number): Snapshot | null {
  const hasLoader = (snapshot: Snapshot): boolean => snapshot.files.some((file) => file.path.startsWith("boot/"));
  if (hasLoader(tangleChapter(book, chapter))) return null;
  const later = chapterNumbers(book).filter((number) => number > chapter);
  return later.map((number) => tangleChapter(book, number)).find(hasLoader) ?? null;
}

function buildOnce(snapshot: Snapshot, loader: Snapshot | null, cache: BuildCache): ChapterBuild {
  const edition = snapshot.variant === null ? `${snapshot.chapter}` : `${snapshot.chapter}-${snapshot.variant}`;
  const source = JSON.stringify([snapshot, loader]);
  const known = cache.get(edition, source);
  if (known !== null) return known;
  const build = buildChapter(snapshot, loader);
  cache.set(edition, source, build);
  return build;
}
