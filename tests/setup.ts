/** Runs once before all tests: the machine, the chapters' images and their sources are tangled from the book. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export function setup(): void {
  const tangle = spawnSync(process.execPath, ["--import", "tsx", "tangle/cli.ts"], { cwd: root, encoding: "utf8" });
  if (tangle.status !== 0) throw new Error(`the book does not tangle:\n${tangle.stdout}${tangle.stderr}`);
}
