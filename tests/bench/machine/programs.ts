/** The bench's own programs, bundled: each a single script that starts as fast as the site's do. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name: string) => join(import.meta.dirname, `${name}.ts`);

/** Writes `guest-node.mjs`, `v86-node.mjs` and the scripts of the pages into `folder`. */
export async function bundlePrograms(folder: string): Promise<void> {
  const shared = {
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    outdir: folder,
    absWorkingDir: fileURLToPath(new URL("../../..", import.meta.url)),
    logLevel: "error",
  } as const;
  const inNode = ["guest-node", "v86-node", "start-node"].map(here);
  const inPages = ["guest-worker", "guest-page", "v86-page"].map(here);
  await build({ ...shared, entryPoints: inNode, platform: "node", outExtension: { ".js": ".mjs" } });
  await build({ ...shared, entryPoints: inPages, platform: "browser" });
}
