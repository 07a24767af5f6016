/** The development server: the files of one folder, as soon as they are made, and a stream that says when they were built anew. */
import { createReadStream, statSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".ts": "text/plain; charset=utf-8",
};

export interface SiteServer {
  /** Where the site is, for instance `http://127.0.0.1:8012/`. */
  readonly url: string;
  /** Tells every open page to reload. */
  rebuilt(): void;
  close(): Promise<void>;
}

/** `images/07.img.gz`, `index.html`. */
function pathOf(pathname: string): string {
  return pathname.endsWith("/") ? `${pathname.slice(1)}index.html` : pathname.slice(1);
}

/** The file that a request path names inside `folder`, or null. */
function fileFor(folder: string, path: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return null;
  }
  const file = normalize(join(folder, decoded.endsWith("/") ? `${decoded}index.html` : decoded));
  if (!file.startsWith(folder + sep)) return null;
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}

/** Whether a file can be served: `wait` resolves once it is made, or never will be. */
export interface Gate {
  wait(path: string): Promise<"ready" | "failed">;
}

const OPEN: Gate = { wait: async () => "ready" };

/**
 * Serves `folder` on the loopback interface. Port 0 takes any free one. Rejects where the port is taken. `gate` is asked
 * before each file.
 */
export async function serveSite(folder: string, port: number, gate: Gate = OPEN): Promise<SiteServer> {
  const listeners = new Set<ServerResponse>();
  const server: Server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/live-reload") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": open\n\n");
      listeners.add(response);
      request.on("close", () => listeners.delete(response));
      return;
    }
    if ((await gate.wait(pathOf(pathname))) === "failed") {
      response.writeHead(503, { "content-type": "text/plain; charset=utf-8" });
      response.end("The book has mistakes; the terminal tells them.\n");
      return;
    }
    const file = request.method === "GET" || request.method === "HEAD" ? fileFor(folder, pathname) : null;
    if (file === null) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end(`There is no ${pathname} in this site.\n`);
      return;
    }
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    if (request.method === "HEAD") response.end();
    else createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const actual = typeof address === "object" && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${actual}/`,
    rebuilt() {
      for (const listener of listeners) listener.write("event: rebuilt\ndata: now\n\n");
    },
    close() {
      for (const listener of listeners) listener.end();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
