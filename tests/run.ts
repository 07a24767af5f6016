/** `npm test`: runs all tests, or those of one chapter or part, and ends with one line `N passed, N failed`. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";
import { missingPrograms } from "./requires.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const HELP = `Usage: npm test -- [--chapter N] [FILTER …]

  --chapter N   only the tests of chapter N: its expectations in our machine and in QEMU, its image, its page
  FILTER        only test files whose path contains FILTER: tests/literate, ssa, …
  --help        this text

Tests that need QEMU, Chromium, nasm or a C compiler are skipped where those are missing.`;

function chapters(): string[] {
  return readdirSync(`${root}/book`)
    .map((name) => /^(\d\d)-.*\.md$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map((number) => String(Number(number)));
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

async function main(): Promise<void> {
  let parsed: { values: { chapter?: string; help?: boolean }; positionals: string[] };
  try {
    parsed = parseArgs({
      options: { chapter: { type: "string" }, help: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    return fail(`${(error as Error).message}\n\n${HELP}`);
  }
  if (parsed.values.help) return console.log(HELP);
  const chapter = parsed.values.chapter;
  let filters = parsed.positionals;
  if (chapter !== undefined) {
    if (!chapters().includes(chapter)) fail(`There is no chapter ${chapter}. The book has: ${chapters().join(", ")}.`);
    process.env.TAIJI_CHAPTER = chapter;
    filters = ["tests/chapters/", ...filters];
  }

  const vitest = await startVitest("test", filters, { root, watch: false, reporters: ["default"] });
  const modules = vitest.state.getTestModules();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
  // A file that does not load, and an error outside any test, count as a failure each.
  const broken =
    modules.filter((module) => module.errors().length > 0).length + vitest.state.getUnhandledErrors().length;
  const failed = count("failed") + broken;
  await vitest.close();

  const missing = missingPrograms();
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((m) => m.debian))].join(" ");
    console.log(
      `Not found: ${missing.map((m) => m.program).join(", ")}. Their tests were skipped; on Debian: apt-get install ${packages}`,
    );
  }
  const skipped = count("skipped");
  console.log(`${count("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exit(failed > 0 || count("passed") === 0 ? 1 : 0);
}

await main();
