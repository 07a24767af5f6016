/** Memory operands as ModRM, SIB and displacement bytes, both ways (SDM vol. 2A, section 2.1.5, tables 2-1 to 2-3). */
import type { MemoryOperand, Mode, Width } from "./instruction.ts";
import { defaultSegment, RIP } from "./registers.ts";

/** What decoding a memory operand needs of the instruction around it. */
export interface AddressBytes {
  readonly mode: Mode;
  readonly rex: number;
  /** The segment override in effect, or -1. */
  readonly segment: number;
  byte(): number;
  signed(width: Width): bigint;
}

const BX = 3;
const SP = 4;
const BP = 5;
const SI = 6;
const DI = 7;

/** Base and index of 16-bit addressing, by ModRM.rm. */
const PAIRS: readonly (readonly [base: number, index: number])[] = [
  [BX, SI],
  [BX, DI],
  [BP, SI],
  [BP, DI],
  [SI, -1],
  [DI, -1],
  [BP, -1],
  [BX, -1],
];

/** The memory operand that `modrm` (mod not 3) and the bytes after it name. */
export function readModrmMemory(
  source: AddressBytes,
  modrm: number,
  addressWidth: 16 | 32 | 64,
  width: number,
): MemoryOperand {
  const mod = modrm >> 6;
  const rm = modrm & 7;
  let base = rm;
  let index = -1;
  let scale: MemoryOperand["scale"] = 1;
  let displacementWidth: 0 | 8 | 16 | 32 = mod === 0 ? 0 : mod === 1 ? 8 : addressWidth === 16 ? 16 : 32;
  if (addressWidth === 16) {
    [base, index] = PAIRS[rm]! as [number, number];
    if (mod === 0 && rm === 6) [base, displacementWidth] = [-1, 16];
  } else if (rm === SP) {
    const sib = source.byte();
    base = sib & 7;
    index = ((sib >> 3) & 7) | ((source.rex & 2) << 2);
    if (index === SP) index = -1;
    else scale = (1 << (sib >> 6)) as MemoryOperand["scale"];
    if (base === BP && mod === 0) [base, displacementWidth] = [-1, 32];
    else base |= (source.rex & 1) << 3;
  } else if (rm === BP && mod === 0) {
    base = source.mode === 64 ? RIP : -1;
    displacementWidth = 32;
  } else {
    base |= (source.rex & 1) << 3;
  }
  const displacement = displacementWidth === 0 ? 0n : source.signed(displacementWidth);
  const segment = source.segment >= 0 ? source.segment : defaultSegment(base);
  return { kind: "memory", width, segment, base, index, scale, displacement, addressWidth };
}

/** A memory operand as bytes, without the `reg` field. */
export interface AddressEncoding {
  /** mod and rm. */
  readonly modrm: number;
  /** SIB byte, or -1. */
  readonly sib: number;
  /** Bytes of displacement: 0, 1, 2 or 4. */
  readonly displacementSize: 0 | 1 | 2 | 4;
  /** REX.X and REX.B. */
  readonly rex: number;
}

const fits = (value: bigint, width: number) => BigInt.asIntN(width, value) === value;

/** The shortest encoding, or the one with `displacementSize` bytes; null where the operand has none. */
export function encodeAddress(
  operand: MemoryOperand,
  mode: Mode,
  displacementSize: 1 | 2 | 4 | undefined,
): AddressEncoding | null {
  const { base, index, addressWidth } = operand;
  const displacement = BigInt.asIntN(addressWidth, operand.displacement);
  if (addressWidth === 16) return encodeWordAddress(operand, mode, displacement, displacementSize);
  if ((addressWidth === 64) !== (mode === 64) && addressWidth !== 32) return null;
  if (mode !== 64 && (base > 7 || index > 7)) return null;
  if (!fits(displacement, 32) || index === SP || displacementSize === 2) return null;
  const rex = (base === RIP ? 0 : base > 7 ? 1 : 0) | (index > 7 ? 2 : 0);
  const scaleBits = operand.scale === 1 ? 0 : operand.scale === 2 ? 1 : operand.scale === 4 ? 2 : 3;
  const indexBits = index < 0 ? SP : index & 7;
  if (base === RIP) return index < 0 && mode === 64 ? { modrm: BP, sib: -1, displacementSize: 4, rex } : null;
  if (base < 0) {
    // Without SIB this means rip-relative in 64-bit mode.
    const sib = index >= 0 || mode === 64 ? (scaleBits << 6) | (indexBits << 3) | BP : -1;
    return { modrm: sib < 0 ? BP : SP, sib, displacementSize: 4, rex };
  }
  const needed = displacement === 0n && (base & 7) !== BP ? 0 : fits(displacement, 8) ? 1 : 4;
  const size = displacementSize ?? needed;
  if (size < needed) return null;
  const mod = size === 0 ? 0 : size === 1 ? 0x40 : 0x80;
  if (index < 0 && (base & 7) !== SP) return { modrm: mod | (base & 7), sib: -1, displacementSize: size, rex };
  return { modrm: mod | SP, sib: (scaleBits << 6) | (indexBits << 3) | (base & 7), displacementSize: size, rex };
}

function encodeWordAddress(
  operand: MemoryOperand,
  mode: Mode,
  displacement: bigint,
  displacementSize: 1 | 2 | 4 | undefined,
): AddressEncoding | null {
  if (mode === 64 || operand.scale !== 1 || displacementSize === 4) return null;
  if (operand.base < 0 && operand.index < 0) return { modrm: 6, sib: -1, displacementSize: 2, rex: 0 };
  const rm = PAIRS.findIndex(
    ([base, index]) =>
      (base === operand.base && index === operand.index) || (base === operand.index && index === operand.base),
  );
  if (rm < 0) return null;
  const needed = displacement === 0n && rm !== 6 ? 0 : fits(displacement, 8) ? 1 : 2;
  const size = displacementSize ?? needed;
  if (size < needed) return null;
  return { modrm: (size === 0 ? 0 : size === 1 ? 0x40 : 0x80) | rm, sib: -1, displacementSize: size, rex: 0 };
}

/** The override prefix byte that the operand's segment needs, or 0 where it is the default or has no effect. */
export function segmentPrefix(operand: MemoryOperand, mode: Mode): number {
  if (mode === 64 && operand.segment < 4) return 0;
  return operand.segment === defaultSegment(operand.base) ? 0 : segmentPrefixByte(operand.segment);
}

/** The prefix byte of a segment register. */
export function segmentPrefixByte(segment: number): number {
  return segment < 4 ? 0x26 + segment * 8 : 0x60 + segment;
}
