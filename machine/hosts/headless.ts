/** Our machine as a session: runs in slices, so that timers and signals get their turn. */
import { createMachine } from "./pc.ts";
import { type RunEnd, type RunResult, type ScreenState, type Session, type WatchOptions, watch } from "./session.ts";

/** Wall time between two turns of the event loop, and instructions between two looks at the clock. */
const SLICE_MS = 10;
const CHUNK = 20_000;

export interface MachineOptions {
  /** A disk image, or a kernel's ELF file. */
  readonly image: Uint8Array;
  /** Bytes of RAM. */
  readonly memory?: number;
  /** A sleeping guest is not ended: the host may still type. */
  readonly keepHalted?: boolean;
}

/** The book's machine, run by this process. */
export class MachineSession implements Session {
  onSerial: Session["onSerial"] = null;
  onScreen: Session["onScreen"] = null;
  onNotice: Session["onNotice"] = null;
  onEnd: Session["onEnd"] = null;
  private readonly machine;
  private readonly keepHalted: boolean;
  private serial: number[] = [];
  private shown = -1;
  private running = false;
  /** In `hlt`, and waiting for the host to type. */
  private asleep = false;

  /** Throws `ElfError` for an ELF file that the machine cannot load. */
  constructor({ image, memory, keepHalted }: MachineOptions) {
    this.machine = createMachine({ image, ...(memory === undefined ? {} : { memory }) });
    this.keepHalted = keepHalted ?? false;
    this.machine.onSerial = (byte) => this.serial.push(byte);
    this.machine.onEvent = (event) => {
      if (event.kind !== "tripleFault") this.onNotice?.(event.message);
    };
  }

  start(): void {
    this.running = true;
    this.asleep = false;
    setImmediate(this.slice);
  }

  type(text: string): void {
    this.machine.type(text);
    if (this.asleep) this.start();
  }

  async stop(): Promise<ScreenState> {
    this.running = false;
    return this.screen();
  }

  private readonly slice = (): void => {
    if (!this.running) return;
    const until = performance.now() + SLICE_MS;
    let stop = this.machine.run(CHUNK);
    this.show();
    while (this.running && stop.kind === "budget" && performance.now() < until) {
      stop = this.machine.run(CHUNK);
      this.show();
    }
    if (!this.running) return;
    if (stop.kind === "budget") setImmediate(this.slice);
    else this.end(stop);
  };

  private end(stop: Exclude<ReturnType<typeof this.machine.run>, { kind: "budget" }>): void {
    this.running = false;
    this.asleep = stop.kind === "halted" && this.keepHalted;
    if (this.asleep) this.onNotice?.("the guest sleeps, and only a key could wake it");
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

function endOf(stop: Exclude<ReturnType<ReturnType<typeof createMachine>["run"]>, { kind: "budget" }>): RunEnd {
  switch (stop.kind) {
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
