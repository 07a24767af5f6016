/** A decoded x86 instruction: what the decoder gives, the encoder takes, the formatter prints and the machine executes. */

/** The default operand and address size of the code segment. 64 is long mode's 64-bit submode. */
export type Mode = 16 | 32 | 64;
export type Width = 8 | 16 | 32 | 64;

/** A register by its hardware number. General registers: 0 rax … 15 r15. Segments: 0 es, 1 cs, 2 ss, 3 ds, 4 fs, 5 gs. */
export interface RegisterOperand {
  readonly kind: "register";
  readonly file: "general" | "segment" | "control" | "debug";
  readonly number: number;
  readonly width: Width;
  /** True for ah, ch, dh, bh: `number` is then 0 to 3, and the operand bits 8 to 15 of that register. */
  readonly high: boolean;
}

/** A register of the x87 stack (st0 is its top), an MMX or an XMM register. */
export interface MediaRegisterOperand {
  readonly kind: "media";
  readonly file: "x87" | "mmx" | "xmm";
  readonly number: number;
  readonly width: 64 | 80 | 128;
}

export interface MemoryOperand {
  readonly kind: "memory";
  /** Of the datum in bits; 0 where there is none (lea, invlpg, lgdt). */
  readonly width: number;
  /** The segment register's number in effect, after prefixes and defaults (ss where the base is rsp or rbp). */
  readonly segment: number;
  /** General register number, -1 for none, 16 for rip. */
  readonly base: number;
  /** General register number, -1 for none. */
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  /** Signed. For base 16 (rip): relative to the end of the instruction. */
  readonly displacement: bigint;
  readonly addressWidth: 16 | 32 | 64;
}

export interface ImmediateOperand {
  readonly kind: "immediate";
  /** Of the operand after sign extension. */
  readonly width: Width;
  /** Unsigned, below 2^width: sign extension to the operand size has been done. */
  readonly value: bigint;
}

/** A near branch target, relative to the end of the instruction. */
export interface RelativeOperand {
  readonly kind: "relative";
  /** Width of the displacement as encoded. */
  readonly width: 8 | 16 | 32;
  readonly displacement: bigint;
}

/** ptr16:16 or ptr16:32. */
export interface FarOperand {
  readonly kind: "far";
  readonly width: 16 | 32;
  readonly selector: number;
  readonly offset: bigint;
}

export type Operand =
  | RegisterOperand
  | MediaRegisterOperand
  | MemoryOperand
  | ImmediateOperand
  | RelativeOperand
  | FarOperand;

export interface Instruction {
  /** Lower case, the manual's name: `mov`, `movzx`, `jne`, `lods`, `stos`, `cdqe`. One spelling for each condition (`jb`, `je`, `ja`, …). */
  readonly mnemonic: string;
  /** Explicit operands, destination first (Intel order). */
  readonly operands: readonly Operand[];
  readonly mode: Mode;
  /** Effective operand size. */
  readonly operandWidth: Width;
  /** Effective address size. */
  readonly addressWidth: 16 | 32 | 64;
  readonly lock: boolean;
  /** f3 on string instructions is `rep` (repe for cmps and scas), f2 `repne`. */
  readonly repeat: "rep" | "repne" | null;
  /** Segment override prefix as written, or null. */
  readonly segmentOverride: number | null;
  /** Bytes, 1 to 15. */
  readonly length: number;
}

/** The decoder's answer to bytes that are no instruction of the table (#UD), or that end too early. */
export interface DecodeFailure {
  readonly mnemonic: null;
  readonly reason: "unknown" | "truncated" | "tooLong" | "lock";
  readonly length: number;
}
