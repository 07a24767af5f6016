/**
 * Runs a command of the tests, such as `conform`, with the arguments that follow its name. The machine that it imports is
 * tangled first: in a fresh clone it is not there, and after an edit of the book it is another.
 */
import { fileURLToPath } from "node:url";
import { buildBook } from "../tangle/io.ts";
import { formatDiagnostics } from "../tangle/report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const { diagnostics, files } = buildBook({
  root,
  select: () => ({ chapters: [], variant: null, machine: true }),
  progress: () => {},
});
if (diagnostics.length > 0) {
  console.error(formatDiagnostics(diagnostics, files));
  process.exitCode = 1;
} else {
  const run = new URL(`./${process.argv[2]}/run.ts`, import.meta.url);
  process.argv.splice(1, 2, fileURLToPath(run));
  await import(run.href);
}
