/** A thread that builds chapters, one after another: sources, kernels, disks, and the picture of the chapter's screen. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { createMachine } from "../machine/hosts/pc.ts";
import { buildBook } from "../tangle/io.ts";
import type { Diagnostic } from "../tangle/place.ts";
import { drawScreen } from "./render/screen-picture.ts";

/** What a thread is started with. */
export interface ThreadData {
  /** The folder that holds book/ and dist/. */
  readonly root: string;
}

/** The answer to a chapter's number: lines to print, the mistakes that were found, and without any the picture. */
export interface BuiltChapter {
  readonly chapter: number;
  readonly lines: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly picture: string | null;
}

const { root } = workerData as ThreadData;

parentPort!.on("message", (chapter: number) => {
  const lines: string[] = [];
  const { diagnostics } = buildBook({
    root,
    select: () => ({ chapters: [chapter], variant: null, machine: false }),
    progress: (line) => lines.push(line),
  });
  const picture = diagnostics.length > 0 ? null : pictureOf(chapter);
  parentPort!.postMessage({ chapter, lines, diagnostics, picture } satisfies BuiltChapter);
});

/** The picture, as it was drawn for the same image before, or of a run now. */
function pictureOf(chapter: number): string {
  const folder = join(root, "dist/chapters", String(chapter).padStart(2, "0"));
  const disk = join(folder, "disk.img");
  const image = readFileSync(existsSync(disk) ? disk : join(folder, "kernel.elf"));
  const kept = join(root, "dist/.cache/pictures", `${createHash("sha256").update(image).digest("hex")}.svg`);
  if (existsSync(kept)) return readFileSync(kept, "utf8");
  const picture = drawScreen(screenAfterBoot(image));
  mkdirSync(join(root, "dist/.cache/pictures"), { recursive: true });
  writeFileSync(kept, picture);
  return picture;
}

/** Enough for a chapter to show what it has to show: guest time in nanoseconds, and instructions. */
const GUEST_TIME = 4e9;
const INSTRUCTIONS = 40_000_000;
const SLICE = 200_000;

/** The screen of a guest that has come to rest, or has had its time. */
function screenAfterBoot(image: Uint8Array): Uint8Array {
  const machine = createMachine({ image });
  while (machine.time < GUEST_TIME && machine.instructions < INSTRUCTIONS)
    if (machine.run(SLICE).kind !== "budget") break;
  return machine.screen.cells;
}
