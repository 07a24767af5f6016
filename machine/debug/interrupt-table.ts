/** The interrupt descriptor table, or in real mode the vector table, as it lies in memory. */
import type { TableForm } from "./table-form.ts";

/** One entry. A gate that is not present has the fields that its bytes say, which mean nothing. */
export interface Gate {
  readonly vector: number;
  readonly present: boolean;
  /** "interrupt gate"; "far pointer" in real mode; "type 2, no gate" for what the processor refuses. */
  readonly type: string;
  readonly selector: number;
  /** Of the handler, in its code segment. */
  readonly offset: bigint;
  /** Stack of the interrupt stack table, 1 to 7; 0: the stack stays. */
  readonly stack: number;
  /** Software at this privilege or a higher one may call it with `int`. */
  readonly privilege: number;
}

/** Bytes of an entry. */
export const GATE_SIZE: Readonly<Record<TableForm, number>> = { real: 4, protected: 8, long: 16 };

const VECTORS = 256;

/** Gate types by mode (Intel SDM vol. 3A, table 3-2). */
const TYPES: Readonly<Record<"protected" | "long", Readonly<Record<number, string>>>> = {
  protected: {
    5: "task gate",
    6: "16-bit interrupt gate",
    7: "16-bit trap gate",
    14: "interrupt gate",
    15: "trap gate",
  },
  long: { 14: "interrupt gate", 15: "trap gate" },
};

/** Entries that lie wholly inside a table whose last byte has the offset `limit`. */
export function countGates(limit: number, form: TableForm): number {
  return Math.min(VECTORS, Math.floor((limit + 1) / GATE_SIZE[form]));
}

/** Decodes all whole entries of `bytes`, the first of which belongs to vector 0. */
export function decodeInterruptTable(bytes: Uint8Array, form: TableForm): Gate[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: countGates(bytes.length - 1, form) }, (_, vector) => decodeGate(view, vector, form));
}

/** Intel SDM vol. 3A, figures 6-2 (protected mode) and 6-8 (long mode). */
function decodeGate(view: DataView, vector: number, form: TableForm): Gate {
  const at = vector * GATE_SIZE[form];
  const low = view.getUint16(at, true);
  const second = view.getUint16(at + 2, true);
  if (form === "real") {
    return {
      vector,
      present: true,
      type: "far pointer",
      selector: second,
      offset: BigInt(low),
      stack: 0,
      privilege: 0,
    };
  }
  const attributes = view.getUint16(at + 4, true);
  const type = (attributes >> 8) & 0x1f;
  const middle = BigInt(view.getUint16(at + 6, true)) << 16n;
  const high = form === "long" ? BigInt(view.getUint32(at + 8, true)) << 32n : 0n;
  return {
    vector,
    present: (attributes & 0x8000) !== 0,
    type: TYPES[form][type] ?? `type ${type}, no gate`,
    selector: second,
    offset: high | middle | BigInt(low),
    stack: form === "long" ? attributes & 7 : 0,
    privilege: (attributes >> 13) & 3,
  };
}
