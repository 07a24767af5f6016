/** Instructions to bytes: the shortest encoding that the instruction table has. */
import { type AddressEncoding, encodeAddress, segmentPrefix, segmentPrefixByte } from "./addressing.ts";
import type { MemoryOperand, Mode, Operand, RegisterOperand, Width } from "./instruction.ts";
import { effectiveSize, FORMS, makePlan, type OperandPlan, type Plan, prefixedSize } from "./plans.ts";

export interface EncodeOptions {
  readonly mode: Mode;
  /** Operand size in bits, where the operands do not say it (`stos`, `leave`, `retf`). */
  readonly operandWidth?: Width;
  /** Address size in bits, where no memory operand says it (`loop`, string instructions without operands). */
  readonly addressWidth?: 16 | 32 | 64;
  /** Bytes the displacement of the memory operand must have, for an address filled in later. */
  readonly displacementSize?: 1 | 2 | 4;
  /** Bytes the immediate must have, for a value filled in later. */
  readonly immediateSize?: 1 | 2 | 4 | 8;
  readonly lock?: boolean;
  readonly repeat?: "rep" | "repne" | null;
  /** A segment prefix that is written even where the operand would not need it. */
  readonly segmentOverride?: number | null;
}

/** An encoded instruction and where its fields lie, in bytes from its start; size 0 where there is none. */
export interface Encoding {
  readonly bytes: Uint8Array;
  readonly displacementAt: number;
  readonly displacementSize: number;
  /** Of the first immediate, relative displacement or far offset. */
  readonly immediateAt: number;
  readonly immediateSize: number;
  readonly plan: Plan;
}

/** Thrown for operands that no row of the table takes: callers that pass user input ask `encodings` first. */
export class EncodeError extends Error {}

type PlansByMnemonic = ReadonlyMap<string, readonly Plan[]>;

function plansFor(mode: Mode): PlansByMnemonic {
  const plans = new Map<string, Plan[]>();
  for (const form of FORMS) {
    if (!(mode === 64 ? form.in64 : form.inLegacy)) continue;
    const seen = new Set<Width>();
    for (const [prefix, rexW] of [
      [false, false],
      [true, false],
      [false, true],
    ] as const) {
      if (rexW && mode !== 64) continue;
      const width = effectiveSize(form, mode, prefixedSize(mode, prefix, rexW));
      if (width === null || seen.has(width)) continue;
      seen.add(width);
      const list = plans.get(form.mnemonic) ?? [];
      list.push(makePlan(form, mode, width, prefix, rexW));
      plans.set(form.mnemonic, list);
    }
  }
  return plans;
}

const PLANS: Partial<Record<Mode, PlansByMnemonic>> = {};

/** The plans of a mnemonic in table order; empty for a mnemonic that `mode` does not have. */
export function plansOf(mnemonic: string, mode: Mode): readonly Plan[] {
  PLANS[mode] ??= plansFor(mode);
  return PLANS[mode].get(mnemonic) ?? [];
}

const fitsSigned = (value: bigint, width: number) => BigInt.asIntN(width, value) === value;

function sameRegister(a: RegisterOperand, b: RegisterOperand): boolean {
  return a.file === b.file && a.number === b.number && a.width === b.width && a.high === b.high;
}

/**
 * Whether `value`, taken at `width` bits, survives being stored in `field` bits and sign-extended again. Negative values
 * may be written in one bit more than `width`, so that the complement of every unsigned number fits.
 */
export function immediateFits(value: bigint, width: Width, field: Width): boolean {
  if (value >> BigInt(width) !== 0n && value >> BigInt(width) !== -1n) return false;
  return field >= width || fitsSigned(BigInt.asIntN(width, value), field);
}

/** Whether the operand could stand in this place; memory of width 0 matches every width. */
function accepts(part: OperandPlan, operand: Operand, options: EncodeOptions): boolean {
  switch (part.kind) {
    case "reg":
    case "opcode":
      return operand.kind === "register" && operand.file === part.file && operand.width === part.width;
    case "rm":
      if (operand.kind === "register") return operand.file === "general" && operand.width === part.register;
      return (
        operand.kind === "memory" && part.memory !== null && (operand.width === part.memory || operand.width === 0)
      );
    case "fixed":
      return operand.kind === "register" && sameRegister(operand, part.register);
    case "one":
      return operand.kind === "immediate" && operand.value === 1n && options.immediateSize === undefined;
    case "immediate":
      return (
        operand.kind === "immediate" &&
        (options.immediateSize === undefined || options.immediateSize * 8 === part.field) &&
        immediateFits(operand.value, part.width, part.field)
      );
    case "relative":
      return (
        operand.kind === "relative" && operand.width === part.field && fitsSigned(operand.displacement, part.field)
      );
    case "far":
      return operand.kind === "far" && operand.width === part.field;
    case "offset":
      return (
        operand.kind === "memory" &&
        operand.base < 0 &&
        operand.index < 0 &&
        (options.displacementSize === undefined || options.displacementSize * 8 === operand.addressWidth) &&
        (operand.width === part.width || operand.width === 0)
      );
    case "string":
      return operand.kind === "memory" && operand.base === part.register && operand.width === part.width;
  }
}

/** The plans that take these operands, in table order. Operands of string instructions may be left out. */
export function encodings(mnemonic: string, operands: readonly Operand[], options: EncodeOptions): readonly Plan[] {
  return plansOf(mnemonic, options.mode).filter((plan) => {
    if (options.operandWidth !== undefined && options.operandWidth !== plan.operandWidth) return false;
    if (operands.length === 0 && plan.form.string) return true;
    if (operands.length !== plan.operands.length) return false;
    return plan.operands.every((part, index) => accepts(part, operands[index]!, options));
  });
}

/** Collects bytes in order. */
class ByteWriter {
  readonly bytes: number[] = [];
  put(value: bigint | number, size: number): void {
    let rest = BigInt.asUintN(size * 8, BigInt(value));
    for (let i = 0; i < size; i++, rest >>= 8n) this.bytes.push(Number(rest & 0xffn));
  }
}

/** The encoding of these operands by this plan, or null where registers or displacement do not fit into it. */
export function encodePlan(plan: Plan, operands: readonly Operand[], options: EncodeOptions): Encoding | null {
  const { form, mode } = plan;
  let modrm = form.modrmByte >= 0 ? form.modrmByte : form.extension >= 0 ? form.extension << 3 : 0;
  let rex = plan.rexW ? 8 : 0;
  let opcode = form.opcode;
  let needsRex = false;
  let forbidsRex = false;
  let address: AddressEncoding | null = null;
  let memoryOperand: MemoryOperand | null = null;

  for (const [index, operand] of operands.entries()) {
    const part = plan.operands[index]!;
    if (operand.kind === "memory") memoryOperand = operand;
    if (operand.kind === "memory" && part.kind === "rm") {
      address = encodeAddress(operand, mode, options.displacementSize);
      if (!address) return null;
      modrm |= address.modrm;
      rex |= address.rex;
    }
    if (operand.kind !== "register") continue;
    const number = operand.high ? operand.number + 4 : operand.number;
    forbidsRex ||= operand.high;
    needsRex ||= operand.file === "general" && operand.width === 8 && !operand.high && number >= 4;
    if (part.kind === "reg") {
      modrm |= (number & 7) << 3;
      rex |= number > 7 ? 4 : 0;
    } else if (part.kind === "rm") {
      modrm |= 0xc0 | (number & 7);
      rex |= number > 7 ? 1 : 0;
    } else if (part.kind === "opcode") {
      opcode |= number & 7;
      rex |= number > 7 ? 1 : 0;
    }
  }
  if (rex !== 0 || needsRex) rex |= 0x40;
  if (rex !== 0 && (mode !== 64 || forbidsRex)) return null;
  // 90 is nop, which leaves the upper half of rax as it is: exchanges of rax with itself are 87 c0.
  if (form.mnemonic === "xchg" && opcode === 0x90 && (rex & 1) === 0) return null;

  const out = new ByteWriter();
  if (options.repeat) out.put(options.repeat === "rep" ? 0xf3 : 0xf2, 1);
  if (options.lock) out.put(0xf0, 1);
  const segment = segmentByte(plan, memoryOperand, operands, options);
  if (segment !== 0) out.put(segment, 1);
  if (plan.operandSizePrefix) out.put(0x66, 1);
  const addressWidth = form.addressWidth || memoryOperand?.addressWidth || options.addressWidth || mode;
  if (addressWidth !== mode) out.put(0x67, 1);
  if (form.mandatoryPrefix !== 0) out.put(form.mandatoryPrefix, 1);
  if (rex !== 0) out.put(rex, 1);
  if (form.map !== 0) out.put(0x0f, 1);
  if (form.map === 2) out.put(0x38, 1);
  if (form.map === 3) out.put(0x3a, 1);
  out.put(opcode, 1);
  if (form.modrm) out.put(modrm, 1);

  let displacementAt = 0;
  let displacementSize = 0;
  if (address && memoryOperand) {
    if (address.sib >= 0) out.put(address.sib, 1);
    [displacementAt, displacementSize] = [out.bytes.length, address.displacementSize];
    out.put(memoryOperand.displacement, displacementSize);
  }
  let immediateAt = 0;
  let immediateSize = 0;
  const field = (value: bigint, size: number) => {
    if (immediateSize === 0) [immediateAt, immediateSize] = [out.bytes.length, size];
    out.put(value, size);
  };
  for (const [index, operand] of operands.entries()) {
    const part = plan.operands[index]!;
    if (part.kind === "immediate" && operand.kind === "immediate") field(operand.value, part.field / 8);
    if (part.kind === "relative" && operand.kind === "relative") field(operand.displacement, part.field / 8);
    if (part.kind === "far" && operand.kind === "far") {
      field(operand.offset, part.field / 8);
      out.put(operand.selector, 2);
    }
    if (part.kind === "offset" && operand.kind === "memory") {
      [displacementAt, displacementSize] = [out.bytes.length, operand.addressWidth / 8];
      out.put(operand.displacement, displacementSize);
    }
  }
  if (out.bytes.length > 15) return null;
  return { bytes: Uint8Array.from(out.bytes), displacementAt, displacementSize, immediateAt, immediateSize, plan };
}

/** The segment override byte, or 0. Of a string instruction only [rSI] can be moved to another segment. */
function segmentByte(
  plan: Plan,
  memoryOperand: MemoryOperand | null,
  operands: readonly Operand[],
  options: EncodeOptions,
): number {
  if (options.segmentOverride !== undefined && options.segmentOverride !== null) {
    return segmentPrefixByte(options.segmentOverride);
  }
  const movable = plan.form.string
    ? operands.find((operand) => operand.kind === "memory" && operand.base === 6)
    : memoryOperand;
  return movable?.kind === "memory" ? segmentPrefix(movable, plan.mode) : 0;
}

/** Encodes, and tells where displacement and immediate lie. Throws EncodeError where the table has no such instruction. */
export function encodeWithFields(mnemonic: string, operands: readonly Operand[], options: EncodeOptions): Encoding {
  let best: Encoding | null = null;
  for (const plan of encodings(mnemonic, operands, options)) {
    const encoding = encodePlan(plan, operands, options);
    if (encoding && (best === null || encoding.bytes.length < best.bytes.length)) best = encoding;
  }
  if (best) return best;
  const kinds = operands.map((operand) => `${operand.kind}${"width" in operand ? operand.width : ""}`).join(", ");
  throw new EncodeError(`no encoding of ${mnemonic} ${kinds} in ${options.mode}-bit mode`);
}

/** The shortest bytes for an instruction. Throws EncodeError where the table has no such instruction. */
export function encode(mnemonic: string, operands: readonly Operand[], options: EncodeOptions): Uint8Array {
  return encodeWithFields(mnemonic, operands, options).bytes;
}
