/** The messages between the page and the worker that runs the machine. All data is structured-cloneable. */
import type { TaijiState } from "./api.ts";

export type ToWorker =
  | { readonly kind: "power"; readonly image: ArrayBuffer; readonly memory: number; readonly paused: boolean }
  | { readonly kind: "reset" }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "step"; readonly count: number }
  | { readonly kind: "type"; readonly text: string };

/** The registers as the inspector shows them. */
export interface RegisterFile {
  /** Name and value in the order of the table: rax … r15, rip, rflags, segments, control registers. */
  readonly values: readonly { readonly name: string; readonly value: bigint; readonly bits: 16 | 32 | 64 }[];
  readonly mode: 16 | 32 | 64;
  readonly rip: bigint;
  /** The next instructions, decoded from memory where rip points. */
  readonly code: readonly { readonly address: bigint; readonly bytes: Uint8Array; readonly text: string }[];
}

export type FromWorker =
  | {
      readonly kind: "state";
      readonly state: Exclude<TaijiState, "loading">;
      readonly reason: string | null;
      /** Of a guest that ended the machine through its debug exit port. */
      readonly exitStatus: number | null;
      readonly instructions: number;
      /** Present whenever the machine stands still. */
      readonly registers: RegisterFile | null;
    }
  | {
      readonly kind: "screen";
      /** 80 × 25 pairs of character and attribute. */
      readonly cells: Uint8Array;
      readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean };
      readonly text: string;
    }
  | { readonly kind: "serial"; readonly bytes: Uint8Array };
