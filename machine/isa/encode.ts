/** Instructions to bytes: the shortest encoding that the instruction table has. */
import { type AddressEncoding, encodeAddress, segmentPrefix, segmentPrefixByte } from "./addressing.ts";
import type { MemoryOperand, Operand } from "./instruction.ts";
import { type EncodeOptions, encodings } from "./matching.ts";
import type { Form } from "./notation.ts";
import type { Plan } from "./plans.ts";

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

/** Collects the bytes of one instruction. */
class ByteWriter {
  private readonly buffer = new Uint8Array(24);
  length = 0;

  byte(value: number): void {
    this.buffer[this.length++] = value;
  }

  /** `size` bytes, little-endian. */
  field(value: bigint, size: number): void {
    if (size === 0) return;
    let low = Number(BigInt.asUintN(32, value));
    for (let i = 0; i < Math.min(size, 4); i++, low >>>= 8) this.byte(low & 0xff);
    if (size === 8) this.field(value >> 32n, 4);
  }

  /** A copy of what was collected. */
  taken(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

/** One for all: instructions are encoded one after the other, and their bytes copied out. */
const writer = new ByteWriter();
const LONGEST_INSTRUCTION = 15;

/** What the operands put into opcode, REX and ModRM. */
interface Head {
  readonly opcode: number;
  /** 0 for no REX prefix. */
  readonly rex: number;
  readonly modrm: number;
  readonly address: AddressEncoding | null;
  readonly memoryOperand: MemoryOperand | null;
}

/** Puts registers and address into the instruction's first bytes; null where they do not go together. */
function makeHead(plan: Plan, operands: readonly Operand[], options: EncodeOptions): Head | null {
  const { form, mode } = plan;
  let { opcode } = form;
  let modrm = form.modrmByte >= 0 ? form.modrmByte : form.extension >= 0 ? form.extension << 3 : 0;
  let rex = plan.rexW ? 8 : 0;
  let needsRex = false;
  let forbidsRex = false;
  let address: AddressEncoding | null = null;
  let memoryOperand: MemoryOperand | null = null;
  for (let index = 0; index < operands.length; index++) {
    const operand = operands[index]!;
    const part = plan.operands[index]!;
    if (operand.kind === "memory") {
      memoryOperand = operand;
      if (part.kind !== "rm" && part.kind !== "mediaRm") continue;
      address = encodeAddress(operand, mode, options.displacementSize);
      if (!address) return null;
      modrm |= address.modrm;
      rex |= address.rex;
    } else if (operand.kind === "media") {
      const { number } = operand;
      if (part.kind === "mediaReg") {
        modrm |= (number & 7) << 3;
        rex |= number > 7 ? 4 : 0;
      } else if (part.kind === "mediaRm") {
        modrm |= 0xc0 | (number & 7);
        rex |= number > 7 ? 1 : 0;
      }
    } else if (operand.kind === "register") {
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
  }
  if (rex !== 0 || needsRex) rex |= 0x40;
  if (rex !== 0 && (mode !== 64 || forbidsRex)) return null;
  // 90 is nop, which leaves the upper half of rax as it is: exchanges of rax with itself are 87 c0.
  if (form.mnemonic === "xchg" && opcode === 0x90 && (rex & 1) === 0) return null;
  return { opcode, rex, modrm, address, memoryOperand };
}

/** Legacy prefixes, in the order that nasm writes them. */
function writePrefixes(plan: Plan, operands: readonly Operand[], head: Head, options: EncodeOptions): void {
  if (options.repeat) writer.byte(options.repeat === "rep" ? 0xf3 : 0xf2);
  if (options.lock) writer.byte(0xf0);
  const segment = segmentByte(plan, head.memoryOperand, operands, options);
  if (segment !== 0) writer.byte(segment);
  if (plan.operandSizePrefix) writer.byte(0x66);
  const addressWidth =
    plan.form.addressWidth || head.memoryOperand?.addressWidth || options.addressWidth || options.mode;
  if (addressWidth !== options.mode) writer.byte(0x67);
}

function writeOpcode({ mandatoryPrefix, map, modrm }: Form, head: Head): void {
  if (mandatoryPrefix !== 0) writer.byte(mandatoryPrefix);
  if (head.rex !== 0) writer.byte(head.rex);
  if (map !== 0) writer.byte(0x0f);
  if (map === 2) writer.byte(0x38);
  if (map === 3) writer.byte(0x3a);
  writer.byte(head.opcode);
  if (modrm) writer.byte(head.modrm);
  if (head.address && head.address.sib >= 0) writer.byte(head.address.sib);
}

/** The encoding of these operands by this plan, or null where registers or displacement do not fit into it. */
export function encodePlan(plan: Plan, operands: readonly Operand[], options: EncodeOptions): Encoding | null {
  const head = makeHead(plan, operands, options);
  if (!head) return null;
  writer.length = 0;
  writePrefixes(plan, operands, head, options);
  writeOpcode(plan.form, head);

  let displacementAt = 0;
  let displacementSize = 0;
  let immediateAt = 0;
  let immediateSize = 0;
  if (head.address && head.memoryOperand) {
    displacementAt = writer.length;
    displacementSize = head.address.displacementSize;
    writer.field(head.memoryOperand.displacement, displacementSize);
  }
  for (let index = 0; index < operands.length; index++) {
    const operand = operands[index]!;
    const part = plan.operands[index]!;
    if (part.kind === "offset" && operand.kind === "memory") {
      displacementAt = writer.length;
      displacementSize = operand.addressWidth / 8;
      writer.field(operand.displacement, displacementSize);
    } else if (part.kind === "immediate" || part.kind === "relative" || part.kind === "far") {
      if (immediateSize === 0) {
        immediateAt = writer.length;
        immediateSize = part.field / 8;
      }
      writeImmediate(operand, part.field / 8);
    }
  }
  if (writer.length > LONGEST_INSTRUCTION) return null;
  return { bytes: writer.taken(), displacementAt, displacementSize, immediateAt, immediateSize, plan };
}

function writeImmediate(operand: Operand, size: number): void {
  if (operand.kind === "immediate") writer.field(operand.value, size);
  else if (operand.kind === "relative") writer.field(operand.displacement, size);
  else if (operand.kind === "far") {
    writer.field(operand.offset, size);
    writer.field(BigInt(operand.selector), 2);
  }
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
