/** Runs a disk in QEMU, with any hardware, until it is done. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { typed } from "#machine/platform/scan-codes.ts";
import { screenText } from "#machine/platform/vga.ts";
import { type Attachment, PROGRAM, qemuArguments } from "../../machine/hosts/qemu-hardware.ts";
import { qemuKeys } from "../../machine/hosts/qemu-keys.ts";
import { QmpClient } from "../../machine/hosts/qmp.ts";
import type { Typing } from "./machine.ts";

const POLL_MS = 40;
const TEXT_MEMORY = 0xb8000;
const TEXT_BYTES = 4000;
const INTERRUPT_FLAG = 0x200;
/** How long a key is held. */
const HOLD_MS = 20;
/** The file that takes what the guest sends over its serial line. */
const SERIAL = "serial";
/** Milliseconds for a guest that hangs; on a busy host one that does not may take half a minute. */
const PATIENCE = 150_000;

export interface QemuConfig {
  readonly attach?: Attachment;
  /** Further arguments, such as `-cpu qemu32`. */
  readonly hardware?: readonly string[];
  /** Looked at some 25 times a second; the default is `isAtRest`. */
  readonly done?: (state: QemuState) => boolean;
  readonly typing?: Typing;
}

/** All at one moment: the guest stands still while it is looked at. */
export interface QemuState {
  /** The text screen's 4,000 bytes. */
  readonly cells: Uint8Array;
  readonly rip: bigint;
  /** In `hlt` with interrupts off. */
  readonly asleep: boolean;
  readonly serial: Uint8Array;
  /** False once the guest has reset the machine, for instance by a triple fault. */
  readonly running: boolean;
}

export interface QemuRun extends QemuState {
  /** Status of the process where the guest ended it, else null. */
  readonly exit: number | null;
}

/** Nothing will happen any more. */
export function isAtRest({ asleep, running }: QemuState): boolean {
  return asleep || !running;
}

/** Boots a copy of `image`. A guest that never is `done` ends with its last state. */
export async function runInQemu(image: Uint8Array, config: QemuConfig = {}): Promise<QemuRun> {
  const folder = mkdtempSync(join(tmpdir(), "taiji-test-"));
  const file = join(folder, "disk.img");
  writeFileSync(file, image);
  const socket = join(folder, "qmp");
  const hardware = qemuArguments({
    disk: file,
    ...(config.attach === undefined ? {} : { attach: config.attach }),
    serial: `file:${join(folder, SERIAL)}`,
    monitor: socket,
    // It waits with its first instruction until somebody watches.
    more: ["-no-shutdown", "-S", ...(config.hardware ?? [])],
  });
  const child = spawn(PROGRAM, hardware);
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
  try {
    const monitor = await QmpClient.connect(socket, () => child.exitCode === null);
    if (monitor === null) throw new Error(`QEMU does not start: ${errors}`);
    let typing = config.typing ?? null;
    let state = await lookAt(monitor, folder);
    const end = Date.now() + PATIENCE;
    const goOn = async (): Promise<QemuState> => {
      await monitor.execute("cont");
      if (typing !== null && screenText(state.cells).includes(typing.after)) {
        await type(monitor, typing.text);
        typing = null;
      }
      await sleep(POLL_MS);
      return lookAt(monitor, folder);
    };
    while (Date.now() < end) {
      const next = await goOn().catch((error: Error) => {
        if (!monitor.isClosed) throw error;
        return null;
      });
      if (next === null) {
        // The guest has ended QEMU; what is known of its screen is that of the look before.
        await gone;
        return { ...state, exit: child.exitCode, serial: sentOver(folder) };
      }
      state = next;
      if ((config.done ?? isAtRest)(state) || !state.running) break;
    }
    monitor.close();
    return { ...state, exit: null };
  } finally {
    child.kill("SIGKILL");
    await gone;
    await rm(folder, { recursive: true, force: true });
  }
}

async function type(monitor: QmpClient, text: string): Promise<void> {
  for (const scanCodes of typed(text)) {
    await monitor.execute("send-key", { keys: qemuKeys(scanCodes), "hold-time": HOLD_MS });
  }
}

async function lookAt(monitor: QmpClient, folder: string): Promise<QemuState> {
  await monitor.execute("stop");
  const { status } = (await monitor.execute("query-status")) as { status: string };
  const registers = await monitor.human("info registers");
  const value = (pattern: RegExp): bigint => BigInt(`0x${pattern.exec(registers)?.[1] ?? "0"}`);
  const flags = Number(value(/[RE]FL=([0-9a-f]+)/));
  const filename = join(folder, "screen");
  await monitor.execute("pmemsave", { val: TEXT_MEMORY, size: TEXT_BYTES, filename });
  return {
    cells: new Uint8Array(readFileSync(filename)),
    rip: value(/[RE]IP=([0-9a-f]+)/),
    asleep: / HLT=1/.test(registers) && (flags & INTERRUPT_FLAG) === 0,
    running: status === "paused",
    serial: sentOver(folder),
  };
}

function sentOver(folder: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, SERIAL)));
}
