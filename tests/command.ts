/**
 * Runs a command of the tests, such as `conform`, with the arguments that follow its name. What it needs of the book is
 * built first: in a fresh clone it is not there, and after an edit it is another.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildBook } from "../tangle/io.ts";
import { formatDiagnostics } from "../tangle/report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Commands that run the chapters' images. All others need the machine alone. */
const WITH_IMAGES: readonly string[] = ["bench", "fuzz"];

const [name, ...given] = process.argv.slice(2);
const needsImages = WITH_IMAGES.includes(name!) && !given.includes("--help");
const takesLong = needsImages && !existsSync(`${root}dist/chapters`);
const { diagnostics, files } = buildBook({
  root,
  select: () => ({ chapters: needsImages ? "all" : [], variant: null, machine: true }),
  progress: (line) => {
    if (takesLong) console.error(line);
  },
});
if (diagnostics.length > 0) {
  console.error(formatDiagnostics(diagnostics, files));
  process.exitCode = 1;
} else {
  const run = new URL(`./${name}/run.ts`, import.meta.url);
  process.argv.splice(1, 2, fileURLToPath(run));
  await import(run.href);
}
