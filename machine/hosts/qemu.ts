/** QEMU as a session: boots the same image with equivalent hardware, and reads the screen out of its memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROGRAM, qemuArguments } from "./qemu-hardware.ts";
import { qemuKeys } from "./qemu-keys.ts";
import { QmpClient } from "./qmp.ts";
import { type RunResult, type ScreenState, type Session, type WatchOptions, watch } from "./session.ts";

const TEXT_MEMORY = 0xb8000;
const TEXT_BYTES = 4000;
const POLL_MS = 40;
/** How long a key is held down. */
const HOLD_MS = 20;
const MEBIBYTE = 0x100000;
const DEFAULT_MEMORY = 32 * MEBIBYTE;

export interface QemuOptions {
  /** A BIOS-bootable disk image. */
  readonly image: Uint8Array;
  /** Bytes of RAM, as in our machine. */
  readonly memory?: number;
  /** Attach the image as a USB stick instead of a hard disk. */
  readonly usb?: boolean;
  /** A sleeping guest is not ended. */
  readonly keepHalted?: boolean;
  /** Further arguments for QEMU. */
  readonly more?: readonly string[];
}

/** QEMU is not installed, or would not start; the message says what to do. */
export class QemuError extends Error {}

/**
 * A guest in QEMU. The screen is read some 25 times a second, so a guest that ends itself leaves the picture of up to
 * 40 ms before.
 */
export class QemuSession implements Session {
  onSerial: Session["onSerial"] = null;
  onScreen: Session["onScreen"] = null;
  onNotice: Session["onNotice"] = null;
  onEnd: Session["onEnd"] = null;
  private readonly folder = mkdtempSync(join(tmpdir(), "taiji-qemu-"));
  private child: ChildProcess | null = null;
  private monitor: QmpClient | null = null;
  private cells: Uint8Array = new Uint8Array(TEXT_BYTES);
  private poll: NodeJS.Timeout | undefined;
  private stopped = false;
  private errors = "";
  private readonly typed: (readonly number[])[] = [];
  private gone: Promise<void> = Promise.resolve();

  constructor(private readonly options: QemuOptions) {}

  start(): void {
    const image = join(this.folder, "disk.img");
    writeFileSync(image, this.options.image);
    const socket = join(this.folder, "qmp");
    const { memory = DEFAULT_MEMORY, usb } = this.options;
    const hardware = qemuArguments({
      disk: image,
      attach: usb ? "usb" : "disk",
      serial: "stdio",
      monitor: socket,
      more: ["-m", `${memory / MEBIBYTE}`, ...(this.options.more ?? [])],
    });
    const child = spawn(PROGRAM, hardware, { stdio: ["pipe", "pipe", "pipe"] });
    this.child = child;
    const leaveNoneBehind = () => child.kill("SIGKILL");
    process.once("exit", leaveNoneBehind);
    child.stdout.on("data", (bytes: Uint8Array) => {
      if (!this.stopped) this.onSerial?.(Uint8Array.from(bytes));
    });
    child.stdin.on("error", () => {}); // it has ended: nobody hears what comes in
    child.stderr.on("data", (text) => {
      this.errors += text;
    });
    this.gone = new Promise((resolve) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        this.giveUp(error.code === "ENOENT" ? missing() : `QEMU cannot start: ${error.message}`);
        resolve();
      });
      child.on("close", (code) => {
        process.removeListener("exit", leaveNoneBehind);
        this.leave(code);
        resolve();
      });
    });
    void this.observe(socket);
  }

  press(characters: readonly number[][]): void {
    this.typed.push(...characters);
    this.sendKeys();
  }

  send(bytes: Uint8Array): void {
    this.child?.stdin?.write(bytes);
  }

  /** Sends what was typed, now or once the monitor is connected. */
  private sendKeys(): void {
    if (this.monitor === null) return;
    for (const scanCodes of this.typed.splice(0)) {
      const command = { keys: qemuKeys(scanCodes), "hold-time": HOLD_MS };
      this.monitor.execute("send-key", command).catch(() => {});
    }
  }

  async stop(): Promise<ScreenState> {
    await this.look().catch(() => {});
    this.stopped = true;
    clearTimeout(this.poll);
    this.monitor?.close();
    this.child?.kill("SIGKILL");
    await this.gone;
    rmSync(this.folder, { recursive: true, force: true });
    return { cells: this.cells, cursor: null };
  }

  /** Connects to the monitor, then looks at screen and processor again and again. */
  private async observe(socket: string): Promise<void> {
    const alive = () => !this.stopped && this.child?.exitCode === null && this.child.pid !== undefined;
    this.monitor = await QmpClient.connect(socket, alive);
    this.sendKeys();
    const turn = async (): Promise<void> => {
      if (!alive() || this.monitor === null) return;
      const halted = await this.isHalted();
      await this.look();
      if (halted && !this.options.keepHalted) this.finish({ kind: "halted" });
      else this.poll = setTimeout(() => void turn().catch(() => {}), POLL_MS);
    };
    await turn().catch(() => {});
  }

  /** In `hlt` with interrupts off: nothing will wake it. */
  private async isHalted(): Promise<boolean> {
    const text = await this.monitor!.human("info registers");
    const flags = /[ER]FL=([0-9a-f]+)/.exec(text)?.[1];
    return / HLT=1/.test(text) && flags !== undefined && (Number.parseInt(flags, 16) & 0x200) === 0;
  }

  private async look(): Promise<void> {
    if (this.monitor === null || this.stopped) return;
    const file = join(this.folder, "screen");
    await this.monitor.execute("pmemsave", { val: TEXT_MEMORY, size: TEXT_BYTES, filename: file });
    const cells = new Uint8Array(await readFile(file));
    if (cells.length !== TEXT_BYTES || cells.every((byte, at) => byte === this.cells[at])) return;
    this.cells = cells;
    this.onScreen?.({ cells, cursor: null });
  }

  /** QEMU has ended: by the debug exit, whose statuses are odd, or because the guest reset the machine. */
  private leave(code: number | null): void {
    if (code !== null && code % 2 === 1 && this.errors === "") this.finish({ kind: "exit", status: code });
    else if (code !== 0) this.giveUp(`QEMU ended with status ${code}: ${this.errors.trim()}`);
    else {
      const message = "The guest reset the machine: a triple fault, unless it meant to.";
      this.finish({ kind: "stopped", message, event: null });
    }
  }

  private giveUp(message: string): void {
    this.finish({ kind: "unavailable", message });
  }

  private finish(end: Parameters<NonNullable<Session["onEnd"]>>[0]): void {
    if (!this.stopped) this.onEnd?.(end);
  }
}

function missing(): string {
  return `${PROGRAM} is not installed. On Debian and Ubuntu: apt install qemu-system-x86; on Fedora: dnf install qemu-system-x86; on macOS: brew install qemu.`;
}

/** Boots an image in QEMU, and gives what the run has left behind. Throws `QemuError` where QEMU cannot run. */
export async function runQemu(options: QemuOptions & WatchOptions): Promise<RunResult> {
  const result = await watch(new QemuSession(options), options);
  if (result.exit.kind === "unavailable") throw new QemuError(result.exit.message);
  return result;
}
