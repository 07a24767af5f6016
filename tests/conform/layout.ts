/** Where harness.asm expects programs and leaves results. The numbers are the same there. */

/** Physical: header, then a template page, then records. */
export const DATA = 0x200000;
export const TEMPLATE = 0x1000;
export const RECORDS = 0x2000;
export const RECORD_SIZE = 480;
/** Linear address of DATA in the sandbox. */
export const CODE = 0x10000000;
export const RESULTS = 0x1000000;
export const RESULT_SIZE = 768;
/** Copies of the pages that programs wrote, in their order. */
export const COPIES = 0x2000000;
export const PAGE = 0x1000;
/** As many as find room between DATA and RESULTS, and between those and COPIES. */
export const MOST_PROGRAMS = 16_000;
export const MEMORY = 96 << 20;

/** Linear: pages 0 and 1 can be written, 2 comes on demand, 3 is read-only, 4 the supervisor's. Before and behind: nothing. */
export const PAGES = 0x500000;
export const FS_BASE = PAGES + 0x0f80;
export const GS_BASE = PAGES + 0x1f40;

/** Offsets in a record. */
export const RECORD = { flags: 128, kind: 136, code: 160 } as const;
export const MOST_CODE = RECORD_SIZE - RECORD.code - 1;

/** Offsets in the header. */
export const HEADER = { count: 0, repeat: 4, timer: 8, media: 12, pages: 16, fx: 512 } as const;

/** Offsets in a result: the registers as the handler pushed them, r15 first, then what the processor pushed. */
export const RESULT = {
  registers: 0,
  vector: 15 * 8,
  error: 16 * 8,
  rip: 17 * 8,
  cs: 18 * 8,
  flags: 19 * 8,
  rsp: 20 * 8,
  ss: 21 * 8,
  cr2: 22 * 8,
  log: 23 * 8,
  segments: 24 * 8,
  marks: 25 * 8,
  firstCopy: 26 * 8,
  fx: 256,
} as const;
/** In the order in which they lie in a result. */
export const PUSHED = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2, 1, 0] as const;

/** Where record `slot` has its code in the sandbox. */
export function codeAddress(slot: number): number {
  return CODE + RECORDS + slot * RECORD_SIZE + RECORD.code;
}
