/** From the start of the process to the first character of the newest chapter's kernel on its screen. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { screenText } from "#machine/platform/vga.ts";
import { QmpClient } from "../../../machine/hosts/qmp.ts";

const chapters = fileURLToPath(new URL("../../../dist/chapters/", import.meta.url));

export interface NewestChapter {
  readonly number: string;
  readonly disk: string;
  /** What its kernel prints first. */
  readonly text: string;
}

/** The last chapter that has a disk, and the first line of what the book expects on its screen. */
export function newestChapter(): NewestChapter {
  const number = readdirSync(chapters).sort().at(-1)!;
  const book = fileURLToPath(new URL("../../../book/", import.meta.url));
  const source = readFileSync(join(book, readdirSync(book).find((name) => name.startsWith(`${number}-`))!), "utf8");
  const expected = /^```text expect=screen\n(.*)$/m.exec(source)?.[1];
  if (expected === undefined) throw new Error(`chapter ${number} does not say what its screen shows`);
  return { number, disk: join(chapters, number, "disk.img"), text: expected.replace(/\.\.\.$/, "") };
}

/** Milliseconds in our machine, started by Node. */
export function startInNode(programs: string, { disk, text }: NewestChapter, engine: string | undefined): number {
  const begun = performance.now();
  const program = join(programs, "start-node.mjs");
  const run = spawnSync(process.execPath, [program, disk, text, ...(engine ? [engine] : [])], { timeout: 60_000 });
  if (run.status !== 0) throw new Error(`our machine never showed "${text}": ${run.stderr}`);
  return performance.now() - begun;
}

/** Milliseconds in QEMU, whose screen is looked at as often as its monitor allows. */
export async function startInQemu({ disk, text }: NewestChapter): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "taiji-start-"));
  const begun = performance.now();
  const child = spawn("qemu-system-x86_64", [
    ...["-accel", "tcg", "-m", "32", "-display", "none", "-nodefaults", "-vga", "std"],
    ...["-drive", `format=raw,file=${disk},snapshot=on`, "-qmp", `unix:${folder}/qmp,server=on,wait=off`],
  ]);
  try {
    const monitor = await QmpClient.connect(`${folder}/qmp`, () => child.exitCode === null);
    while (performance.now() - begun < 60_000) {
      await monitor!.execute("pmemsave", { val: 0xb8000, size: 4000, filename: `${folder}/screen` });
      if (screenText(new Uint8Array(readFileSync(`${folder}/screen`))).includes(text)) return performance.now() - begun;
    }
    throw new Error(`QEMU never showed "${text}"`);
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
