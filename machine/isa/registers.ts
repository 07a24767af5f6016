/** Names of the registers, and operands made from them. */
import type {
  ImmediateOperand,
  MediaRegisterOperand,
  MemoryOperand,
  Mode,
  RegisterOperand,
  RelativeOperand,
  Width,
} from "./instruction.ts";

const LOW = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const EXTENDED = [8, 9, 10, 11, 12, 13, 14, 15];
const BYTE_NAMES = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", ...EXTENDED.map((n) => `r${n}b`)];
const HIGH_NAMES = ["ah", "ch", "dh", "bh"];
const GENERAL_NAMES: Readonly<Record<Width, readonly string[]>> = {
  8: BYTE_NAMES,
  16: [...LOW, ...EXTENDED.map((n) => `r${n}w`)],
  32: [...LOW.map((name) => `e${name}`), ...EXTENDED.map((n) => `r${n}d`)],
  64: [...LOW.map((name) => `r${name}`), ...EXTENDED.map((n) => `r${n}`)],
};

/** Segment registers by their number. */
export const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

/** `base` of a memory operand that is relative to the instruction pointer. */
export const RIP = 16;

function makeGeneral(width: Width): readonly RegisterOperand[] {
  return GENERAL_NAMES[width].map((_, number) => ({ kind: "register", file: "general", number, width, high: false }));
}
const GENERAL: Readonly<Record<Width, readonly RegisterOperand[]>> = {
  8: makeGeneral(8),
  16: makeGeneral(16),
  32: makeGeneral(32),
  64: makeGeneral(64),
};
const HIGH: readonly RegisterOperand[] = HIGH_NAMES.map((_, number) => ({
  kind: "register",
  file: "general",
  number,
  width: 8,
  high: true,
}));
const SEGMENT: readonly RegisterOperand[] = SEGMENT_NAMES.map((_, number) => ({
  kind: "register",
  file: "segment",
  number,
  width: 16,
  high: false,
}));

/** A general register, 0 to 15. For width 8 numbers 4 to 7 are spl, bpl, sil, dil: see `highByteRegister`. */
export function generalRegister(number: number, width: Width): RegisterOperand {
  return GENERAL[width][number]!;
}

/** ah, ch, dh or bh: bits 8 to 15 of general register 0 to 3. */
export function highByteRegister(number: number): RegisterOperand {
  return HIGH[number]!;
}

/** es 0, cs 1, ss 2, ds 3, fs 4, gs 5. */
export function segmentRegister(number: number): RegisterOperand {
  return SEGMENT[number]!;
}

/** cr0 … or dr0 …; 64 bits wide in 64-bit mode, else 32. */
export function systemRegister(file: "control" | "debug", number: number, mode: Mode): RegisterOperand {
  return { kind: "register", file, number, width: mode === 64 ? 64 : 32, high: false };
}

const MEDIA_WIDTHS = { x87: 80, mmx: 64, xmm: 128 } as const;
const MEDIA_PREFIXES = { x87: "st", mmx: "mm", xmm: "xmm" } as const;

function makeMedia(file: MediaRegisterOperand["file"], count: number): readonly MediaRegisterOperand[] {
  return Array.from({ length: count }, (_, number) => ({ kind: "media", file, number, width: MEDIA_WIDTHS[file] }));
}
const MEDIA = { x87: makeMedia("x87", 8), mmx: makeMedia("mmx", 8), xmm: makeMedia("xmm", 16) };

/** st0 to st7, mm0 to mm7, xmm0 to xmm15. */
export function mediaRegister(file: MediaRegisterOperand["file"], number: number): MediaRegisterOperand {
  return MEDIA[file][number]!;
}

/** The name in Intel syntax: `rax`, `r8d`, `ah`, `cs`, `cr3`, `st1`, `xmm7`. */
export function registerName(register: RegisterOperand | MediaRegisterOperand): string {
  if (register.kind === "media") return `${MEDIA_PREFIXES[register.file]}${register.number}`;
  if (register.file === "segment") return SEGMENT_NAMES[register.number]!;
  if (register.file === "control") return `cr${register.number}`;
  if (register.file === "debug") return `dr${register.number}`;
  return register.high ? HIGH_NAMES[register.number]! : GENERAL_NAMES[register.width][register.number]!;
}

const BY_NAME: ReadonlyMap<string, RegisterOperand> = new Map(
  [...Object.values(GENERAL).flat(), ...HIGH, ...SEGMENT].map((register) => [registerName(register), register]),
);

/** The register of this name (lower case), or null. Control and debug registers get the width of `mode`. */
export function registerNamed(name: string, mode: Mode = 64): RegisterOperand | null {
  const system = /^(c|d)r(\d|1[0-5])$/.exec(name);
  if (system) return systemRegister(system[1] === "c" ? "control" : "debug", Number(system[2]), mode);
  return BY_NAME.get(name) ?? null;
}

const MEDIA_BY_NAME: ReadonlyMap<string, MediaRegisterOperand> = new Map(
  Object.values(MEDIA).flatMap((file) => file.map((register) => [registerName(register), register])),
);

/** The x87, MMX or XMM register of this name (lower case), or null. */
export function mediaRegisterNamed(name: string): MediaRegisterOperand | null {
  return MEDIA_BY_NAME.get(name) ?? null;
}

/** The segment that memory at `base` is in when no prefix says otherwise: ss for rsp and rbp, else ds. */
export function defaultSegment(base: number): number {
  return base === 4 || base === 5 ? SS : DS;
}

/** A memory operand; what is left out has its most common value (no index, scale 1, default segment, 64-bit addressing). */
export function memory(width: number, parts: Partial<Omit<MemoryOperand, "kind" | "width">> = {}): MemoryOperand {
  const base = parts.base ?? -1;
  return {
    kind: "memory",
    width,
    segment: parts.segment ?? defaultSegment(base),
    base,
    index: parts.index ?? -1,
    scale: parts.scale ?? 1,
    displacement: parts.displacement ?? 0n,
    addressWidth: parts.addressWidth ?? 64,
  };
}

/** An immediate of `width` bits; a negative value is taken modulo 2^width. */
export function immediate(value: bigint | number, width: Width): ImmediateOperand {
  return { kind: "immediate", width, value: BigInt.asUintN(width, BigInt(value)) };
}

/** A near branch target, `displacement` bytes from the end of the instruction, encoded in `width` bits. */
export function relative(displacement: bigint | number, width: 8 | 16 | 32): RelativeOperand {
  return { kind: "relative", width, displacement: BigInt(displacement) };
}
