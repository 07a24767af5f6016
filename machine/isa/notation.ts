/**
 * The notation of the instruction table, and its parser.
 *
 * A row is `[mnemonic, operands, opcode, attributes?]`, after the opcode column of the Intel SDM (vol. 2A, section 3.1.1).
 *
 * Operands, destination first:
 *   r r/m          register in ModRM.reg (or in the opcode, `+r`), register or memory in ModRM.rm; of the operand size
 *   r8 r/m16 m64   the same, of one width whatever the operand size; `m` is memory without a datum of a width (lea, lgdt)
 *   r:rm           a register in ModRM.rm, never memory
 *   rv/m16         a register of the operand size, or 16 bits of memory
 *   m16:v          a far pointer in memory: an offset of the operand size, then a selector
 *   a al ax dx cl 1 es …   that very register or number; `a` is al, ax, eax or rax
 *   imm            an immediate, sign-extended to the operand size; imm8, imm16: of that width
 *   rel ptr        a near branch displacement; selector and offset of a far branch
 *   moffs          memory at an address given whole, without ModRM
 *   sreg cr dr     segment, control, debug register in ModRM.reg
 *   mm xmm         MMX, XMM register in ModRM.reg
 *   mm/m64 xmm/m32 MMX or XMM register or memory in ModRM.rm; `mm:rm` and `xmm:rm`: a register there, never memory
 *   st0 st         the top of the x87 stack; the register of the stack that ModRM.rm names
 *   [si] [di]      ds:rSI (may be overridden) and es:rDI of string instructions
 *
 * Opcode: bytes in hexadecimal, a leading f2, f3 or 66 being a mandatory prefix, and
 *   +w             two rows: this opcode for 8 bits, the next for the operand size
 *   +r             a register number in the low three bits
 *   +cc            sixteen rows, one a condition, for the `cc` in the mnemonic
 *   /r  /0 … /7    a ModRM byte: with a register in `reg`, with this number in `reg`
 *   ib iw iz iv    an immediate of 8, 16, 16 or 32, 16 or 32 or 64 bits; jb jz: the same for relatives; cp: far pointer; mo: address
 *
 * Attributes (the first four as in SDM vol. 2D, appendix A, table A-1):
 *   i64 o64        invalid in 64-bit mode; only in 64-bit mode
 *   d64 f64        64-bit mode: operand size is 64 unless 66 makes it 16; is always 64
 *   w16 w32 w64    the row for this operand size, where the mnemonic or the operands differ by it; `w16/32` for two
 *   =8 =16 =32 =n  operand size whatever the prefixes; n: 64 in 64-bit mode, else 32.
 *                  Rows with MMX and XMM registers are 64 with REX.W, else 32, and =32 where they name no size
 *   max32          operand size is never 64
 *   a16 a32 a64    the row for this address size
 *   lock           the lock prefix is allowed where the destination is memory
 *   string         f2 and f3 are repeat prefixes
 *   np             no row when 66, f2 or f3 stands before
 *   anymod         ModRM.mod is ignored: rm is a register always
 */

import { CONDITIONS } from "./conditions.ts";
import type { MediaRegisterOperand, RegisterOperand, Width } from "./instruction.ts";

export type Row = readonly [mnemonic: string, operands: string, opcode: string, attributes?: string];

/** A width of its own, or that of the operand size (`v`), or 64 in 64-bit mode and else 32 (`n`), or none (0). */
export type WidthRule = Width | 80 | 128 | 0 | "v" | "n";
export type MediaFile = MediaRegisterOperand["file"];

export type OperandForm =
  | { readonly kind: "reg" | "opcode"; readonly file: RegisterOperand["file"]; readonly width: WidthRule }
  | { readonly kind: "mediaReg"; readonly file: MediaFile }
  | { readonly kind: "stackTop" }
  | {
      /** An MMX, XMM or x87 register in ModRM.rm, or memory of this width where it is not null. */
      readonly kind: "mediaRm";
      readonly file: MediaFile;
      readonly memory: WidthRule | null;
    }
  | {
      readonly kind: "rm";
      /** Width as a register, or null where it must be memory. */
      readonly register: WidthRule | null;
      /** Width as memory, or null where it must be a register; `far` is 16 bits more than the operand size. */
      readonly memory: WidthRule | "far" | null;
    }
  | { readonly kind: "fixed"; readonly file: "general" | "segment"; readonly number: number; readonly width: WidthRule }
  | { readonly kind: "one" }
  | { readonly kind: "immediate"; readonly width: WidthRule; readonly encoded: "ib" | "iw" | "iz" | "iv" }
  | { readonly kind: "relative"; readonly encoded: "jb" | "jz" }
  | { readonly kind: "far" }
  | { readonly kind: "offset"; readonly width: WidthRule }
  | { readonly kind: "string"; readonly register: 6 | 7; readonly width: WidthRule };

/** One row of the table, parsed; rows with `+w` and `+cc` give several. */
export interface Form {
  readonly mnemonic: string;
  readonly row: Row;
  readonly operands: readonly OperandForm[];
  /** 0: one byte; 1: after 0f; 2: after 0f 38; 3: after 0f 3a. */
  readonly map: 0 | 1 | 2 | 3;
  readonly opcode: number;
  readonly mandatoryPrefix: 0 | 0x66 | 0xf2 | 0xf3;
  readonly noPrefix: boolean;
  readonly registerInOpcode: boolean;
  readonly modrm: boolean;
  /** Number in ModRM.reg that belongs to the opcode, or -1. */
  readonly extension: number;
  /** The whole ModRM byte where it belongs to the opcode, or -1. */
  readonly modrmByte: number;
  readonly anyMod: boolean;
  readonly in64: boolean;
  readonly inLegacy: boolean;
  readonly default64: boolean;
  readonly force64: boolean;
  readonly max32: boolean;
  /** Has MMX or XMM registers: 66 is no operand size prefix. */
  readonly media: boolean;
  /** Operand size that no prefix changes, or null. */
  readonly fixedSize: Width | "n" | null;
  /** Operand sizes for which this row holds. */
  readonly sizes: readonly Width[];
  /** Address size for which this row holds, or 0 for all. */
  readonly addressWidth: 0 | 16 | 32 | 64;
  readonly lock: boolean;
  readonly string: boolean;
}

const PREFIX_BYTES = [0x66, 0xf2, 0xf3] as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"];
const FIXED: Readonly<Record<string, OperandForm>> = {
  a: { kind: "fixed", file: "general", number: 0, width: "v" },
  al: { kind: "fixed", file: "general", number: 0, width: 8 },
  ax: { kind: "fixed", file: "general", number: 0, width: 16 },
  cl: { kind: "fixed", file: "general", number: 1, width: 8 },
  dx: { kind: "fixed", file: "general", number: 2, width: 16 },
  "1": { kind: "one" },
  sreg: { kind: "reg", file: "segment", width: 16 },
  cr: { kind: "reg", file: "control", width: "n" },
  dr: { kind: "reg", file: "debug", width: "n" },
  moffs: { kind: "offset", width: "v" },
  mm: { kind: "mediaReg", file: "mmx" },
  xmm: { kind: "mediaReg", file: "xmm" },
  "mm:rm": { kind: "mediaRm", file: "mmx", memory: null },
  "xmm:rm": { kind: "mediaRm", file: "xmm", memory: null },
  st: { kind: "mediaRm", file: "x87", memory: null },
  st0: { kind: "stackTop" },
  "[si]": { kind: "string", register: 6, width: "v" },
  "[di]": { kind: "string", register: 7, width: "v" },
  "r:rm": { kind: "rm", register: "v", memory: null },
  "rn:rm": { kind: "rm", register: "n", memory: null },
  "r32/m16": { kind: "rm", register: 32, memory: 16 },
  "rv/m16": { kind: "rm", register: "v", memory: 16 },
  "m16:v": { kind: "rm", register: null, memory: "far" },
  m: { kind: "rm", register: null, memory: 0 },
  ptr: { kind: "far" },
};

function parseOperand(token: string, inOpcode: boolean, suffixes: string[]): OperandForm {
  const fixed = FIXED[token];
  if (fixed) return fixed;
  const segment = SEGMENTS.indexOf(token);
  if (segment >= 0) return { kind: "fixed", file: "segment", number: segment, width: 16 };
  const media = /^(mm|xmm)\/m(\d+)$/.exec(token);
  if (media) {
    return { kind: "mediaRm", file: media[1] === "mm" ? "mmx" : "xmm", memory: Number(media[2]) as WidthRule };
  }
  const sized = /^(r|r\/m|m|imm|rel)(\d+)?$/.exec(token);
  if (!sized) throw new Error(`the instruction table has an operand ${token}`);
  const width = sized[2] ? (Number(sized[2]) as WidthRule) : "v";
  if (sized[1] === "r") return { kind: inOpcode ? "opcode" : "reg", file: "general", width };
  if (sized[1] === "r/m") return { kind: "rm", register: width, memory: width };
  if (sized[1] === "m") return { kind: "rm", register: null, memory: width };
  if (sized[1] === "rel") return { kind: "relative", encoded: suffixes.shift() as "jb" | "jz" };
  return { kind: "immediate", width, encoded: suffixes.shift() as "ib" | "iw" | "iz" | "iv" };
}

function parseForm(row: Row, mnemonic: string, opcodeText: string, attributeText: string): Form {
  const bytes: number[] = [];
  const suffixes: string[] = [];
  let modrm = false;
  let extension = -1;
  for (const token of opcodeText.replace("+r", "").split(" ")) {
    if (/^[0-9a-f]{2}$/.test(token)) bytes.push(Number.parseInt(token, 16));
    else if (token === "/r") modrm = true;
    else if (/^\/[0-7]$/.test(token)) [modrm, extension] = [true, Number(token[1])];
    else if (token !== "cp" && token !== "mo") suffixes.push(token);
  }
  const mandatoryPrefix = bytes.length > 1 ? PREFIX_BYTES.find((prefix) => prefix === bytes[0]) : undefined;
  if (mandatoryPrefix) bytes.shift();
  const escapeBytes = bytes.slice(0, bytes.length - 1);
  const map = escapeBytes[0] !== 0x0f ? 0 : escapeBytes[1] === 0x38 ? 2 : escapeBytes[1] === 0x3a ? 3 : 1;
  bytes.splice(0, map > 1 ? 2 : map);
  const attributes = attributeText.split(" ").filter((word) => word !== "");
  const fixedSize = attributes.find((word) => word.startsWith("="))?.slice(1);
  const sizes = attributes.find((word) => /^w\d/.test(word))?.slice(1);
  const address = attributes.find((word) => /^a\d/.test(word))?.slice(1);
  const registerInOpcode = opcodeText.includes("+r");
  const operands =
    row[1] === "" ? [] : row[1].split(",").map((token) => parseOperand(token, registerInOpcode, suffixes));
  const media = operands.some(
    (operand) => (operand.kind === "mediaReg" || operand.kind === "mediaRm") && operand.file !== "x87",
  );
  const size = fixedSize ?? (media && sizes === undefined ? "32" : undefined);
  return {
    mnemonic,
    row,
    operands,
    map,
    opcode: bytes[0]!,
    mandatoryPrefix: mandatoryPrefix ?? 0,
    noPrefix: attributes.includes("np"),
    registerInOpcode,
    modrm: modrm || bytes.length > 1,
    extension,
    modrmByte: bytes[1] ?? -1,
    anyMod: attributes.includes("anymod"),
    in64: !attributes.includes("i64"),
    inLegacy: !attributes.includes("o64"),
    default64: attributes.includes("d64"),
    force64: attributes.includes("f64"),
    max32: attributes.includes("max32"),
    media,
    fixedSize: size === undefined ? null : size === "n" ? "n" : (Number(size) as Width),
    sizes: sizes ? sizes.split("/").map((size) => Number(size) as Width) : [16, 32, 64],
    addressWidth: Number(address ?? 0) as Form["addressWidth"],
    lock: attributes.includes("lock"),
    string: attributes.includes("string"),
  };
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");

/** The forms of one row: several where it has `+w` or `+cc`. Throws on a row that breaks the notation. */
export function parseRow(row: Row): Form[] {
  const [mnemonic, , opcode, attributes = ""] = row;
  const family = /([0-9a-f]{2})\+(w|cc)/.exec(opcode);
  if (!family) return [parseForm(row, mnemonic, opcode, attributes)];
  const first = Number.parseInt(family[1]!, 16);
  const member = (step: number) => opcode.replace(family[0], hexByte(first + step));
  if (family[2] === "cc") {
    return CONDITIONS.map((condition, code) =>
      parseForm(row, mnemonic.replace(/cc$/, condition), member(code), attributes),
    );
  }
  const narrow = member(0).replace(/\bi[zv]\b/, "ib");
  return [parseForm(row, mnemonic, narrow, `${attributes} =8`), parseForm(row, mnemonic, member(1), attributes)];
}
