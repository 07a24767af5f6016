/** Runs an image in the book's machine until it is done. */
import type { Machine, StopReason } from "#machine/machine.ts";
import { screenText } from "#machine/platform/vga.ts";
import { createMachine } from "../../machine/hosts/pc.ts";

/** Instructions between two looks. */
const SLICE = 500_000;
/** The time limit, in guest time: a minute of a test that hangs, on the computers that run these. */
const LIMIT = 60_000_000;

export interface MachineRun {
  readonly machine: Machine;
  /** Why it ended; `budget` where it goes on for ever. */
  readonly stop: StopReason;
  /** The text screen's 4,000 bytes. */
  readonly cells: Uint8Array;
  readonly serial: Uint8Array;
}

/** Text that somebody types, on an American keyboard, once the screen shows something. */
export interface Typing {
  readonly after: string;
  readonly text: string;
}

export interface MachineConfig {
  readonly memory?: number;
  /** Ends the run of a guest that does not end itself. */
  readonly done?: (cells: Uint8Array, serial: Uint8Array) => boolean;
  readonly typing?: Typing;
}

/** Powers a machine on with a disk image or a kernel's ELF file in it. */
export function runInMachine(image: Uint8Array, { memory, done, typing }: MachineConfig = {}): MachineRun {
  const machine = createMachine({ image, ...(memory === undefined ? {} : { memory }) });
  const serial: number[] = [];
  machine.onSerial = (byte) => serial.push(byte);
  const isDone = () => done?.(machine.screen.cells, Uint8Array.from(serial)) === true;
  let typed = typing === undefined;
  const typeWhenAsked = () => {
    if (typed || !screenText(machine.screen.cells).includes(typing!.after)) return;
    machine.type(typing!.text);
    typed = true;
  };
  let stop = machine.run(SLICE);
  while (stop.kind === "budget" && machine.instructions < LIMIT && !isDone()) {
    typeWhenAsked();
    stop = machine.run(SLICE);
  }
  return { machine, stop, cells: machine.screen.cells.slice(), serial: Uint8Array.from(serial) };
}
