/** `npm start` and `npm run site`: the book as a web site, served while it is written, or as a folder of static files. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readBookFiles, watchBook } from "../tangle/io.ts";
import { BookError, type Diagnostic } from "../tangle/place.ts";
import { formatDiagnostics } from "../tangle/report.ts";
import { buildSite, startBuilds } from "./build.ts";
import { LiveSite } from "./live.ts";
import { type Gate, serveSite } from "./serve.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const DEFAULT_PORT = 8012;

const HELP = `Usage: npm start [-- --port N]     tangle, compile, render and serve the book; reloads pages when it changes
       npm run site [-- --output FOLDER]   write the static site to dist/site

  --port N         port of the development server (${DEFAULT_PORT}; the next free one where it is taken)
  --output FOLDER  where the static site goes
  --help           this text`;

class UsageError extends Error {}

function parse(): { command: string; port: number | null; output: string } {
  try {
    const { values, positionals } = parseArgs({
      options: { port: { type: "string" }, output: { type: "string" }, help: { type: "boolean" } },
      allowPositionals: true,
    });
    const command = values.help ? "help" : (positionals[0] ?? "build");
    if (positionals.length > 1) throw new UsageError(`unexpected argument ${positionals[1]}`);
    const port = values.port === undefined ? null : Number(values.port);
    if (port !== null && !(Number.isInteger(port) && port >= 0 && port < 65536)) {
      throw new UsageError(`--port takes a number from 0 to 65535, not ${values.port}`);
    }
    return { command, port, output: values.output ?? `${root}dist/site` };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function report(diagnostics: readonly Diagnostic[]): void {
  console.error(formatDiagnostics(diagnostics, readBookFiles(root)));
  console.error(
    `\n${diagnostics.length} ${diagnostics.length === 1 ? "mistake" : "mistakes"} in the book; nothing was written`,
  );
}

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** Tells the book's mistakes, once `work` has found some. */
async function reported<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BookError)) throw error;
    report(error.diagnostics);
    return null;
  }
}

async function build(output: string): Promise<number> {
  const start = performance.now();
  const site = await reported(() => buildSite(output, { liveReload: false, progress: console.log }));
  if (site === null) return 1;
  console.log(`site: ${site.files.length} files, ${Math.round(site.bytes / 1024)} KiB, ${seconds(start)}`);
  return 0;
}

/** The server on the wanted port; without a wish, on the first free one from the default. */
async function listen(folder: string, port: number | null, gate: Gate): ReturnType<typeof serveSite> {
  for (let candidate = port ?? DEFAULT_PORT; ; candidate++) {
    try {
      return await serveSite(folder, candidate, gate);
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (taken && port === null && candidate < DEFAULT_PORT + 20) continue;
      throw taken ? new UsageError(`port ${candidate} is taken; choose another with --port`) : error;
    }
  }
}

/** Serves at once; what is asked for is made first, everything else after it, and again whenever the book changes. */
async function serve(output: string, port: number | null): Promise<void> {
  let site: LiveSite | null = null;
  const gate: Gate = { wait: async (path) => (await site?.wait(path)) ?? "failed" };
  const builds = await reported(async () => startBuilds(console.log));
  if (builds === null) throw new UsageError("the book must be mended before it can be served");
  const server = await listen(output, port, gate);
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  let told = false;
  await watchBook(
    root,
    async () => {
      const start = performance.now();
      const making = await reported(
        async () => new LiveSite(output, builds, { liveReload: true, progress: console.log }, report),
      );
      if (making === null) return;
      site = making;
      if (!told) console.log(`\nThe book is at ${server.url}  (Ctrl-C ends)\nIts kernels are being built:`);
      told = true;
      await making.makePages();
      server.rebuilt();
      void making.finished().then(() => {
        if (site !== making) return;
        making.tidy();
        console.log(`all is built, ${seconds(start)}`);
      });
    },
    stop.signal,
  );
  await server.close();
  await builds.close();
}

async function main(): Promise<number> {
  const { command, port, output } = parse();
  switch (command) {
    case "help":
      console.log(HELP);
      return 0;
    case "serve":
      await serve(output, port);
      return 0;
    case "build":
      return build(output);
    default:
      throw new UsageError(`unknown command ${command}`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${HELP}`);
  process.exitCode = 1;
}
