/** The messages between the page and the worker that runs the machine. All data is structured-cloneable. */
import type { MachineEvent } from "#machine/machine.ts";
import type { Inspection, Questions } from "../../debug/inspection.ts";
import type { TaijiState } from "./api.ts";

export type ToWorker =
  | {
      readonly kind: "power";
      readonly image: ArrayBuffer;
      readonly memory: number;
      readonly clock: "free" | "host";
      readonly paused: boolean;
    }
  /** What the open inspectors ask from now on. */
  | { readonly kind: "inspect"; readonly questions: Questions }
  | { readonly kind: "reset" }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  /** From now on in slow motion, for watching; or at the pace of the wall clock again. */
  | { readonly kind: "slow"; readonly slow: boolean }
  | { readonly kind: "step"; readonly count: number }
  | { readonly kind: "type"; readonly text: string }
  /** Keys that went down or came up, in scan code set 1. */
  | { readonly kind: "keys"; readonly scanCodes: readonly number[] };

export type FromWorker =
  | {
      readonly kind: "state";
      readonly state: Exclude<TaijiState, "loading">;
      readonly reason: string | null;
      /** Of a guest that ended the machine through its debug exit port. */
      readonly exitStatus: number | null;
      readonly instructions: number;
      /** What ended the machine, where it ended itself. */
      readonly event: MachineEvent | null;
    }
  | {
      readonly kind: "screen";
      /** 80 × 25 pairs of character and attribute. */
      readonly cells: Uint8Array;
      readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean };
      readonly text: string;
    }
  | { readonly kind: "serial"; readonly bytes: Uint8Array }
  /** Whenever the machine stands still, and now and then while it runs; before the message that says so. */
  | { readonly kind: "inspection"; readonly inspection: Inspection };
