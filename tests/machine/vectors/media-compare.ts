/** Compares floating-point and vector state, with the tolerances that the manuals give. */

const hex = (bytes: Uint8Array) =>
  Array.from(bytes.toReversed(), (byte) => byte.toString(16).padStart(2, "0")).join("");

const APPROXIMATE = /^r(cp|sqrt)[ps]s$/;
/** Results that the manual promises to one unit in the last place (Intel SDM vol. 1, section 8.3.10). */
const TRANSCENDENTAL = /^(f2xm1|fyl2x|fyl2xp1|fptan|fpatan|fsin|fcos|fsincos)$/;
const C1 = 0x200;
/** The manual leaves open whether an exact logarithm or power counts as inexact; the summary of exceptions follows. */
const INEXACT_SUMMARY = 0x80a0;
/** One unit more or less decides whether a result at the smallest normal number is tiny. */
const UNDERFLOW = 0x10;
const VECTORS = 160;

/** 1.5 × 2^-12 from each other on either side. */
const TOLERANCE = 2 * 1.5 * 2 ** -12;

/**
 * Whether a reciprocal is zero, or so close above the smallest normal number that it depends on the processor whether it
 * counts as tiny, and is zero (Intel SDM vol. 2, RCPPS).
 */
const mayBeTiny = (value: number) => Math.abs(value) <= 2 ** -126 * (1 + TOLERANCE);

function closeSingles(found: DataView, wanted: DataView): boolean {
  for (let lane = 0; lane < 4; lane++) {
    const [a, b] = [found.getFloat32(lane * 4, true), wanted.getFloat32(lane * 4, true)];
    if (found.getUint32(lane * 4, true) === wanted.getUint32(lane * 4, true)) continue;
    const sameSign = (found.getUint32(lane * 4, true) ^ wanted.getUint32(lane * 4, true)) >>> 31 === 0;
    if (sameSign && mayBeTiny(a) && mayBeTiny(b)) continue;
    if (!(Math.abs(a - b) <= TOLERANCE * Math.abs(b))) return false;
  }
  return true;
}

/** Whether two 80-bit numbers are neighbours. */
function neighbours(found: Uint8Array, wanted: Uint8Array): boolean {
  const whole = (bytes: Uint8Array) => BigInt(`0x${hex(bytes.subarray(0, 10))}`);
  const magnitude = (bits: bigint) => ((bits >> 64n) & 0x7fffn) * (1n << 63n) + (bits & 0x7fffffffffffffffn);
  const [a, b] = [whole(found), whole(wanted)];
  const distance = magnitude(a) - magnitude(b);
  return a >> 79n === b >> 79n && distance >= -1n && distance <= 1n;
}

/**
 * Of a signaling and a quiet NaN, Intel's x87 answers with the quiet one (SDM vol. 1, table 4-7), AMD's with the larger once
 * both are quiet. We follow Intel; the vectors come from a processor of either make.
 */
function bothNans(found: Uint8Array, wanted: Uint8Array): boolean {
  const isQuietNan = (bytes: Uint8Array) => (bytes[9]! & 0x7f) === 0x7f && bytes[8] === 0xff && bytes[7]! >= 0xc0;
  return isQuietNan(found) && isQuietNan(wanted);
}

/** Whether the result is the smallest normal number, or a smaller one; above a sine lies the cosine, above a tangent 1. */
function isNearlyTiny(mnemonic: string, state: DataView): boolean {
  const place = /^(fsincos|fptan)$/.test(mnemonic) ? 1 : 0;
  return (state.getUint16(40 + place * 16, true) & 0x7fff) <= 1;
}

/** The smallest normal number here, and there the next smaller one as an unmasked underflow gives it: times 2^24576. */
function isScaledNeighbour(found: Uint8Array, wanted: Uint8Array): boolean {
  return /^0{12}[08]0018000000000000000$/.test(hex(found)) && /^0{12}[6e]000f{16}$/.test(hex(wanted));
}

export function mediaDifferences(mnemonic: string, found: Uint8Array, wanted: Uint8Array): string[] {
  const wrong: string[] = [];
  const [head, other] = [new DataView(found.buffer, found.byteOffset), new DataView(wanted.buffer, wanted.byteOffset)];
  const word = (name: string, at: number, ignored = 0) => {
    const [a, b] = [head.getUint16(at, true), other.getUint16(at, true)];
    if (((a ^ b) & ~ignored) !== 0) wrong.push(`${name} ${a.toString(16)}, not ${b.toString(16)}`);
  };
  const transcendental = TRANSCENDENTAL.test(mnemonic);
  const open = C1 | INEXACT_SUMMARY | (isNearlyTiny(mnemonic, head) ? UNDERFLOW : 0);
  word("control", 0);
  word("status", 2, transcendental ? open : 0);
  word("tags", 4);
  word("mxcsr", 24);
  for (let at = 32; at < found.length; at += 16) {
    const [a, b] = [found.subarray(at, at + 16), wanted.subarray(at, at + 16)];
    if (Buffer.compare(a, b) === 0) continue;
    const isClose = transcendental && (neighbours(a, b) || isScaledNeighbour(a, b));
    if (at < VECTORS && (isClose || bothNans(a, b))) continue;
    const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, 16);
    if (at >= VECTORS && APPROXIMATE.test(mnemonic) && closeSingles(view(a), view(b))) continue;
    wrong.push(`${at < VECTORS ? `st${(at - 32) / 16}` : `xmm${(at - VECTORS) / 16}`} ${hex(a)}, not ${hex(b)}`);
  }
  return wrong;
}
