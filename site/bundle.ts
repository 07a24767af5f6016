/** Scripts, bundled: the page's own, the machine element with the worker it runs in, and the thread that builds chapters. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

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

/** Sources that ask where they are get the answer that they had before they were bundled. */
const ownPlaces: Plugin = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const place = JSON.stringify(pathToFileURL(path).href);
      return { contents: readFileSync(path, "utf8").replaceAll("import.meta.url", place), loader: "ts" };
    });
  },
};

/** The thread that builds chapters, as a file that Node runs; dist/machine must be there. Gives its path. */
export async function bundleThread(): Promise<string> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: ["site/chapter-worker.ts"],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    sourcemap: "inline",
    plugins: [ownPlaces],
    write: false,
    logLevel: "silent",
  });
  const folder = `${root}dist/.cache`;
  const script = `${folder}/chapter-worker.mjs`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${script}.${process.pid}`, result.outputFiles[0]!.text);
  renameSync(`${script}.${process.pid}`, script);
  return script;
}
