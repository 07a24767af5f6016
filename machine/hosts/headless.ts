/** Our machine as a session: runs in slices, so that timers and signals get their turn. */
import type { StopReason } from "#machine/machine.ts";
import { createMachine, type EngineName } from "./pc.ts";
import { Runner } from "./runner.ts";
import { type RunEnd, type RunResult, type ScreenState, type Session, type WatchOptions, watch } from "./session.ts";

export interface MachineOptions {
  /** A disk image, or a kernel's ELF file. */
  readonly image: Uint8Array;
  /** Bytes of RAM. */
  readonly memory?: number;
  /** A sleeping guest is not ended: the host may still type. */
  readonly keepHalted?: boolean;
  /** `host`: a second of the guest is a second on the wall. `free`, unless given: as fast as it goes, and never asleep. */
  readonly clock?: "free" | "host";
  /** What the guest's clock shows at power-on, in milliseconds since 1970; always the same unless given. */
  readonly startTime?: number;
  /** What runs the processor: the best there is, unless given. */
  readonly engine?: EngineName;
}

/** The book's machine, run by this process. */
export class MachineSession implements Session {
  onSerial: Session["onSerial"] = null;
  onScreen: Session["onScreen"] = null;
  onNotice: Session["onNotice"] = null;
  onEnd: Session["onEnd"] = null;
  private readonly machine;
  private readonly runner: Runner;
  private readonly keepHalted: boolean;
  private serial: number[] = [];
  private shown = -1;
  private running = false;
  /** In `hlt`, and nothing but a key could wake it. */
  private halted = false;
  /** Runs the next slice when a sleeping guest wakes by itself. */
  private alarm: NodeJS.Timeout | undefined;
  /** Keys have come since the last slice ended. */
  private touched = false;

  /** Throws `ElfError` for an ELF file that the machine cannot load. */
  constructor({ keepHalted, ...config }: MachineOptions) {
    this.machine = createMachine(config);
    this.runner = new Runner(this.machine);
    this.keepHalted = keepHalted ?? false;
    this.machine.onSerial = (byte) => this.serial.push(byte);
    this.machine.onEvent = (event) => {
      if (event.kind !== "tripleFault") this.onNotice?.(event.message);
    };
  }

  start(): void {
    this.running = true;
    this.halted = false;
    setImmediate(this.slice);
  }

  press(characters: readonly number[][]): void {
    this.runner.catchUp();
    this.machine.type(characters);
    this.wake();
  }

  send(bytes: Uint8Array): void {
    this.runner.catchUp();
    this.machine.receive(bytes);
    this.wake();
  }

  /** After input: a guest that sleeps may have been woken by it. */
  private wake(): void {
    this.touched = true;
    if (this.halted) this.start();
    else if (this.alarm !== undefined) this.continue(0);
  }

  async stop(): Promise<ScreenState> {
    this.running = false;
    clearTimeout(this.alarm);
    return this.screen();
  }

  private readonly slice = (): void => {
    this.alarm = undefined;
    if (!this.running) return;
    const { stop, wait } = this.runner.slice();
    this.touched = false;
    this.show(); // whoever sees this may press a key
    if (!this.running) return;
    if (stop.kind === "halted" && this.touched) this.continue(0);
    else if (wait === null) this.end(stop);
    else this.continue(wait);
  };

  private continue(wait: number): void {
    clearTimeout(this.alarm);
    this.alarm = undefined;
    if (wait > 0) this.alarm = setTimeout(this.slice, wait);
    else setImmediate(this.slice);
  }

  private end(stop: StopReason): void {
    this.running = false;
    this.halted = stop.kind === "halted" && this.keepHalted;
    if (this.halted) this.onNotice?.("the guest sleeps, and only a key could wake it");
    else this.onEnd?.(endOf(stop));
  }

  /** Hands on what is new on the serial line and on the screen. */
  private show(): void {
    if (this.serial.length > 0) {
      const bytes = Uint8Array.from(this.serial);
      this.serial = [];
      this.onSerial?.(bytes);
    }
    const { generation } = this.machine.screen;
    if (generation === this.shown || this.onScreen === null) return;
    this.shown = generation;
    this.onScreen(this.screen());
  }

  private screen(): ScreenState {
    return { cells: this.machine.screen.cells, cursor: this.machine.screen.cursor };
  }
}

function endOf(stop: StopReason): RunEnd {
  switch (stop.kind) {
    case "budget":
      throw new Error("a slice that only ran out of time is not the end");
    case "halted":
      return { kind: "halted" };
    case "exit":
      return { kind: "exit", status: stop.status };
    case "breakpoint":
      return { kind: "stopped", message: `Breakpoint at 0x${stop.address.toString(16)}.`, event: null };
    case "stopped":
      return { kind: "stopped", message: stop.event.message, event: stop.event };
  }
}

/** Boots an image in our machine, and gives what the run has left behind. */
export function runMachine(options: MachineOptions & WatchOptions): Promise<RunResult> {
  return watch(new MachineSession(options), options);
}
