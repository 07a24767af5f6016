/** `npm run boot`: builds what is to be booted, then hands over to the machine. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BootArguments, HELP, readArguments, UsageError } from "./arguments.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const UNUSABLE = 2;

/**
 * Brings dist/ up to date, in a process of its own: the machine's code is part of what it writes, so nothing of it can
 * be imported before. Its words go to standard error: standard output belongs to the guest. Gives its exit status.
 */
function build({ source }: BootArguments): Promise<number> {
  const what = source.kind === "chapter" ? ["--chapter", source.chapter] : [];
  const variant = source.kind === "chapter" && source.variant !== null ? ["--variant", source.variant] : [];
  const args = ["--import", "tsx", resolve(ROOT, "tangle/cli.ts"), "--machine", ...what, ...variant];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  child.stdout.on("data", (text) => {
    words += text;
  });
  child.stderr.on("data", (text) => {
    words += text;
  });
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (status) => {
      if (status !== 0) process.stderr.write(words);
      done(status ?? UNUSABLE);
    });
  });
}

/** Gives the exit status. */
async function main(args: readonly string[]): Promise<number> {
  let what: BootArguments | null;
  try {
    what = readArguments(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${HELP}\n`);
    return UNUSABLE;
  }
  if (what === null) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if ((await build(what)) !== 0) return UNUSABLE;
  const { boot } = await import("./boot.ts");
  return boot(what, ROOT);
}

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const) {
  process.once(signal, () => process.exit(status));
}
process.exit(await main(process.argv.slice(2)));
