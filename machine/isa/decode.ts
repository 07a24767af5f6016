/** Bytes to instructions, by tables built from the instruction table when an opcode is first met. */
import { type AddressBytes, readModrmMemory } from "./addressing.ts";
import type { DecodeFailure, Instruction, Mode, Operand, Width } from "./instruction.ts";
import type { Form } from "./notation.ts";
import { effectiveSize, FORMS, makePlan, type OperandPlan, type Plan, prefixedSize } from "./plans.ts";
import {
  defaultSegment,
  generalRegister,
  highByteRegister,
  mediaRegister,
  memory,
  segmentRegister,
  systemRegister,
} from "./registers.ts";

const LONGEST_INSTRUCTION = 15;

/** A plan in a slot of an opcode's table, and the plans that follow it there under other conditions. */
interface Candidate {
  readonly plan: Plan;
  readonly next: Candidate | null;
}

/** What one opcode can mean in one mode. */
interface OpcodeEntry {
  readonly mode: Mode;
  readonly needsModrm: boolean;
  /** In the order of the table. */
  readonly forms: readonly Form[];
  /** By mandatory prefix (none, 66, f2, f3), operand size (16, 32, 64), ModRM.mod = 3, ModRM.reg; filled when asked for. */
  readonly slots: (Candidate | null | undefined)[];
}

const PREFIXES = [0, 0x66, 0xf2, 0xf3] as const;
const SIZES = [16, 32, 64] as const;
const slotIndex = (prefix: number, size: number, register: number, reg: number) =>
  ((prefix * 3 + size) * 2 + register) * 8 + reg;

function acceptsModrm(form: Form, isRegister: boolean, reg: number): boolean {
  if (form.extension >= 0 && form.extension !== reg) return false;
  if (form.modrmByte >= 0) return isRegister === form.modrmByte >= 0xc0 && ((form.modrmByte >> 3) & 7) === reg;
  const media = form.operands.find((operand) => operand.kind === "mediaRm");
  if (media) return isRegister || media.memory !== null;
  const rm = form.operands.find((operand) => operand.kind === "rm");
  if (!rm || form.anyMod) return true;
  return isRegister ? rm.register !== null : rm.memory !== null;
}

/** Forms by opcode and map, as `map << 8 | opcode`. */
const FORMS_BY_OPCODE = new Map<number, Form[]>();
for (const form of FORMS) {
  for (let low = 0; low < (form.registerInOpcode ? 8 : 1); low++) {
    const index = (form.map << 8) | form.opcode | low;
    const known = FORMS_BY_OPCODE.get(index);
    if (known === undefined) FORMS_BY_OPCODE.set(index, [form]);
    else known.push(form);
  }
}

function buildEntry(mode: Mode, index: number): OpcodeEntry | null {
  const all = FORMS_BY_OPCODE.get(index) ?? [];
  const forms = all.filter((form) => (mode === 64 ? form.in64 : form.inLegacy));
  if (forms.length === 0) return null;
  return { mode, needsModrm: forms.some((form) => form.modrm), forms, slots: [] };
}

/** The candidates for a mandatory prefix and an operand size, each by its number, and a ModRM byte. */
function candidates(entry: OpcodeEntry, prefix: number, size: number, modrm: number): Candidate | null {
  const isRegister = modrm >= 0xc0;
  const reg = (modrm >> 3) & 7;
  const index = slotIndex(prefix, size, isRegister ? 1 : 0, reg);
  let found = entry.slots[index];
  if (found !== undefined) return found;
  const { mode, forms } = entry;
  const claims = (form: Form, mandatory: number) =>
    form.mandatoryPrefix === mandatory && acceptsModrm(form, isRegister, reg);
  const exact = prefix === 0 ? [] : forms.filter((form) => claims(form, PREFIXES[prefix]!));
  const general = forms.filter((form) => claims(form, 0) && !(form.noPrefix && prefix !== 0));
  found = null;
  for (const form of [...exact, ...general].reverse()) {
    const width = effectiveSize(form, mode, SIZES[size]!);
    if (width !== null) found = { plan: makePlan(form, mode, width, false, false), next: found };
  }
  entry.slots[index] = found;
  return found;
}

const ENTRIES: Readonly<Record<Mode, (OpcodeEntry | null | undefined)[]>> = { 16: [], 32: [], 64: [] };

function entryOf(mode: Mode, map: number, opcode: number): OpcodeEntry | null {
  const entries = ENTRIES[mode];
  const index = (map << 8) | opcode;
  let entry = entries[index];
  if (entry === undefined) {
    entry = buildEntry(mode, index);
    entries[index] = entry;
  }
  return entry;
}

/** Reads the bytes of one instruction in order and remembers what its prefixes said. */
class InstructionReader implements AddressBytes {
  at: number;
  private readonly end: number;
  rex = 0;
  operandPrefix = false;
  addressPrefix = false;
  lock = false;
  /** f2, f3 or 0. */
  repeat = 0;
  segmentOverride: number | null = null;
  segment = -1;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly start: number,
    readonly mode: Mode,
  ) {
    this.at = start;
    this.end = Math.min(bytes.length, start + LONGEST_INSTRUCTION);
  }

  /** The next byte; zero once past the end, which `overrun` tells. */
  byte(): number {
    const at = this.at++;
    return at < this.end ? this.bytes[at]! : 0;
  }

  /** Takes all prefixes and gives the byte after them. A REX prefix counts only right before the opcode. */
  prefixes(): number {
    for (;;) {
      const byte = this.byte();
      if (this.mode === 64 && (byte & 0xf0) === 0x40) {
        this.rex = byte;
        continue;
      }
      if (!this.legacyPrefix(byte) || this.overrun !== null) return byte;
      this.rex = 0;
    }
  }

  private legacyPrefix(byte: number): boolean {
    switch (byte) {
      case 0x66:
        this.operandPrefix = true;
        return true;
      case 0x67:
        this.addressPrefix = true;
        return true;
      case 0xf0:
        this.lock = true;
        return true;
      case 0xf2:
      case 0xf3:
        this.repeat = byte;
        return true;
      case 0x26:
      case 0x2e:
      case 0x36:
      case 0x3e:
        this.segmentOverride = (byte - 0x26) >> 3;
        // 64-bit mode has no use for these four.
        if (this.mode !== 64) this.segment = this.segmentOverride;
        return true;
      case 0x64:
      case 0x65:
        this.segmentOverride = byte - 0x60;
        this.segment = this.segmentOverride;
        return true;
      default:
        return false;
    }
  }

  get overrun(): "truncated" | "tooLong" | null {
    if (this.at <= this.end) return null;
    return this.end - this.start === LONGEST_INSTRUCTION ? "tooLong" : "truncated";
  }

  /** The next `width` bits, little-endian, unsigned. */
  unsigned(width: Width): bigint {
    if (width === 8) return BigInt(this.byte());
    if (width === 16) return BigInt(this.byte() | (this.byte() << 8));
    const low = BigInt((this.byte() | (this.byte() << 8) | (this.byte() << 16) | (this.byte() << 24)) >>> 0);
    return width === 32 ? low : low | (this.unsigned(32) << 32n);
  }

  /** The next `width` bits, little-endian, sign-extended. */
  signed(width: Width): bigint {
    return BigInt.asIntN(width, this.unsigned(width));
  }
}

/**
 * The instruction at `bytes[offset]` as a processor in `mode` reads it. At most 15 bytes are looked at.
 * Never throws: bytes that are no instruction of the table, or that end too early, give a DecodeFailure.
 * Reference: Intel SDM vol. 2A, chapter 2.
 */
export function decode(bytes: Uint8Array, offset: number, mode: Mode): Instruction | DecodeFailure {
  const reader = new InstructionReader(bytes, offset, mode);
  const fail = (reason: DecodeFailure["reason"]): DecodeFailure => ({
    mnemonic: null,
    reason: reader.overrun ?? reason,
    length: Math.min(reader.at - offset, LONGEST_INSTRUCTION, bytes.length - offset),
  });

  let opcode = reader.prefixes();
  const { operandPrefix, addressPrefix, lock, repeat, segmentOverride } = reader;
  let map = 0;
  if (opcode === 0x0f) {
    opcode = reader.byte();
    map = 1;
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? 2 : 3;
      opcode = reader.byte();
    }
  }
  const entry = entryOf(mode, map, opcode);
  if (entry === null) return fail("unknown");

  const modrm = entry.needsModrm ? reader.byte() : 0;
  const prefixClass = repeat === 0xf3 ? 3 : repeat === 0xf2 ? 2 : operandPrefix ? 1 : 0;
  const size = prefixedSize(mode, operandPrefix, (reader.rex & 8) !== 0);
  let candidate = candidates(entry, prefixClass, size === 16 ? 0 : size === 32 ? 1 : 2, modrm);
  const addressWidth = addressPrefix ? (mode === 32 ? 16 : 32) : mode;
  while (candidate !== null && !holds(candidate.plan.form, modrm, opcode, reader.rex, addressWidth)) {
    candidate = candidate.next!;
  }
  if (candidate === null) return fail("unknown");

  const { plan } = candidate;
  const operands: Operand[] = [];
  let memoryOperand: Operand | null = null;
  for (const part of plan.operands) {
    const operand = readOperand(reader, plan, part, modrm, opcode, addressWidth);
    if (operand === null) return fail("unknown");
    if (operand.kind === "memory" && operands.length === 0) memoryOperand = operand;
    operands.push(operand);
  }
  if (reader.overrun !== null) return fail("unknown");
  if (lock && !(plan.form.lock && memoryOperand)) return fail("lock");
  return {
    mnemonic: plan.form.mnemonic,
    operands,
    mode,
    operandWidth: plan.operandWidth,
    addressWidth,
    lock,
    repeat: !plan.form.string || repeat === 0 ? null : repeat === 0xf3 ? "rep" : "repne",
    segmentOverride,
    length: reader.at - offset,
  };
}

/** The conditions of a form that its slot does not decide. */
function holds(form: Form, modrm: number, opcode: number, rex: number, addressWidth: number): boolean {
  if (form.modrmByte >= 0 && form.modrmByte !== modrm) return false;
  if (form.addressWidth !== 0 && form.addressWidth !== addressWidth) return false;
  // 90 is nop only while it does not name r8 (SDM vol. 2B, NOP).
  return !(opcode === 0x90 && form.mnemonic === "nop" && (rex & 1) !== 0);
}

function readOperand(
  reader: InstructionReader,
  plan: Plan,
  part: OperandPlan,
  modrm: number,
  opcode: number,
  addressWidth: 16 | 32 | 64,
): Operand | null {
  switch (part.kind) {
    case "reg": {
      const number = ((modrm >> 3) & 7) | ((reader.rex & 4) << 1);
      if (part.file === "general") return byteAwareRegister(number, part.width, reader.rex);
      if (part.file !== "segment") return systemRegisterOperand(part.file, number, reader.mode);
      const writes = plan.operands[0] === part;
      const segment = number & 7;
      return segment > 5 || (writes && segment === 1) ? null : segmentRegister(segment);
    }
    case "mediaReg": {
      const number = ((modrm >> 3) & 7) | (part.file === "xmm" ? (reader.rex & 4) << 1 : 0);
      return mediaRegister(part.file, number);
    }
    case "mediaRm":
      if (modrm < 0xc0) return readModrmMemory(reader, modrm, addressWidth, part.memory!);
      return mediaRegister(part.file, (modrm & 7) | (part.file === "xmm" ? (reader.rex & 1) << 3 : 0));
    case "rm":
      if (modrm >= 0xc0 || plan.form.anyMod) {
        return byteAwareRegister((modrm & 7) | ((reader.rex & 1) << 3), part.register!, reader.rex);
      }
      return readModrmMemory(reader, modrm, addressWidth, part.memory!);
    case "opcode":
      return byteAwareRegister((opcode & 7) | ((reader.rex & 1) << 3), part.width, reader.rex);
    case "fixed":
      return part.register;
    case "one":
      return { kind: "immediate", width: 8, value: 1n };
    case "immediate":
      return { kind: "immediate", width: part.width, value: BigInt.asUintN(part.width, reader.signed(part.field)) };
    case "relative":
      return { kind: "relative", width: part.field, displacement: reader.signed(part.field) };
    case "far": {
      const offset = reader.unsigned(part.field);
      return { kind: "far", width: part.field, selector: Number(reader.unsigned(16)), offset };
    }
    case "offset": {
      const displacement = reader.signed(addressWidth);
      const segment = reader.segment >= 0 ? reader.segment : defaultSegment(-1);
      return memory(part.width, { displacement, segment, addressWidth });
    }
    case "string": {
      const segment = part.register === 7 ? 0 : reader.segment >= 0 ? reader.segment : defaultSegment(-1);
      return memory(part.width, { base: part.register, segment, addressWidth });
    }
  }
}

/** Without a REX prefix the byte registers 4 to 7 are ah, ch, dh, bh (SDM vol. 2A, section 2.2.1.2). */
function byteAwareRegister(number: number, width: Width, rex: number): Operand {
  if (width === 8 && rex === 0 && number >= 4) return highByteRegister(number - 4);
  return generalRegister(number, width);
}

function systemRegisterOperand(file: "control" | "debug", number: number, mode: Mode): Operand | null {
  const exists = file === "debug" ? number < 8 : number === 0 || (number >= 2 && number <= 4) || number === 8;
  return exists ? systemRegister(file, number, mode) : null;
}
