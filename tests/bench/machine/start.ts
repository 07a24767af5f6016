/** From the start of the process to the first character of the newest chapter's kernel on its screen. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { screenText } from "#machine/platform/vga.ts";
import { createMachine } from "../../../machine/hosts/pc.ts";
import { QmpClient } from "../../../machine/hosts/qmp.ts";

const chapters = fileURLToPath(new URL("../../../dist/chapters/", import.meta.url));

export interface NewestChapter {
  readonly number: string;
  readonly disk: string;
  /** What its kernel prints first. */
  readonly text: string;
}

/** Instructions that a kernel gets to finish its first word, once its screen shows anything. */
const FIRST_WORD = 20_000;

/** The last chapter that has a disk, and the beginning of its screen. Our firmware prints nothing of its own. */
export function newestChapter(): NewestChapter {
  const number = readdirSync(chapters).sort().at(-1)!;
  const disk = join(chapters, number, "disk.img");
  const machine = createMachine({ image: new Uint8Array(readFileSync(disk)) });
  while (machine.screen.text().trim() === "" && machine.run(FIRST_WORD).kind === "budget");
  machine.run(FIRST_WORD);
  const line = machine.screen
    .text()
    .split("\n")
    .find((row) => row.trim() !== "");
  if (line === undefined) throw new Error(`chapter ${number} shows nothing on its screen`);
  return { number, disk, text: line.trim().slice(0, 16) };
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
