/** Runs a disk in QEMU, with any hardware, until it is done. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

export interface QemuConfig {
  readonly attach?: Attachment;
  /** Further arguments, such as `-cpu qemu32`. */
  readonly hardware?: readonly string[];
  /** Looked at some 25 times a second; the default is `isAtRest`. */
  readonly done?: (state: QemuState) => boolean;
  readonly typing?: Typing;
  /** Milliseconds of wall-clock time after which the run ends anyway. */
  readonly timeout?: number;
}

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
  /** `rip` at each look. */
  readonly seen: readonly bigint[];
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
  const serial = join(folder, "serial");
  const hardware = qemuArguments({
    disk: file,
    ...(config.attach === undefined ? {} : { attach: config.attach }),
    serial: `file:${serial}`,
    monitor: socket,
    more: ["-no-shutdown", ...(config.hardware ?? [])],
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
    const look = () => lookAt(monitor, join(folder, "screen"), serial);
    let typing = config.typing ?? null;
    const seen: bigint[] = [];
    let state = await look();
    const end = Date.now() + (config.timeout ?? 30_000);
    while (child.exitCode === null && Date.now() < end) {
      seen.push(state.rip);
      if ((config.done ?? isAtRest)(state)) break;
      if (typing !== null && screenText(state.cells).includes(typing.after)) {
        await type(monitor, typing.text);
        typing = null;
      }
      await sleep(POLL_MS);
      // A guest that ends QEMU itself leaves the state of the look before.
      state = await look().catch(() => state);
    }
    const exit = child.exitCode;
    monitor.close();
    child.kill("SIGKILL");
    await gone;
    return { ...state, seen, exit, serial: new Uint8Array(readFileSync(serial)) };
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function type(monitor: QmpClient, text: string): Promise<void> {
  for (const scanCodes of typed(text)) {
    await monitor.execute("send-key", { keys: qemuKeys(scanCodes), "hold-time": HOLD_MS });
  }
}

async function lookAt(monitor: QmpClient, file: string, serial: string): Promise<QemuState> {
  const registers = await monitor.human("info registers");
  const { running } = (await monitor.execute("query-status")) as { running: boolean };
  const value = (pattern: RegExp): bigint => BigInt(`0x${pattern.exec(registers)?.[1] ?? "0"}`);
  const flags = Number(value(/[RE]FL=([0-9a-f]+)/));
  // What a sleeping guest has written is there; of a running one this is a moment later than its registers.
  await monitor.execute("pmemsave", { val: TEXT_MEMORY, size: TEXT_BYTES, filename: file });
  return {
    cells: new Uint8Array(readFileSync(file)),
    rip: value(/[RE]IP=([0-9a-f]+)/),
    asleep: / HLT=1/.test(registers) && (flags & INTERRUPT_FLAG) === 0,
    running,
    serial: new Uint8Array(readFileSync(serial)),
  };
}
