/** The development server: who asks for what is still being made waits for it, and it is made next. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ChapterBuilds } from "../../site/chapter-builds.ts";
import { LiveSite } from "../../site/live.ts";
import { serveSite } from "../../site/serve.ts";
import { PATIENCE } from "./site.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "taiji-live-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a request waits for its file, and is told when it cannot be made", async () => {
  let open: (readiness: "ready" | "failed") => void = () => {};
  const asked: string[] = [];
  const wait = (path: string): Promise<"ready" | "failed"> => {
    asked.push(path);
    return path === "now.txt" ? Promise.resolve("ready") : new Promise((resolve) => (open = resolve));
  };
  const server = await serveSite(folder, 0, { wait });
  writeFileSync(join(folder, "now.txt"), "now");
  expect(await (await fetch(`${server.url}now.txt`)).text()).toBe("now");
  const later = fetch(`${server.url}later.txt`);
  await expect.poll(() => asked, PATIENCE).toContain("later.txt");
  writeFileSync(join(folder, "later.txt"), "later");
  open("ready");
  expect(await (await later).text()).toBe("later");
  const never = fetch(server.url);
  await expect.poll(() => asked, PATIENCE).toContain("index.html");
  open("failed");
  expect((await never).status).toBe(503);
  await server.close();
});

test("pages do not wait for kernels, and a disk that is asked for is built next", async () => {
  const hurried: number[] = [];
  const builds = { build: () => new Promise(() => {}), hurry: (chapter: number) => hurried.push(chapter) };
  const site = new LiveSite(
    folder,
    builds as unknown as ChapterBuilds,
    { liveReload: true, progress: () => {} },
    () => {},
  );
  const making = site.makePages();
  expect(await site.wait("index.html")).toBe("ready");
  let isThere = false;
  void site.wait("images/02.img.gz").then(() => (isThere = true));
  expect(hurried).toEqual([2]);
  await making;
  expect(await site.wait("01-a-freestanding-typescript-executable.html")).toBe("ready");
  expect(await site.wait("assets/page.js")).toBe("ready");
  expect(isThere).toBe(false);
});
