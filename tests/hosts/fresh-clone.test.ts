/** The README's commands work where nothing has been built: in a copy of the sources, as a clone has them. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What is not part of a clone, or is made by installing. */
const MADE = [".git", "dist", "node_modules"];
const clone = mkdtempSync(join(tmpdir(), "taiji-clone-"));

for (const name of readdirSync(root))
  if (!MADE.includes(name)) cpSync(join(root, name), join(clone, name), { recursive: true });
symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));

beforeEach(() => rmSync(join(clone, "dist"), { recursive: true, force: true }));
afterAll(() => rmSync(clone, { recursive: true }));

it.each([
  ["tangle", "--chapter=1"],
  ["site", "--help"],
  ["boot", "--help"],
  ["conform", "--help"],
  ["fuzz", "--help"],
  ["foreign", "--help"],
  ["bench", "--help"],
])("npm run %s -- %s", (...command) => {
  const [name, ...given] = command as [string, ...string[]];
  const { status, stderr } = spawnSync("npm", ["run", "--silent", name, "--", ...given], {
    cwd: clone,
    encoding: "utf8",
  });
  expect(stderr).not.toMatch(/^ +at /m);
  expect(status).toBe(0);
});

it("npm start", async () => {
  const server = spawn("npm", ["start", "--silent", "--", "--port", "0"], { cwd: clone, detached: true });
  let text = "";
  const address = await new Promise<string | null>((resolve) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/\S+/.exec(text);
      if (found !== null) resolve(found[0]);
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.on("exit", () => resolve(null));
  });
  try {
    expect(address, text).not.toBeNull();
    const page = await fetch(address!);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("<!doctype html>");
  } finally {
    process.kill(-server.pid!, "SIGKILL");
  }
});
