/** A guest that runs until it ends, and how to watch one: the same for our machine and for QEMU. */
import { Buffer } from "node:buffer";
import type { MachineEvent } from "#machine/machine.ts";
import { typed } from "#machine/platform/scan-codes.ts";
import { screenText } from "#machine/platform/vga.ts";

/** What a host shows of the text screen: 4,000 bytes of character and attribute pairs. */
export interface ScreenState {
  readonly cells: Uint8Array;
  /** Null where the guest runs in a machine that does not tell. */
  readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean } | null;
}

/**
 * Why a run ended. `until`: the text that was waited for has appeared. `halted`: the guest sleeps for ever. `exit`: it
 * wrote to the debug exit. `stopped`: the machine could not go on; `event` has the whole story where there is one.
 * `unavailable`: there is no such machine here; the message says what to install.
 */
export type RunEnd =
  | { readonly kind: "until" }
  | { readonly kind: "timeout" }
  | { readonly kind: "halted" }
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "stopped"; readonly message: string; readonly event: MachineEvent | null }
  | { readonly kind: "unavailable"; readonly message: string };

/** A running guest. Callbacks are set before `start`. */
export interface Session {
  onSerial: ((bytes: Uint8Array) => void) | null;
  /** A new picture of the screen; only when it has changed. */
  onScreen: ((screen: ScreenState) => void) | null;
  /** One line about something unusual: an unknown port, a firmware service that is not there. */
  onNotice: ((message: string) => void) | null;
  /** The guest ended by itself. Not called after `stop`. */
  onEnd: ((end: RunEnd) => void) | null;
  start(): void;
  /** Types characters on the guest's keyboard, each given as the scan codes of its keys. */
  press(characters: readonly number[][]): void;
  /** Bytes that come in over the guest's serial line. */
  send(bytes: Uint8Array): void;
  /** Ends the guest. Resolves with the last picture of its screen. */
  stop(): Promise<ScreenState>;
}

export interface WatchOptions {
  /** Ends the run when this text is on the screen or has come over the serial line. */
  readonly until?: string;
  /** Seconds of wall-clock time; no limit unless given. */
  readonly timeout?: number;
  /** Typed on the guest's keyboard: at the start, or when `typeAfter` is on the screen or has come over the serial line. */
  readonly type?: string;
  readonly typeAfter?: string;
  /** Serial bytes as they come. */
  readonly onSerial?: (bytes: Uint8Array) => void;
  readonly onNotice?: (message: string) => void;
}

/** What a run has left behind. */
export interface RunResult {
  /** 80 × 25 pairs of character and attribute. */
  readonly screenCells: Uint8Array;
  readonly serial: Uint8Array;
  readonly exit: RunEnd;
}

/** Runs a session to its end, or until `until` or `timeout`. */
export async function watch(session: Session, options: WatchOptions): Promise<RunResult> {
  const serial: Uint8Array[] = [];
  let clock: NodeJS.Timeout | undefined;
  const exit = await new Promise<RunEnd>((resolve) => {
    const watchers = [
      textWatcher(options.until, () => resolve({ kind: "until" })),
      textWatcher(options.typeAfter, () => session.press(typed(options.type ?? ""))),
    ];
    session.onSerial = (bytes) => {
      serial.push(bytes);
      options.onSerial?.(bytes);
      for (const watcher of watchers) watcher.serial(bytes);
    };
    session.onScreen = (screen) => {
      for (const watcher of watchers) watcher.screen(screen);
    };
    session.onNotice = options.onNotice ?? null;
    session.onEnd = resolve;
    if (options.timeout !== undefined) clock = setTimeout(() => resolve({ kind: "timeout" }), options.timeout * 1000);
    session.start();
    if (options.type !== undefined && options.typeAfter === undefined) session.press(typed(options.type));
  });
  clearTimeout(clock);
  const { cells } = await session.stop();
  return { screenCells: cells, serial: Uint8Array.from(Buffer.concat(serial)), exit };
}

/** Looks for a text in serial bytes, across their pieces, and on the screen, once. An empty text is never found. */
export function textWatcher(text: string | undefined, found: () => void) {
  let wanted = text === undefined || text === "" ? null : Buffer.from(text);
  let tail = Buffer.alloc(0);
  const done = () => {
    wanted = null;
    found();
  };
  return {
    serial(bytes: Uint8Array): void {
      if (wanted === null) return;
      tail = Buffer.concat([tail, bytes]);
      const keep = wanted.length - 1;
      if (tail.includes(wanted)) done();
      tail = tail.subarray(Math.max(0, tail.length - keep));
    },
    screen({ cells }: ScreenState): void {
      if (wanted !== null && screenText(cells).includes(text!)) done();
    },
  };
}
