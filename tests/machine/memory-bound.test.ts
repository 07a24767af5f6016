/** A machine takes the guest's memory and at most 64 MiB, whatever it runs. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const MOST = 64;

test.each(["evaluator", "wasm", "wasm-eager"])("in %s, a process of its own", (engine) => {
  const script = join(import.meta.dirname, "memory-bound.ts");
  const output = execFileSync(process.execPath, ["--expose-gc", "--import", "tsx", script, engine]);
  expect(Number(output.toString())).toBeLessThan(MOST);
});
