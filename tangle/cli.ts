/** `npm run tangle`: reads the arguments, builds what they ask for, and tells what happened. */
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Selection } from "./build.ts";
import { formatFrames } from "./frames.ts";
import { buildBook, type Changes, readBookFiles, readMap, untangleBook, watchBook } from "./io.ts";
import type { Book } from "./literate/book.ts";
import { changesBetween } from "./literate/changes.ts";
import { labelOf } from "./literate/edition.ts";
import { chapterNumbers, readBook, variantsOf } from "./literate/tangle.ts";
import { formatChanges } from "./literate/unified.ts";
import { type Answer, whereFrom, whereTo } from "./literate/where.ts";
import { formatDiagnostics, formatPlace } from "./report.ts";

const HELP = `Usage: npm run tangle -- [OPTION …]
       npm run tangle -- where FILE:LINE[:COLUMN] [--chapter N [--variant NAME]]
       npm run tangle -- frames --chapter N [--variant NAME]
       npm run tangle -- diff N M [--kernel] [--machine]
       npm run tangle -- untangle [--chapter N [--variant NAME]] [--machine]

Turns the chapters in book/ into sources, kernels, disk images and maps in dist/.
Without options: everything, as with --all.

  --chapter N      chapter N with its variants, in dist/chapters/NN/
  --variant NAME   with --chapter: that variant alone
  --all            all chapters with their variants, and the machine
  --machine        the machine's sources, in dist/machine/
  --check          write nothing; exit with 1 if dist/ is not what the book says
  --watch          build again whenever the book changes, until Ctrl-C
  --help           this text

where                names the book's line of a tangled file's line (kernel/vga.ts:40, dist/machine/cpu/state.ts:7),
                     and the tangled lines of a line of the book (book/03-vga-text-mode.md:120)
frames               what the async functions of a chapter that has been built keep in each of their states
diff                 prints what chapters N+1 to M change, as a unified diff: in the kernel and the boot loader (--kernel),
                     and what of the machine belongs to these chapters (--machine)
untangle             carries edits of the tangled files in dist/ back into the chapters: all of them, or none where one
                     has no place that is beyond doubt

Exit status: 0 done · 1 a mistake in the book, something stale, refused or not found · 2 arguments that make no sense`;

/** Where a run of the command takes place. */
export interface Surroundings {
  /** The folder that holds book/ and dist/. */
  readonly root: string;
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
  /** Whether the one who reads what goes out sees colours. */
  readonly colours: boolean;
  /** Ends `--watch`. */
  readonly signal: AbortSignal;
}

/** A mistake in the arguments, with the exit status it deserves. */
class ArgumentError extends Error {
  constructor(
    message: string,
    readonly status: 1 | 2,
  ) {
    super(message);
  }
}

const OPTIONS = {
  chapter: { type: "string" },
  variant: { type: "string" },
  all: { type: "boolean" },
  machine: { type: "boolean" },
  kernel: { type: "boolean" },
  check: { type: "boolean" },
  watch: { type: "boolean" },
  help: { type: "boolean" },
} as const;

type Options = ReturnType<typeof parse>["values"];

/** What follows the name of a command, and the options that go with it. */
const COMMANDS: Readonly<Record<string, { operands: string[]; options: (keyof Options)[] }>> = {
  frames: { operands: [], options: ["chapter", "variant"] },
  where: { operands: ["FILE:LINE[:COLUMN]"], options: ["chapter", "variant"] },
  diff: { operands: ["CHAPTER", "CHAPTER"], options: ["kernel", "machine"] },
  untangle: { operands: [], options: ["chapter", "variant", "machine"] },
};

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new ArgumentError((error as Error).message, 2);
  }
}

/** Runs the command and gives its exit status. */
export function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  return run(async () => {
    const { values, positionals } = parse(args);
    if (values.help) {
      surroundings.out(HELP);
      return 0;
    }
    checkOptions(values, positionals);
    const [command, first, second] = positionals;
    if (command === "frames") return frames(values, surroundings);
    if (command === "where") return where(first!, values, surroundings);
    if (command === "diff") return diff(first!, second!, values, surroundings);
    if (command === "untangle") return carryBack(values, surroundings);
    const once = (): number => build(values, surroundings);
    if (!values.watch) return once();
    const again = async (): Promise<void> => {
      await run(once, surroundings);
      surroundings.out("watching book/, Ctrl-C ends");
    };
    await watchBook(surroundings.root, again, surroundings.signal);
    return 0;
  }, surroundings);
}

/** Does some work; what the arguments or the disk forbid becomes a message and a status. */
async function run(work: () => number | Promise<number>, { error }: Surroundings): Promise<number> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ArgumentError) {
      error(cause.status === 2 ? `${cause.message}\n\n${HELP}` : cause.message);
      return cause.status;
    }
    if (cause instanceof Error && "syscall" in cause) {
      error(`the disk refuses: ${cause.message}`);
      return 1;
    }
    throw cause;
  }
}

function checkOptions(values: Options, [name, ...operands]: readonly string[]): void {
  const command = name === undefined ? null : COMMANDS[name];
  if (command === undefined) throw new ArgumentError(`unknown command \`${name}\``, 2);
  if (command !== null) {
    const wrong = (Object.keys(values) as (keyof Options)[]).find((option) => !command.options.includes(option));
    if (wrong !== undefined) throw new ArgumentError(`\`${name}\` does not go with --${wrong}`, 2);
    if (operands.length !== command.operands.length)
      throw new ArgumentError(`\`${name}\` takes ${command.operands.join(" and ") || "no operand"}`, 2);
  } else if (values.kernel) throw new ArgumentError("--kernel goes with `diff` only", 2);
  if (values.variant !== undefined && values.chapter === undefined)
    throw new ArgumentError("--variant needs --chapter", 2);
  if (values.all && values.chapter !== undefined) throw new ArgumentError("--all and --chapter exclude each other", 2);
  if (values.check && values.watch) throw new ArgumentError("--check and --watch exclude each other", 2);
}

/** Builds what the options ask for, and tells what came of it. */
function build(values: Options, { root, out, error }: Surroundings): number {
  const start = performance.now();
  const { files, diagnostics, changes } = buildBook({
    root,
    select: (book) => select(values, book, root),
    compareOnly: values.check === true,
    progress: out,
  });
  if (diagnostics.length > 0) {
    error(formatDiagnostics(diagnostics, files));
    error(`\n${count(diagnostics.length, "error")}, nothing written`);
    return 1;
  }
  if (values.check) return tellStale(changes, out, error);
  const parts = [`wrote ${count(changes.write.length, "file")}`];
  if (changes.delete.length > 0) parts.push(`deleted ${changes.delete.length}`);
  parts.push(`${changes.unchanged} unchanged`);
  out(`${parts.join(", ")} (${duration(performance.now() - start)})`);
  return 0;
}

function tellStale(changes: Changes, out: Surroundings["out"], error: Surroundings["error"]): number {
  for (const { path } of changes.write) error(`stale: ${path}`);
  for (const path of changes.delete) error(`orphan: ${path}`);
  const stale = changes.write.length + changes.delete.length;
  if (stale > 0) error(`dist/ is not what the book says: ${count(stale, "file")}; \`npm run tangle\` mends that`);
  else out(`dist/ is what the book says (${count(changes.unchanged, "file")})`);
  return stale > 0 ? 1 : 0;
}

/** What the options ask for, checked against the chapters that there are. */
function select(values: Options, book: Book, root: string): Selection {
  checkNotEmpty(book, root);
  const chapter = chapterOf(values, book);
  const everything = values.all === true || (!values.machine && chapter === null);
  return {
    chapters: chapter !== null ? [chapter] : everything ? "all" : [],
    variant: values.variant ?? null,
    machine: values.machine === true || everything,
  };
}

function checkNotEmpty({ chapters, appendices }: Book, root: string): void {
  if (chapters.length + appendices.length === 0)
    throw new ArgumentError(`${resolve(root, "book")} holds no chapter`, 1);
}

function chapterOf(values: Options, book: Book): number | null {
  if (values.chapter === undefined) return null;
  const chapter = existing(values.chapter, book);
  if (values.variant !== undefined && !variantsOf(book, chapter).includes(values.variant)) {
    const names = variantsOf(book, chapter).join(", ") || "none";
    throw new ArgumentError(`chapter ${chapter} has no variant \`${values.variant}\`; it has ${names}`, 1);
  }
  return chapter;
}

/** The number of a chapter that the book has. */
function existing(chapter: string, book: Book): number {
  const numbers = chapterNumbers(book);
  if (/^\d+$/.test(chapter) && numbers.includes(Number(chapter))) return Number(chapter);
  throw new ArgumentError(`there is no chapter ${chapter}; the book has ${numbers.join(", ") || "none"}`, 1);
}

/** Tells what the async functions of a built chapter keep while they wait. */
function frames(values: Options, { root, out }: Surroundings): number {
  const { book } = readBook(readBookFiles(root));
  checkNotEmpty(book, root);
  const chapter = chapterOf(values, book);
  if (chapter === null) throw new ArgumentError("`frames` needs --chapter", 2);
  const map = readMap(root, { chapter, variant: values.variant ?? null });
  if (map === null) throw new ArgumentError(`chapter ${chapter} has not been built`, 1);
  out(formatFrames(map));
  return 0;
}

/** `where`: a place of the book for a tangled one, or the tangled places for one of the book. */
function where(argument: string, values: Options, { root, out, error }: Surroundings): number {
  const match = /^(.+?):([1-9]\d*)(?::([1-9]\d*))?$/.exec(argument);
  if (match === null) throw new ArgumentError(`\`${argument}\` is not FILE:LINE[:COLUMN]`, 2);
  const { book, diagnostics } = readBook(readBookFiles(root));
  checkNotEmpty(book, root);
  const { file, ...scope } = locate(match[1]!, root, {
    chapter: chapterOf(values, book),
    variant: values.variant ?? null,
  });
  const place = { file, line: Number(match[2]), column: Number(match[3] ?? 1) };
  const found = file.endsWith(".md") ? whereTo(book, place, scope) : whereFrom(book, place, scope);
  if (diagnostics.length > 0) error(`the book has ${count(diagnostics.length, "error")}; the answer may be off`);
  if (typeof found === "string") {
    error(found);
    return 1;
  }
  for (const answer of Array.isArray(found) ? found : [found]) out(`${formatPlace(answer.place)}${editions(answer)}`);
  return 0;
}

/** Reads paths as a person has them at hand: absolute, below dist/, with or without `book/`. */
function locate(path: string, root: string, scope: { chapter: number | null; variant: string | null }) {
  const below = resolve(root, path).startsWith(resolve(root))
    ? resolve(root, path).slice(resolve(root).length + 1)
    : path;
  const relative = below.replaceAll("\\", "/");
  const inChapter = /^dist\/chapters\/(\d+)\/(?:variants\/([^/]+)\/)?(.*)$/.exec(relative);
  if (inChapter !== null) return { file: inChapter[3]!, chapter: Number(inChapter[1]), variant: inChapter[2] ?? null };
  if (relative.startsWith("dist/machine/")) return { file: relative.slice("dist/".length), ...scope };
  return { file: relative.endsWith(".md") && !relative.includes("/") ? `book/${relative}` : relative, ...scope };
}

/** `diff`: what the chapters after the one, up to the other, change. */
function diff(older: string, newer: string, values: Options, { root, out, error, colours }: Surroundings): number {
  const files = readBookFiles(root);
  const { book, diagnostics } = readBook(files);
  checkNotEmpty(book, root);
  const [from, to] = [existing(older, book), existing(newer, book)];
  if (diagnostics.length > 0) {
    error(formatDiagnostics(diagnostics, files));
    return 1;
  }
  const both = values.kernel === values.machine;
  const changes = [
    ...(both || values.kernel ? changesBetween(book, from, to, "kernel") : []),
    ...(both || values.machine ? changesBetween(book, from, to, "machine") : []),
  ];
  const side = (chapter: number): string => String(chapter).padStart(2, "0");
  const lines = formatChanges(changes, { older: side(from), newer: side(to) }, colours);
  if (lines.length > 0) out(lines.join("\n"));
  else error(`nothing differs between chapter ${from} and chapter ${to}`);
  return 0;
}

/** `untangle`: carries the edits in dist/ back into the chapters, or says why it does not. */
function carryBack(values: Options, { root, out, error }: Surroundings): number {
  const { blocks, files, sources, diagnostics, read, folders } = untangleBook(root, (book) =>
    select(values, book, root),
  );
  if (diagnostics.length > 0) {
    error(formatDiagnostics(diagnostics, read));
    error(`\n${count(diagnostics.length, "error")}, nothing written`);
    return 1;
  }
  if (folders.length === 0) {
    error("there is nothing in dist/ that could have been edited; `npm run tangle` first");
    return 1;
  }
  for (const { block, place } of blocks)
    out(`${block.place.file}:${block.place.line}: ${labelOf(block)} as edited in ${place.file}:${place.line}`);
  if (blocks.length === 0) out("dist/ holds no edit");
  else {
    const what = `${count(blocks.length, "block")} of ${count(files.length, "file")}`;
    out(
      `carried ${count(sources.length, "edited file")} back into ${what}; \`npm run tangle\` builds what follows from it`,
    );
  }
  return 0;
}

function editions({ editions }: Answer): string {
  const names = editions.flatMap(({ chapter, variant }) =>
    chapter === null ? [] : [variant === null ? String(chapter) : `${chapter} (${variant})`],
  );
  return names.length === 0 ? "" : `  chapter ${names.join(", ")}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  // Whoever reads a long diff may close the pipe before its end.
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    if (cause.code !== "EPIPE") throw cause;
    process.exit(0);
  });
  process.exitCode = await main(process.argv.slice(2), {
    root: fileURLToPath(new URL("..", import.meta.url)),
    out: (line) => console.log(line),
    error: (line) => console.error(line),
    colours: process.stdout.isTTY === true && !process.env.NO_COLOR,
    signal: stop.signal,
  });
}
