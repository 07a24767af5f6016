/**
 * The public face of `<taiji-machine>`, the element that boots a disk image in any page. Types only: this file is also
 * shipped beside the script as `taiji-machine.d.ts`.
 */

/**
 * `off`: no power yet, or the image could not be loaded. `running`: executing, or asleep until a device wakes it.
 * `paused`: by the reader or a breakpoint. `halted`: the guest waits in `hlt`, and nothing will wake it but perhaps a key.
 * `stopped`: the guest ended itself, or a triple fault did.
 */
export type TaijiState = "off" | "loading" | "running" | "paused" | "halted" | "stopped";

/** `detail` of the event `statechange`. */
export interface TaijiStateDetail {
  readonly state: TaijiState;
  /** Why, in one sentence, where there is more to say than the state's name: a fault's story, an exit status. */
  readonly reason: string | null;
  /** The status with which the guest ended the machine through its debug exit port, else null. */
  readonly exitStatus: number | null;
}

/** `detail` of the event `output`: what the guest has newly written to its serial line. */
export interface TaijiOutputDetail {
  readonly text: string;
}

/**
 * Attributes: `src`, the URL of a raw disk image or of a kernel's ELF file; `memory`, bytes of RAM (33554432 unless
 * given); `map`, the URL of the image's `map.json`, for source lines beside the registers; `clock`, `free` for a guest
 * whose time need not pass as the reader's does: it runs as fast as it can, and sleeps no longer than that takes. The element powers on when
 * the reader presses its button or a script calls `power()`, never by itself.
 */
export interface TaijiMachineElement extends HTMLElement {
  src: string;
  memory: number;
  readonly state: TaijiState;
  /** The 25 rows of the text screen, trailing blanks cut, joined by line feeds. */
  readonly screenText: string;
  /** All that the guest has written to COM1 since power-on, as UTF-8. */
  readonly serialText: string;
  /**
   * Loads `src` and starts from the reset vector, or, with `paused`, waits there. Resolves when the image is in the
   * machine; rejects with the reason if it cannot be loaded.
   */
  power(options?: { paused?: boolean }): Promise<void>;
  /** Ends the machine and forgets its state. */
  powerOff(): void;
  /** Back to power-on with the same image; keeps running if it ran. */
  reset(): void;
  /** Resolves once the machine stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Executes `count` instructions (1 unless given) of a paused machine; resolves when they are done. */
  step(count?: number): Promise<void>;
  /** Types text on the guest's keyboard, which is an American one. */
  type(text: string): void;
  /** Keys of the guest's keyboard go down and come up: scan codes of set 1, as `[0x1e, 0x9e]` for A. */
  press(scanCodes: readonly number[]): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "taiji-machine": TaijiMachineElement;
  }
}
