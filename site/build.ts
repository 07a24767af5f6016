/** The whole site: pages, scripts, styles, disk images → one folder of static files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildBook } from "../tangle/io.ts";
import { BookError, type Diagnostic } from "../tangle/place.ts";
import { bundleThread } from "./bundle.ts";
import { ChapterBuilds } from "./chapter-builds.ts";
import { keepHighlighted, type Outputs, type SiteOptions, sitePieces } from "./pieces.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

export interface BuiltSite {
  /** Paths relative to the output folder. */
  readonly files: readonly string[];
  readonly bytes: number;
}

/** Tangles the machine, and starts what builds chapters with it. Throws `BookError`. */
export function startBuilds(progress: (line: string) => void): ChapterBuilds {
  const select = () => ({ chapters: [], variant: null, machine: true });
  const { diagnostics } = buildBook({ root, select, progress });
  if (diagnostics.length > 0) throw new BookError(diagnostics);
  return new ChapterBuilds(bundleThread(), root);
}

/**
 * Builds the kernels and renders the site into `output`, whose other files are removed. Throws `BookError` for the
 * book's mistakes; then nothing is written there.
 */
export async function buildSite(output: string, options: SiteOptions): Promise<BuiltSite> {
  const builds = startBuilds(options.progress);
  try {
    const made = await Promise.allSettled(sitePieces(builds, options).map(({ make }) => make()));
    const failures = made.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
    throwMistakes(failures);
    const outputs = new Map(made.flatMap((result) => (result.status === "fulfilled" ? [...result.value] : [])));
    await keepHighlighted();
    writeOutputs(output, outputs);
    removeOthers(output, new Set(outputs.keys()));
    const bytes = [...outputs.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0);
    return { files: [...outputs.keys()].sort(), bytes };
  } finally {
    await builds.close();
  }
}

/** A mistake in one chapter shows in every later one too; it is one mistake. */
function throwMistakes(failures: readonly unknown[]): void {
  const other = failures.find((failure) => !(failure instanceof BookError));
  if (other !== undefined) throw other;
  const diagnostics = new Map<string, Diagnostic>();
  for (const failure of failures as BookError[])
    for (const diagnostic of failure.diagnostics) diagnostics.set(JSON.stringify(diagnostic), diagnostic);
  if (diagnostics.size > 0) throw new BookError([...diagnostics.values()]);
}

/** Writes what changed. */
export function writeOutputs(folder: string, outputs: Outputs): void {
  for (const [path, content] of outputs) {
    const data = Buffer.from(content as Uint8Array);
    const file = join(folder, path);
    if (existsSync(file) && readFileSync(file).equals(data)) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data);
  }
}

/** Removes what is no longer the site's. */
export function removeOthers(folder: string, paths: ReadonlySet<string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isFile() && !paths.has(path.replaceAll("\\", "/"))) rmSync(join(folder, path));
  }
}
