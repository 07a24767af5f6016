/** The site's scripts, bundled: the page's own, the machine element, and the worker it runs in. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

const ENTRIES = {
  theme: "site/client/theme.ts",
  page: "site/client/page.ts",
  "taiji-machine": "machine/hosts/page/element.ts",
  "taiji-machine-worker": "machine/hosts/page/worker.ts",
} as const;

/** Script name (`page.js`) → text. Throws esbuild's error, with its place, where a source does not parse. */
export async function bundleScripts(): Promise<Map<string, string>> {
  const result = await build({
    absWorkingDir: root,
    entryPoints: Object.entries(ENTRIES).map(([out, entry]) => ({ in: entry, out })),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    outdir: "out",
    legalComments: "none",
    logLevel: "silent",
  });
  return new Map(result.outputFiles.map((file) => [file.path.split(/[\\/]/).pop()!, file.text]));
}
