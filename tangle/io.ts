/** The disk: reads book/, brings folders of dist/ to what they should hold, and edits back from there; all or nothing. */
import { createHash } from "node:crypto";
import {
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import { deflateSync, inflateSync } from "node:zlib";
import { type BuildCache, buildTrees, EVERYTHING, editionsOf, folderOf, type Selection, type Tree } from "./build.ts";
import type { ChapterBuild, Output } from "./chapter.ts";
import type { Book, BookFile } from "./literate/book.ts";
import type { EditionName } from "./literate/edition.ts";
import { LT } from "./literate/errors.ts";
import { readBook } from "./literate/tangle.ts";
import { type DistFolder, type Untangled, untangle } from "./literate/untangle.ts";
import type { Diagnostic } from "./place.ts";
import { formatRecord, isSource, RECORD, readRecord, withRecords } from "./record.ts";

/** What must happen for trees to be as they should: paths relative to the root, sorted. */
export interface Changes {
  readonly write: readonly Output[];
  readonly delete: readonly string[];
  /** How many files are right already. */
  readonly unchanged: number;
}

/** What to build, and how. */
export interface BuildOptions {
  /** The folder that holds book/ and dist/. */
  readonly root: string;
  /** What to build of the book, once it is read; everything, if not given. */
  readonly select?: (book: Book) => Selection;
  /** True to compare only and to write nothing. */
  readonly compareOnly?: boolean;
  /** Hears of each part as it is done. */
  readonly progress?: (line: string) => void;
}

/** What a build came to. With diagnostics, nothing was written and `changes` is empty. */
export interface BuildResult {
  /** What was read: the sources for showing the diagnostics. */
  readonly files: readonly BookFile[];
  readonly diagnostics: readonly Diagnostic[];
  readonly changes: Changes;
}

/** Reads the book, checks it, builds what is selected, and brings dist/ up to date. Throws where the disk refuses. */
export function buildBook({ root, select, compareOnly, progress }: BuildOptions): BuildResult {
  const files = readBookFiles(root);
  const { book, diagnostics } = readBook(files);
  const selection = select?.(book) ?? EVERYTHING;
  const nothing: Changes = { write: [], delete: [], unchanged: 0 };
  if (diagnostics.length > 0) return { files, diagnostics, changes: nothing };
  const built = buildTrees(book, selection, diskCache(root, compareOnly === true), progress ?? (() => {}));
  if (built.diagnostics.length > 0) return { files, diagnostics: built.diagnostics, changes: nothing };
  const trees = built.trees.map((tree) => withRecords(tree, digest));
  const changes = compareTrees(root, trees);
  if (compareOnly === true) return { files, diagnostics: [], changes };
  const edited = editedFiles(root, changes);
  if (edited.length > 0) return { files, diagnostics: edited.map(wouldBeLost), changes: nothing };
  applyChanges(root, changes);
  return { files, diagnostics: [], changes };
}

/** The tangled files that the changes would overwrite or delete, though somebody has edited them since. */
function editedFiles(root: string, changes: Changes): string[] {
  const recorded = new Map<string, string>();
  const paths = [...changes.write.map(({ path }) => path), ...changes.delete];
  for (const folder of new Set(paths.flatMap(foldersAbove))) {
    const file = join(root, folder, RECORD);
    if (!existsSync(file)) continue;
    const record = readRecord(readFileSync(file, "utf8")) ?? new Map<string, string>();
    for (const [name, tangled] of record) recorded.set(`${folder}/${name}`, tangled);
  }
  return paths.filter((path) => {
    const file = join(root, path);
    const tangled = recorded.get(path);
    return tangled !== undefined && existsSync(file) && digest(readFileSync(file)) !== tangled;
  });
}

/** `dist/chapters/03/kernel`, `dist/chapters/03`, `dist/chapters`, `dist` for a path in the first. */
function foldersAbove(path: string): string[] {
  const folder = dirname(path);
  return folder === "." ? [] : [folder, ...foldersAbove(folder)];
}

function wouldBeLost(path: string): Diagnostic {
  return {
    code: LT.wouldBeLost,
    message: "the file was edited since it was tangled, and tangling would lose that",
    place: { file: path, line: 1, column: 1 },
    hint: "carry the edit into the book with `npm run tangle -- untangle`, or delete the file to discard it",
  };
}

/** What came of carrying edits back. With diagnostics, nothing was written. */
export interface UntangleResult extends Untangled {
  /** What was read, of the book and of dist/: the sources for showing the diagnostics. */
  readonly read: readonly BookFile[];
  /** The folders of dist/ that are there. */
  readonly folders: readonly string[];
}

/** Carries the edits in the selected folders of dist/ back into the book, all or none. Throws where the disk refuses. */
export function untangleBook(root: string, select: (book: Book) => Selection): UntangleResult {
  const files = readBookFiles(root);
  const { book } = readBook(files);
  const folders = editionsOf(select(book), book).flatMap((edition) => readDistFolder(root, edition) ?? []);
  const untangled = untangle(files, folders, digest);
  const text = new TextEncoder();
  const write: Output[] = untangled.files.map(({ path, text: whole }) => ({ path, bytes: text.encode(whole) }));
  for (const { folder, files, record } of folders) {
    const sources = untangled.sources.filter((source) => source.folder === folder);
    if (sources.length === 0) continue;
    // These files are what the book says now, as if they were tangled from it.
    const now = sources.map(({ path }) => [path, files.get(path)!.digest] as const);
    write.push({ path: `${folder}/${RECORD}`, bytes: formatRecord(new Map([...record!, ...now])) });
  }
  applyChanges(root, { write, delete: [], unchanged: 0 });
  const edited = folders.flatMap(({ folder, files }) =>
    [...files].map(([path, { text: whole }]) => ({ path: `${folder}/${path}`, text: whole })),
  );
  return { ...untangled, read: [...files, ...edited], folders: folders.map(({ folder }) => folder) };
}

/** The tangled files in the folder of an edition as they are now; null where there is no such folder. */
function readDistFolder(root: string, edition: EditionName): DistFolder | null {
  const folder = folderOf(edition);
  const paths = filesBelow(root, folder).map((path) => path.slice(folder.length + 1));
  if (paths.length === 0) return null;
  const read = paths
    .filter((path) => isSource(folder, path))
    .map((path) => {
      const bytes = readFileSync(join(root, folder, path));
      return [path, { text: bytes.toString("utf8"), digest: digest(bytes) }] as const;
    });
  const record = paths.includes(RECORD) ? readRecord(readFileSync(join(root, folder, RECORD), "utf8")) : null;
  return { edition, folder, files: new Map(read), record };
}

/** Digest of the toolchain's own sources: with another compiler, an old build is no build. */
function toolchain(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const sources = ["tangle", "machine/isa"].flatMap((folder) => filesBelow(root, folder)).sort();
  return digest(sources.map((path) => `${path} ${digest(readFileSync(join(root, path)))}`).join("\n"));
}

/**
 * Builds of earlier runs in dist/.cache, one compressed file an edition, each under the digest of what it was built from
 * and with. A file that cannot be read is as good as none.
 */
function diskCache(root: string, readOnly: boolean): BuildCache {
  const tools = toolchain();
  const fileOf = (edition: string): string => join(root, "dist", ".cache", edition);
  const keyOf = (source: string): string => digest(`${tools}\n${source}`);
  return {
    get(edition, source) {
      try {
        const { key, build } = deserialize(inflateSync(readFileSync(fileOf(edition)))) as CachedBuild;
        return key === keyOf(source) ? build : null;
      } catch {
        return null;
      }
    },
    set(edition, source, build) {
      if (readOnly || build.diagnostics.length > 0) return;
      mkdirSync(join(root, "dist", ".cache"), { recursive: true });
      const cached: CachedBuild = { key: keyOf(source), build };
      const temporary = `${fileOf(edition)}.${process.pid}`;
      writeFileSync(temporary, deflateSync(serialize(cached), { level: 1 }));
      renameSync(temporary, fileOf(edition));
    },
  };
}

interface CachedBuild {
  readonly key: string;
  readonly build: ChapterBuild;
}

function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The Markdown files of `root`/book, by name; none where there is no such folder. */
export function readBookFiles(root: string): BookFile[] {
  return listFolder(join(root, "book"))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => `book/${entry.name}`)
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** The text of a built chapter's map.json; null where it has not been built. */
export function readMap(root: string, edition: EditionName): string | null {
  const path = join(root, folderOf(edition), "map.json");
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

/** Compares trees with the disk. Changes nothing. */
export function compareTrees(root: string, trees: readonly Tree[]): Changes {
  const write: Output[] = [];
  const orphans: string[] = [];
  let unchanged = 0;
  for (const { folder, outputs } of trees) {
    const wanted = new Set<string>();
    for (const output of outputs) {
      const path = `${folder}/${output.path}`;
      wanted.add(path);
      if (hasContent(join(root, path), output.bytes)) unchanged++;
      else write.push({ path, bytes: output.bytes });
    }
    orphans.push(...filesBelow(root, folder).filter((path) => !wanted.has(path)));
  }
  return { write, delete: orphans.sort(), unchanged };
}

/**
 * Makes the changes. Every new file is first written in full beside dist/'s other contents, so that a full disk or a
 * forbidden folder leaves the trees as they were; only then are orphans deleted and files moved into place.
 */
export function applyChanges(root: string, changes: Changes): void {
  if (changes.write.length + changes.delete.length === 0) return;
  mkdirSync(join(root, "dist"), { recursive: true });
  const staging = mkdtempSync(join(root, "dist", ".staging-"));
  try {
    for (const [index, { bytes }] of changes.write.entries()) writeFileSync(join(staging, String(index)), bytes);
    for (const path of changes.delete) {
      rmSync(join(root, path));
      removeEmptyFolders(root, dirname(path));
    }
    for (const [index, { path }] of changes.write.entries()) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      renameSync(join(staging, String(index)), join(root, path));
    }
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * Calls `changed` after files of `root`/book were changed, added or deleted, once for changes that come together, and
 * never twice at a time. Resolves when `signal` ends the watch.
 */
export async function watchBook(root: string, changed: () => Promise<void>, signal: AbortSignal): Promise<void> {
  // Only those who watch need it.
  const { watch } = await import("chokidar");
  const watcher = watch(join(root, "book"), { ignoreInitial: true });
  await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  watcher.on("all", (_event, path) => {
    if (!path.endsWith(".md")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      running = running.then(changed);
    }, 50);
  });
  running = changed();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  clearTimeout(timer);
  await running;
  // Closed from inside one of its own events, chokidar 5 leaves a watcher behind; by the next macrotask it is safe.
  await new Promise((resolve) => setImmediate(resolve));
  await watcher.close();
}

function hasContent(path: string, bytes: Uint8Array): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === bytes.length && readFileSync(path).equals(bytes);
}

function listFolder(path: string): Dirent[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(path, { withFileTypes: true });
}

/** All files below a folder, as paths relative to the root. */
function filesBelow(root: string, folder: string): string[] {
  return listFolder(join(root, folder)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(root, path) : [path];
  });
}

/** Removes a folder and those above it, as far as they are empty, but never dist/ itself. */
function removeEmptyFolders(root: string, folder: string): void {
  if (!folder.includes("/") || readdirSync(join(root, folder)).length > 0) return;
  rmdirSync(join(root, folder));
  removeEmptyFolders(root, dirname(folder));
}
