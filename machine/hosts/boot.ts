/** Boots an image, headless or in the terminal, in our machine or in QEMU, and turns its end into an exit status. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ElfError, isElf } from "#machine/platform/elf.ts";
import { screenText } from "#machine/platform/vga.ts";
import { AddressMap, type MapJson } from "../debug/map.ts";
import { tellEnd } from "../debug/story.ts";
import type { BootArguments, Source } from "./arguments.ts";
import { MachineSession } from "./headless.ts";
import { QemuSession } from "./qemu.ts";
import { type RunEnd, type Session, watch } from "./session.ts";
import { runInTerminal } from "./terminal.ts";

export const STATUS = { done: 0, timeOver: 1, unusable: 2, stopped: 4 } as const;

interface Loaded {
  readonly image: Uint8Array;
  readonly map: AddressMap | null;
  readonly title: string;
}

/** Something that the user named cannot be used. */
class UnusableError extends Error {}

/** Runs what the arguments say; the exit status. */
export async function boot(what: BootArguments, root: string): Promise<number> {
  try {
    const loaded = load(what.source, what.qemu, root);
    return await run(what, loaded);
  } catch (error) {
    if (!(error instanceof UnusableError) && !(error instanceof ElfError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return STATUS.unusable;
  }
}

function load(source: Source, qemu: boolean, root: string): Loaded {
  if (source.kind !== "chapter") {
    const image = readImage(source.path);
    if (source.kind === "elf" && !isElf(image)) throw new UnusableError(`${source.path} is not an ELF file`);
    return { image, map: null, title: source.path };
  }
  const chapter = `dist/chapters/${source.chapter.padStart(2, "0")}`;
  const folder = resolve(root, source.variant === null ? chapter : `${chapter}/variants/${source.variant}`);
  const names = qemu ? ["disk.img", "borrowed.img"] : ["disk.img", "kernel.elf"];
  const path = names.map((name) => resolve(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) throw new UnusableError(`chapter ${source.chapter} has no ${names.join(" and no ")}`);
  const mapPath = resolve(folder, "map.json");
  const map = existsSync(mapPath) ? new AddressMap(JSON.parse(readFileSync(mapPath, "utf8")) as MapJson) : null;
  const variant = source.variant === null ? "" : `, ${source.variant}`;
  return { image: readImage(path), map, title: `chapter ${source.chapter}${variant}` };
}

function readImage(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new UnusableError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

async function run(what: BootArguments, { image, map, title }: Loaded): Promise<number> {
  const interactive = !what.headless && what.until === undefined && process.stdout.isTTY === true;
  const options = { image, keepHalted: interactive, ...(what.memory === undefined ? {} : { memory: what.memory }) };
  const session = what.qemu
    ? new QemuSession(options)
    : new MachineSession({ ...options, clock: "host", startTime: Date.now() });
  const end = interactive
    ? await runInTerminal(session, { title: what.qemu ? `${title}, in QEMU` : title, ...what })
    : await runHeadless(session, what, what.screen || !what.headless);
  if (end === null) return STATUS.done;
  if (interactive) process.stderr.write(tellQuietEnd(end));
  if (end.kind === "stopped") process.stderr.write(`${tellEnd(end, map)}\n`);
  if (end.kind === "unavailable") process.stderr.write(`${end.message}\n`);
  return statusOf(end, what.until !== undefined);
}

/** One line for ends that leave no other trace once the terminal shows its own screen again. */
function tellQuietEnd(end: RunEnd): string {
  if (end.kind === "exit") return `The guest ended the machine with status ${end.status}.\n`;
  return end.kind === "timeout" ? "The time is over.\n" : "";
}

/** Serial bytes to standard output, everything else to standard error, and perhaps the screen at the end. */
async function runHeadless(session: Session, what: BootArguments, showScreen: boolean): Promise<RunEnd> {
  const { exit, screenCells } = await watch(session, {
    ...what,
    onSerial: (bytes) => process.stdout.write(bytes),
    onNotice: (message) => process.stderr.write(`${message}\n`),
  });
  if (showScreen) await written(`${screenText(screenCells)}\n`);
  return exit;
}

/** A pipe may take its time; ending the process before would cut the text. */
function written(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

function statusOf(end: RunEnd, waited: boolean): number {
  switch (end.kind) {
    case "until":
      return STATUS.done;
    case "timeout":
      return STATUS.timeOver;
    case "halted":
      return waited ? STATUS.timeOver : STATUS.done;
    case "exit":
      return end.status;
    case "stopped":
      return STATUS.stopped;
    case "unavailable":
      return STATUS.unusable;
  }
}
