/** The state of the chips that interrupt, in words and in the units that a kernel's author thinks in. */
import type { ControllerState } from "#machine/platform/interrupt-controller.ts";
import type { KeyboardState } from "#machine/platform/keyboard-controller.ts";
import type { SerialState } from "#machine/platform/serial.ts";
import type { TimerState } from "#machine/platform/timer-channel.ts";
import { deviceOfLine } from "./vectors.ts";

/** One request line of the pair of 8259A controllers. */
export interface RequestLine {
  /** 0 to 15. */
  readonly line: number;
  readonly device: string;
  readonly vector: number;
  readonly masked: boolean;
  readonly requested: boolean;
  readonly inService: boolean;
}

/** All lines, those of the master first. */
export function requestLines(controllers: readonly ControllerState[]): RequestLine[] {
  return controllers.flatMap(({ request, inService, mask, base }, controller) =>
    Array.from({ length: 8 }, (_, bit) => ({
      line: controller * 8 + bit,
      device: deviceOfLine(controller * 8 + bit),
      vector: base + bit,
      masked: ((mask >> bit) & 1) === 1,
      requested: ((request >> bit) & 1) === 1,
      inService: ((inService >> bit) & 1) === 1,
    })),
  );
}

/** Beats a second of the crystal behind the timer. */
const CRYSTAL = 1_193_182;

/** What the three channels of a PC's timer are for. */
const CHANNELS = ["IRQ 0", "memory refresh", "speaker"] as const;

/** Intel 8254 datasheet, "Mode definitions". */
const TIMER_MODES = [
  "interrupt on terminal count",
  "one-shot",
  "rate generator",
  "square wave",
  "software strobe",
  "hardware strobe",
] as const;

export interface TimerReading {
  readonly channel: number;
  readonly use: string;
  readonly mode: string;
  /** The count that was loaded, 1 to 65,536. */
  readonly reload: number;
  /** How often its output rises; null for modes that do not repeat. */
  readonly hertz: number | null;
  readonly output: boolean;
}

export function timerReadings(channels: readonly TimerState[]): TimerReading[] {
  return channels.map(({ mode, reload, output }, channel) => ({
    channel,
    use: CHANNELS[channel] ?? "",
    mode: `${mode}, ${TIMER_MODES[mode]}`,
    reload,
    hertz: mode === 2 || mode === 3 ? CRYSTAL / reload : null,
    output,
  }));
}

/** Interrupt enable register of the 16550, from bit 0 (National Semiconductor PC16550D datasheet, section 8). */
const SERIAL_INTERRUPTS = ["data received", "ready to send", "receiver's errors", "modem's lines"] as const;
/** Line status register, from bit 0 (the same section). */
const LINE_STATUS = ["data ready", "overrun", "parity error", "framing error", "break", "ready to send", "all sent"];

export interface SerialReading {
  readonly baud: number;
  readonly interrupts: readonly string[];
  readonly status: readonly string[];
  readonly received: number;
}

export function serialReading({ baud, interruptEnable, lineStatus, received }: SerialState): SerialReading {
  return {
    baud,
    interrupts: named(interruptEnable, SERIAL_INTERRUPTS),
    status: named(lineStatus, LINE_STATUS),
    received,
  };
}

/** Status register and configuration byte of the i8042, from bit 0 (IBM PC/AT Technical Reference, "Keyboard controller"). */
const KEYBOARD_STATUS = ["byte to read", "busy", "initialized", "command last", "unlocked"] as const;
const KEYBOARD_SETTINGS = [
  "interrupts for keys",
  "interrupts for the mouse",
  "initialized",
  "",
  "keyboard off",
  "mouse off",
  "codes as set 1",
] as const;

export interface KeyboardReading {
  readonly status: readonly string[];
  readonly settings: readonly string[];
}

export function keyboardReading({ status, configuration }: KeyboardState): KeyboardReading {
  return { status: named(status, KEYBOARD_STATUS), settings: named(configuration, KEYBOARD_SETTINGS) };
}

/** The names of the bits that are set, `names[0]` for bit 0. */
function named(bits: number, names: readonly string[]): string[] {
  return names.filter((_, bit) => ((bits >> bit) & 1) === 1);
}
