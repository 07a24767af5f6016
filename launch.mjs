/**
 * Runs a command of this repository: `node launch.mjs tangle/cli.ts --chapter 9`. Its TypeScript is bundled into one
 * file below dist/.cache, once, and again when a source has changed: that starts ten times faster than each file alone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const folder = join(root, "dist/.cache/commands");

/** What tells one state of a file from another. */
const stateOf = (path) => {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  return stat === undefined ? "" : `${stat.mtimeMs} ${stat.size}`;
};

/** Whether the bundle was made of the sources, and by the packages, as they are now. */
function isFresh(made) {
  if (!existsSync(made)) return false;
  try {
    const { inputs } = JSON.parse(readFileSync(`${made}.json`, "utf8"));
    return Object.entries(inputs).every(([path, state]) => stateOf(path) === state);
  } catch {
    return false;
  }
}

/** Sources that ask where they are get the answer that they had before they were bundled. */
const ownPlaces = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /\.m?[jt]s$/ }, ({ path }) => {
      const place = JSON.stringify(pathToFileURL(path).href);
      const loader = path.endsWith("ts") ? "ts" : "js";
      return { contents: readFileSync(path, "utf8").replace(/\bimport\.meta\.url\b/g, place), loader };
    });
  },
};

/** Writes a file whole: others may read it meanwhile. */
function write(path, text) {
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
}

/** Path of the bundle of a source, such as `site/chapter-worker.ts`, for Node to run. Rejects where it cannot be bundled. */
export async function bundled(entry) {
  const made = join(folder, `${entry.replaceAll("/", "-").replace(/\.ts$/, "")}.mjs`);
  if (isFresh(made)) return made;
  const { build } = await import("esbuild");
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    plugins: [ownPlaces],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const inputs = ["package-lock.json", ...Object.keys(metafile.inputs)].map((path) => [path, stateOf(path)]);
  mkdirSync(folder, { recursive: true });
  write(made, outputFiles[0].text);
  write(`${made}.json`, JSON.stringify({ inputs: Object.fromEntries(inputs) }));
  return made;
}

const TANGLE = "tangle/cli.ts";

/** Commands import the machine, which a fresh clone does not have: it is tangled first. */
function tangleMachine() {
  const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), TANGLE, "--machine"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const entry = process.argv[2];
  if (entry !== TANGLE && !existsSync(join(root, "dist/machine/machine.ts"))) tangleMachine();
  const made = await bundled(entry);
  process.argv.splice(1, 2, join(root, entry));
  await import(pathToFileURL(made).href);
}
