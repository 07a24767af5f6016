/** The global descriptor table as it lies in memory. */

/** One descriptor. In long mode a system descriptor takes the place of two. */
export interface SegmentDescriptor {
  /** With privilege 0: what a program loads to use it. */
  readonly selector: number;
  /** "64-bit code", "data", "64-bit TSS"; "null" for the first one and for all that are zero. */
  readonly kind: string;
  readonly base: bigint;
  /** Offset of the segment's last byte; pages are counted out. */
  readonly limit: number;
  readonly privilege: number;
  readonly present: boolean;
  /** What else its bits say: "writable", "busy", "accessed". */
  readonly flags: readonly string[];
  /** 64-bit mode takes no notice of base and limit. */
  readonly flat: boolean;
}

/** System descriptor types (Intel SDM vol. 3A, table 3-2). A busy TSS is told by a flag. */
const SYSTEM_TYPES: Readonly<Record<"protected" | "long", Readonly<Record<number, string>>>> = {
  protected: {
    1: "16-bit TSS",
    2: "local table",
    3: "16-bit TSS",
    4: "16-bit call gate",
    5: "task gate",
    6: "16-bit interrupt gate",
    7: "16-bit trap gate",
    9: "32-bit TSS",
    11: "32-bit TSS",
    12: "call gate",
    14: "interrupt gate",
    15: "trap gate",
  },
  long: { 2: "local table", 9: "64-bit TSS", 11: "64-bit TSS", 12: "call gate", 14: "interrupt gate", 15: "trap gate" },
};
const BUSY: ReadonlySet<number> = new Set([3, 11]);

/** Bits of the descriptor's upper half (Intel SDM vol. 3A, figure 3-8). */
const ACCESSED = 1 << 8;
const WRITABLE_OR_READABLE = 1 << 9;
const DOWN_OR_CONFORMING = 1 << 10;
const CODE = 1 << 11;
const CODE_OR_DATA = 1 << 12;
const PRESENT = 1 << 15;
const LONG = 1 << 21;
const BIG = 1 << 22;
const PAGES = 1 << 23;

/** Decodes all whole descriptors of `bytes`, the first of which has selector 0. */
export function decodeSegmentTable(bytes: Uint8Array, form: "protected" | "long"): SegmentDescriptor[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: SegmentDescriptor[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const low = view.getUint32(at, true);
    const high = view.getUint32(at + 4, true);
    const isWide = form === "long" && (high & CODE_OR_DATA) === 0 && (low !== 0 || high !== 0);
    const upper = isWide && at + 16 <= bytes.length ? view.getUint32(at + 8, true) : 0;
    decoded.push(decodeDescriptor(at, low, high, upper, form));
    at += isWide ? 16 : 8;
  }
  return decoded;
}

function decodeDescriptor(
  selector: number,
  low: number,
  high: number,
  upper: number,
  form: "protected" | "long",
): SegmentDescriptor {
  const base = BigInt(((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0) | (BigInt(upper) << 32n);
  const short = (low & 0xffff) | (high & 0xf0000);
  const limit = high & PAGES ? ((short << 12) | 0xfff) >>> 0 : short;
  const isSegment = (high & CODE_OR_DATA) !== 0;
  return {
    selector,
    kind: low === 0 && high === 0 ? "null" : kindOf(high, form),
    base,
    limit,
    privilege: (high >> 13) & 3,
    present: (high & PRESENT) !== 0,
    flags: flagsOf(high),
    flat: form === "long" && isSegment && ((high & CODE) === 0 || (high & LONG) !== 0),
  };
}

function kindOf(high: number, form: "protected" | "long"): string {
  const type = (high >> 8) & 15;
  if ((high & CODE_OR_DATA) === 0) return SYSTEM_TYPES[form][type] ?? `reserved type ${type}`;
  if ((high & CODE) === 0) return "data";
  if (form === "long" && high & LONG) return "64-bit code";
  return high & BIG ? "32-bit code" : "16-bit code";
}

function flagsOf(high: number): string[] {
  if ((high & CODE_OR_DATA) === 0) return BUSY.has((high >> 8) & 15) ? ["busy"] : [];
  const isCode = (high & CODE) !== 0;
  const flags: string[] = [];
  if (high & WRITABLE_OR_READABLE) flags.push(isCode ? "readable" : "writable");
  if (high & DOWN_OR_CONFORMING) flags.push(isCode ? "conforming" : "expands down");
  if (high & ACCESSED) flags.push("accessed");
  return flags;
}
