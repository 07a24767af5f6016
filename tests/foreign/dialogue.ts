/** A talk with a guest, the same in our machine and in QEMU: wait for its words, answer, and so on. */
import { Buffer } from "node:buffer";
import { screenText } from "#machine/platform/vga.ts";
import type { RunEnd, Session } from "../../machine/hosts/session.ts";
import { terminalKeys } from "../../machine/hosts/terminal-keys.ts";

/** Words that are waited for, on the screen or on the serial line after the words before, and the answer to them. */
export interface Step {
  readonly screen?: string | RegExp;
  readonly serial?: string;
  /** Typed on the guest's keyboard, as a terminal would send it. */
  readonly type?: string;
  /** Sent over its serial line. */
  readonly send?: string;
}

export interface Talk {
  /** Steps that came to pass. */
  readonly reached: number;
  /** Null where all steps came to pass, and the guest was ended for it. */
  readonly end: RunEnd | null;
  /** The serial line's text without the escape sequences of a terminal. */
  readonly serial: string;
  readonly screen: string;
  /** One line each about something unusual. */
  readonly notices: readonly string[];
  readonly seconds: number;
}

const ESCAPE = String.fromCharCode(27);
const SEQUENCE = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-z]`, "g");

/** What a terminal's user would read of what came over the line. */
export function plainText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1").replace(SEQUENCE, "").replaceAll("\r", "");
}

/** Holds the talk, for at most so many seconds. */
export async function talk(session: Session, steps: readonly Step[], seconds: number): Promise<Talk> {
  const began = performance.now();
  const received: Uint8Array[] = [];
  const notices: string[] = [];
  let [serial, heard, reached, screen] = ["", 0, 0, ""];
  let clock: NodeJS.Timeout | undefined;
  const end = await new Promise<RunEnd | null>((resolve) => {
    const look = (): void => {
      for (let step = steps[reached]; step !== undefined; step = steps[++reached]) {
        if (step.screen !== undefined && screen.search(step.screen) < 0) return;
        const at = step.serial === undefined ? heard : serial.indexOf(step.serial, heard);
        if (at < 0) return;
        heard = at + (step.serial?.length ?? 0);
        if (step.type !== undefined) session.press(terminalKeys(step.type));
        if (step.send !== undefined) session.send(Buffer.from(step.send));
      }
      resolve(null);
    };
    session.onSerial = (bytes) => {
      received.push(bytes);
      serial = plainText(Buffer.concat(received));
      look();
    };
    session.onScreen = ({ cells }) => {
      screen = screenText(cells);
      look();
    };
    session.onNotice = (notice) => notices.push(notice);
    session.onEnd = resolve;
    clock = setTimeout(() => resolve({ kind: "timeout" }), seconds * 1000);
    session.start();
  });
  clearTimeout(clock);
  screen = screenText((await session.stop()).cells);
  return { reached, end, serial, screen, notices, seconds: (performance.now() - began) / 1000 };
}
