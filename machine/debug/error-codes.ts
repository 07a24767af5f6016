/** The error codes that exceptions push, in words. */

const PAGE_FAULT = 14;
/** Invalid TSS, segment not present, stack fault, general protection: the code names a descriptor. */
const ABOUT_DESCRIPTORS: ReadonlySet<number> = new Set([10, 11, 12, 13]);

/** What an error code says, or null where it says nothing (0 of a general protection fault, a double fault's). */
export function tellErrorCode(vector: number, errorCode: number): string | null {
  if (vector === PAGE_FAULT) return pageFaultReason(errorCode);
  return ABOUT_DESCRIPTORS.has(vector) && errorCode !== 0 ? descriptorNamed(errorCode) : null;
}

/** A page fault's error code in words (Intel SDM vol. 3A, section 4.7). */
export function pageFaultReason(errorCode: number): string {
  const access = errorCode & 16 ? "an instruction fetch" : errorCode & 2 ? "a write" : "a read";
  const who = errorCode & 4 ? "in user mode" : "by the kernel";
  const why =
    errorCode & 8 ? "a reserved bit is set" : errorCode & 1 ? "the page does not allow it" : "no page is there";
  return `${access} ${who}, but ${why}`;
}

/** The descriptor that a selector's error code names (Intel SDM vol. 3A, figure 6-7). */
function descriptorNamed(errorCode: number): string {
  const index = errorCode >> 3;
  const [inGates, inLocalTable, external] = [errorCode & 2, errorCode & 4, errorCode & 1];
  const table = inLocalTable ? "local" : "global";
  const what = inGates
    ? `gate ${index} of the interrupt table`
    : `selector 0x${(index << 3).toString(16)} of the ${table} table`;
  return external ? `${what}, on the way to a handler` : what;
}
