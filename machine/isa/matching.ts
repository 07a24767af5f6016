/** Which plans of the table take given operands. */
import type { MediaRegisterOperand, Mode, Operand, RegisterOperand, Width } from "./instruction.ts";
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

/** The plans of one mnemonic, and those among them that take operands of a shape. */
interface MnemonicPlans {
  readonly all: Plan[];
  readonly byShape: Map<number, readonly Plan[]>;
}

const PREFIX_CHOICES = [
  [false, false],
  [true, false],
  [false, true],
] as const;

function plansFor(mode: Mode): ReadonlyMap<string, MnemonicPlans> {
  const plans = new Map<string, MnemonicPlans>();
  for (const form of FORMS) {
    if (!(mode === 64 ? form.in64 : form.inLegacy)) continue;
    const entry: MnemonicPlans = plans.get(form.mnemonic) ?? { all: [], byShape: new Map() };
    plans.set(form.mnemonic, entry);
    const seen = new Set<Width>();
    for (const [prefix, rexW] of PREFIX_CHOICES) {
      if ((rexW && mode !== 64) || (prefix && form.noPrefix)) continue;
      const width = effectiveSize(form, mode, prefixedSize(mode, prefix, rexW));
      if (width === null || seen.has(width)) continue;
      seen.add(width);
      entry.all.push(makePlan(form, mode, width, prefix, rexW));
    }
  }
  return plans;
}

const PLANS: Partial<Record<Mode, ReadonlyMap<string, MnemonicPlans>>> = {};

function mnemonicPlans(mnemonic: string, mode: Mode): MnemonicPlans | undefined {
  PLANS[mode] ??= plansFor(mode);
  return PLANS[mode].get(mnemonic);
}

/** The plans of a mnemonic in table order; empty for a mnemonic that `mode` does not have. */
export function plansOf(mnemonic: string, mode: Mode): readonly Plan[] {
  return mnemonicPlans(mnemonic, mode)?.all ?? [];
}

const fitsSigned = (value: bigint, width: number) => BigInt.asIntN(width, value) === value;

type AnyRegister = RegisterOperand | MediaRegisterOperand;

function sameRegister(a: AnyRegister, b: AnyRegister): boolean {
  if (a.kind === "media" || b.kind === "media") return a.file === b.file && a.number === b.number;
  return a.file === b.file && a.number === b.number && a.width === b.width && a.high === b.high;
}

/**
 * Whether `value`, taken at `width` bits, survives being stored in `field` bits and sign-extended again. Negative values
 * may be written in one bit more than `width`, so that the complement of every unsigned number fits.
 */
function immediateFits(value: bigint, width: Width, field: Width): boolean {
  const above = value >> BigInt(width);
  if (above !== 0n && above !== -1n) return false;
  return field >= width || fitsSigned(BigInt.asIntN(width, value), field);
}

const MEDIA_FILES: readonly MediaRegisterOperand["file"][] = ["x87", "mmx", "xmm"];
const FILES: readonly RegisterOperand["file"][] = ["general", "segment", "control", "debug"];
/** More than the codes of `shapeOf` for one operand. */
const SHAPES = 64;

/** A number for what can be told of an operand without its value: its kind, register file and width. */
function operandShape(operand: Operand): number {
  switch (operand.kind) {
    case "register":
      return FILES.indexOf(operand.file) * 4 + 31 - Math.clz32(operand.width >> 3);
    case "memory":
      return 16 + (operand.width >> 3);
    case "immediate":
      return 40;
    case "relative":
      return 41 + (operand.width >> 4);
    case "far":
      return 44 + (operand.width >> 5);
    case "media":
      return 46 + MEDIA_FILES.indexOf(operand.file);
  }
}

function shapeOf(operands: readonly Operand[]): number {
  let shape = 0;
  for (const operand of operands) shape = shape * SHAPES + operandShape(operand) + 1;
  return shape;
}

/** Whether operands of this shape could stand in this place; memory of width 0 matches every width. */
function acceptsShape(part: OperandPlan, operand: Operand): boolean {
  switch (part.kind) {
    case "reg":
    case "opcode":
      return operand.kind === "register" && operand.file === part.file && operand.width === part.width;
    case "rm":
      if (operand.kind === "register") return operand.file === "general" && operand.width === part.register;
      return (
        operand.kind === "memory" && part.memory !== null && (operand.width === part.memory || operand.width === 0)
      );
    case "mediaReg":
      return operand.kind === "media" && operand.file === part.file;
    case "mediaRm":
      if (operand.kind === "media") return operand.file === part.file;
      return (
        operand.kind === "memory" && part.memory !== null && (operand.width === part.memory || operand.width === 0)
      );
    case "fixed":
      if (operand.kind === "media") return operand.file === part.register.file;
      return (
        operand.kind === "register" && operand.file === part.register.file && operand.width === part.register.width
      );
    case "one":
    case "immediate":
      return operand.kind === "immediate";
    case "relative":
      return operand.kind === "relative" && operand.width === part.field;
    case "far":
      return operand.kind === "far" && operand.width === part.field;
    case "offset":
      return operand.kind === "memory" && (operand.width === part.width || operand.width === 0);
    case "string":
      return operand.kind === "memory" && operand.width === part.width;
  }
}

/** Whether the value of an operand whose shape is accepted can stand in this place. */
function acceptsValue(part: OperandPlan, operand: Operand, options: EncodeOptions): boolean {
  if (part.kind === "fixed") {
    return (operand.kind === "register" || operand.kind === "media") && sameRegister(operand, part.register);
  }
  if (operand.kind === "immediate") {
    if (part.kind === "one") return operand.value === 1n && options.immediateSize === undefined;
    if (part.kind !== "immediate") return false;
    if (options.immediateSize !== undefined && options.immediateSize * 8 !== part.field) return false;
    return immediateFits(operand.value, part.width, part.field);
  }
  if (operand.kind === "relative") return fitsSigned(operand.displacement, operand.width);
  if (operand.kind !== "memory") return true;
  if (part.kind === "string") return operand.base === part.register;
  if (part.kind !== "offset") return true;
  const isWhole = options.displacementSize === undefined || options.displacementSize * 8 === operand.addressWidth;
  return isWhole && operand.base < 0 && operand.index < 0;
}

/** The plans that take these operands, in table order. Operands of string instructions may be left out. */
export function encodings(mnemonic: string, operands: readonly Operand[], options: EncodeOptions): readonly Plan[] {
  const plans = mnemonicPlans(mnemonic, options.mode);
  if (!plans) return [];
  const shape = shapeOf(operands);
  let shaped = plans.byShape.get(shape);
  if (!shaped) {
    shaped = plans.all.filter((plan) => {
      if (operands.length === 0 && plan.form.string) return true;
      if (operands.length !== plan.operands.length) return false;
      return plan.operands.every((part, index) => acceptsShape(part, operands[index]!));
    });
    plans.byShape.set(shape, shaped);
  }
  return shaped.filter((plan) => {
    if (options.operandWidth !== undefined && options.operandWidth !== plan.operandWidth) return false;
    return operands.every((operand, index) => acceptsValue(plan.operands[index]!, operand, options));
  });
}
