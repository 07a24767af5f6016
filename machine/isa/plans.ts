/** Forms of the table made concrete for a mode and operand size: what the decoder looks up and the encoder tries. */
import type { MediaRegisterOperand, Mode, RegisterOperand, Width } from "./instruction.ts";
import { type Form, type OperandForm, parseRow, type Row, type WidthRule } from "./notation.ts";
import { generalRegister, mediaRegister, segmentRegister } from "./registers.ts";
import { ARITHMETIC } from "./table/arithmetic.ts";
import { ATOMICS } from "./table/atomics.ts";
import { BITS } from "./table/bits.ts";
import { CONTROL } from "./table/control.ts";
import { MMX } from "./table/mmx.ts";
import { MOVES } from "./table/moves.ts";
import { SSE } from "./table/sse.ts";
import { STRINGS } from "./table/strings.ts";
import { SYSTEM } from "./table/system.ts";
import { X87 } from "./table/x87.ts";

/** The instruction table as written. Where two rows can encode the same, the earlier is preferred. */
export const INSTRUCTION_TABLE: readonly Row[] = [
  ...ARITHMETIC,
  ...MOVES,
  ...BITS,
  ...ATOMICS,
  ...CONTROL,
  ...STRINGS,
  ...SYSTEM,
  ...X87,
  ...MMX,
  ...SSE,
];

/** The instruction table parsed, in the same order. */
export const FORMS: readonly Form[] = INSTRUCTION_TABLE.flatMap(parseRow);

/** An operand with its widths settled. Widths in bits; immediates and relatives also have that of their encoded field. */
export type OperandPlan =
  | { readonly kind: "reg" | "opcode"; readonly file: RegisterOperand["file"]; readonly width: Width }
  | { readonly kind: "rm"; readonly register: Width | null; readonly memory: number | null }
  | { readonly kind: "mediaReg"; readonly file: MediaRegisterOperand["file"] }
  | { readonly kind: "mediaRm"; readonly file: MediaRegisterOperand["file"]; readonly memory: number | null }
  | { readonly kind: "fixed"; readonly register: RegisterOperand | MediaRegisterOperand }
  | { readonly kind: "one" }
  | { readonly kind: "immediate"; readonly width: Width; readonly field: Width }
  | { readonly kind: "relative"; readonly field: 8 | 16 | 32 }
  | { readonly kind: "far"; readonly field: 16 | 32 }
  | { readonly kind: "offset"; readonly width: Width }
  | { readonly kind: "string"; readonly register: 6 | 7; readonly width: Width };

export interface Plan {
  readonly form: Form;
  readonly mode: Mode;
  readonly operandWidth: Width;
  readonly operands: readonly OperandPlan[];
  /** What the encoder must put before the opcode for this operand size. */
  readonly operandSizePrefix: boolean;
  readonly rexW: boolean;
}

/** Operand size that prefixes ask for: by the mode's default, 66 and REX.W. */
export function prefixedSize(mode: Mode, operandSizePrefix: boolean, rexW: boolean): 16 | 32 | 64 {
  if (rexW) return 64;
  return (mode === 16) === operandSizePrefix ? 32 : 16;
}

/** Operand size of `form` where prefixes ask for `size`; null where the form has no row for it. */
export function effectiveSize(form: Form, mode: Mode, size: 16 | 32 | 64): Width | null {
  let effective: Width = form.media && size === 16 ? 32 : size;
  if (form.fixedSize !== null) return form.fixedSize === "n" ? (mode === 64 ? 64 : 32) : form.fixedSize;
  if (mode === 64 && (form.force64 || (form.default64 && size === 32))) effective = 64;
  if (form.max32 && effective === 64) effective = 32;
  return form.sizes.includes(effective) ? effective : null;
}

/** The form at this operand size. */
export function makePlan(form: Form, mode: Mode, operandWidth: Width, operandSizePrefix: boolean, rexW: boolean): Plan {
  const operands = form.operands.map((operand) => planOperand(operand, mode, operandWidth));
  return { form, mode, operandWidth, operands, operandSizePrefix, rexW };
}

function planOperand(operand: OperandForm, mode: Mode, size: Width): OperandPlan {
  const width = (rule: WidthRule) => (rule === "v" ? size : rule === "n" ? (mode === 64 ? 64 : 32) : rule) as Width;
  const wordOrDouble = size === 16 ? 16 : 32;
  switch (operand.kind) {
    case "reg":
    case "opcode":
      return { ...operand, width: width(operand.width) };
    case "rm": {
      const memory = operand.memory === "far" ? size + 16 : operand.memory === null ? null : width(operand.memory);
      return { kind: "rm", register: operand.register === null ? null : width(operand.register), memory };
    }
    case "mediaReg":
      return operand;
    case "mediaRm":
      return { ...operand, memory: operand.memory === null ? null : (width(operand.memory) as number) };
    case "stackTop":
      return { kind: "fixed", register: mediaRegister("x87", 0) };
    case "fixed":
      return {
        kind: "fixed",
        register:
          operand.file === "segment"
            ? segmentRegister(operand.number)
            : generalRegister(operand.number, width(operand.width)),
      };
    case "immediate": {
      const fields = { ib: 8, iw: 16, iz: wordOrDouble, iv: size } as const;
      return { kind: "immediate", width: width(operand.width), field: fields[operand.encoded] };
    }
    case "relative":
      return { kind: "relative", field: operand.encoded === "jb" ? 8 : wordOrDouble };
    case "far":
      return { kind: "far", field: wordOrDouble };
    case "offset":
      return { kind: "offset", width: width(operand.width) };
    case "string":
      return { ...operand, width: width(operand.width) };
    case "one":
      return operand;
  }
}
