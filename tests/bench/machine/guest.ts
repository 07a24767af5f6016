/** Runs a disk in our machine as a host does, in slices with turns of the event loop between them. Node and pages. */
import { createMachine, type EngineName } from "../../../machine/hosts/pc.ts";
import { Runner } from "../../../machine/hosts/runner.ts";
import { type GuestResult, Marks } from "./marks.ts";

/** As much RAM as the peers get. */
const MEMORY = 128 << 20;

export interface GuestRun {
  readonly image: Uint8Array;
  readonly engine?: EngineName | undefined;
  /** Milliseconds after which the run is given up. */
  readonly limit: number;
}

/** `now` gives milliseconds since the start that is to be timed; `turn` calls back in a new task. */
export function runGuest(
  { image, engine, limit }: GuestRun,
  now: () => number,
  turn: (task: () => void) => void,
): Promise<GuestResult> {
  const marks = new Marks(now);
  const machine = createMachine({
    image,
    memory: MEMORY,
    clock: "host",
    startTime: Date.now(),
    ...(engine === undefined ? {} : { engine }),
  });
  machine.onSerial = (byte) => marks.take(byte);
  const runner = new Runner(machine);
  return new Promise((resolve, reject) => {
    const slice = (): void => {
      try {
        const { stop, wait } = runner.slice();
        if (wait === null || now() > limit) {
          const { times, checksum, text } = marks.result;
          const reason = stop.kind === "stopped" ? stop.event.message : stop.kind;
          resolve({ times, checksum, text: checksum === null ? `${text} [${reason}]` : text });
        } else turn(slice);
      } catch (error) {
        reject(error);
      }
    };
    slice();
  });
}
