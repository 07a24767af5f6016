/** Numbers of variable length, seven bits a byte, the last one without bit 7 ("DWARF", version 4, section 7.6). */
import type { ByteBuffer } from "./bytes.ts";

/** A number that is not negative. */
export function uleb(out: ByteBuffer, value: number | bigint): void {
  let rest = BigInt(value);
  do {
    const more = rest > 0x7fn;
    out.u8(Number(rest & 0x7fn) | (more ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
}

/** A number with a sign. */
export function sleb(out: ByteBuffer, value: number): void {
  let rest = value;
  for (;;) {
    const byte = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0);
    out.u8(isLast ? byte : byte | 0x80);
    if (isLast) return;
  }
}
