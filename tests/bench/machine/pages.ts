/** Chromium for the bench: a server on this machine for the page's files, and a fresh page for each run. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { openBrowser } from "../../site/browser.ts";
import type { GuestRun } from "./guest.ts";
import type { GuestResult } from "./marks.ts";
import { FIRMWARE } from "./v86.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
/** What the site's pages allow, so that the engine is measured under it. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";

/** A browser in which disks can be run. */
export interface BenchPages {
  readonly version: string;
  ours(disk: string, options: Omit<GuestRun, "image">): Promise<GuestResult>;
  v86(disk: string, limit: number): Promise<GuestResult>;
  close(): Promise<void>;
}

/** `programs` holds the bundled scripts, `library` v86's files. */
export async function openPages(programs: string, library: string): Promise<BenchPages> {
  let disk = "";
  const files = (path: string): string | null => {
    if (path === "/disk.img") return disk;
    if (path === "/bios.bin") return FIRMWARE.bios;
    if (path === "/video.bin") return FIRMWARE.video;
    const name = path.slice(1);
    if (["libv86.mjs", "v86.wasm"].includes(name)) return join(library, name);
    return ["guest-page.js", "guest-worker.js", "v86-page.js"].includes(name) ? join(programs, name) : null;
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const page = /^\/(guest|v86)-page$/.exec(path);
    const file = files(path);
    // Both headers together give the page a fine clock.
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    if (page?.[1] === "guest" || path === "/guest-worker.js") response.setHeader("Content-Security-Policy", POLICY);
    if (page !== null) {
      response.setHeader("Content-Type", "text/html");
      response.end(`<!doctype html><title>bench</title><script type="module" src="${path}.js"></script>`);
    } else if (file === null) {
      response.statusCode = 404;
      response.end();
    } else {
      response.setHeader("Content-Type", TYPES[extname(file)] ?? "application/octet-stream");
      response.end(readFileSync(file));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { context, close } = await openBrowser();

  const run = async (page: string, name: string, argument: unknown): Promise<GuestResult> => {
    const tab = await context.newPage();
    try {
      await tab.goto(`${origin}/${page}`);
      await tab.waitForFunction((wanted) => wanted in globalThis, name);
      return await tab.evaluate(
        ([wanted, given]) =>
          (globalThis as unknown as Record<string, (given: unknown) => Promise<GuestResult>>)[wanted as string]!(given),
        [name, argument],
      );
    } finally {
      await tab.close();
    }
  };
  return {
    version: context.browser()?.version() ?? "",
    ours(path, options) {
      disk = path;
      return run("guest-page", "runGuest", options);
    },
    v86(path, limit) {
      disk = path;
      return run("v86-page", "runV86", limit);
    },
    async close() {
      await close();
      server.close();
    },
  };
}
