/** Scripts, bundled: the page's own, the machine element with the worker it runs in, and the thread that builds chapters. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundled } from "../launch.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** These load each other. */
const TOGETHER = {
  page: "site/client/page.ts",
  search: "site/client/search.ts",
} as const;

/** Each of these is whole: the theme runs before the page is drawn, the machine is two files that anyone can take along. */
const ALONE = {
  theme: "site/client/theme.ts",
  "taiji-machine": "machine/hosts/page/element.ts",
  "taiji-machine-worker": "machine/hosts/page/worker.ts",
} as const;

/** Script name (`page.js`) → text. Throws esbuild's error, with its place, where a source does not parse. */
export async function bundleScripts(): Promise<Map<string, string>> {
  const bundle = (entries: Readonly<Record<string, string>>, splitting: boolean) =>
    build({
      absWorkingDir: root,
      entryPoints: Object.entries(entries).map(([out, entry]) => ({ in: entry, out })),
      bundle: true,
      splitting,
      minify: true,
      format: "esm",
      target: "es2022",
      write: false,
      outdir: "out",
      legalComments: "none",
      logLevel: "silent",
    });
  const results = await Promise.all([bundle(TOGETHER, true), bundle(ALONE, false)]);
  const files = results.flatMap(({ outputFiles }) => outputFiles);
  return new Map(files.map((file) => [file.path.split(/[\\/]/).pop()!, file.text]));
}

/** The thread that builds chapters, as a file that Node runs; dist/machine must be there. Gives its path. */
export function bundleThread(): Promise<string> {
  return bundled("site/chapter-worker.ts");
}
