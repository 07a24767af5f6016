/** What is asked of the encoder: an instruction in the table's own terms, however nasm lets it be spelled. */

import type { MemoryOperand, Operand, RegisterOperand, Width } from "#isa/instruction.ts";
import { type EncodeOptions, encodings } from "#isa/matching.ts";
import type { Plan } from "#isa/plans.ts";
import type { Surroundings } from "./expression.ts";
import { tableName } from "./mnemonics.ts";
import { impliedImmediate, isAddress, type ResolvedOperand, resolveOperand, withWidth } from "./operands.ts";
import type { InstructionSyntax } from "./statement.ts";

export interface Request {
  readonly syntax: InstructionSyntax;
  readonly column: number;
  readonly mnemonic: string;
  readonly operands: readonly ResolvedOperand[];
  readonly operandWidth: Width | undefined;
  readonly addressWidth: 16 | 32 | 64 | undefined;
}

/** Resolves the operands and brings the spelling into the table's form. Throws SyntaxProblem. */
export function makeRequest(syntax: InstructionSyntax, column: number, around: Surroundings): Request {
  // movsd and cmpsd are string instructions, unless they have XMM registers.
  const isMedia = syntax.operands.some((operand) => operand.kind === "media");
  const { mnemonic, operandWidth } = isMedia
    ? { mnemonic: syntax.mnemonic, operandWidth: undefined }
    : tableName(syntax.mnemonic, syntax.mode);
  const operands = syntax.operands.map((operand) => resolveOperand(operand, syntax, around));
  const request: Request = {
    syntax,
    column,
    mnemonic,
    operands,
    operandWidth: syntax.operandSize ?? operandWidth,
    addressWidth: syntax.addressSize ?? undefined,
  };
  return { ...request, ...REWRITES[mnemonic]?.(request, ...operands) };
}

export function encodeOptions(request: Request): EncodeOptions {
  const { syntax, operandWidth, addressWidth, operands } = request;
  const displacementSize = operands.find((resolved) => resolved.displacementSize !== 0)?.displacementSize;
  return {
    mode: syntax.mode,
    lock: syntax.lock,
    repeat: syntax.repeat,
    segmentOverride: operands.find((resolved) => resolved.segment !== null)?.segment ?? syntax.segment,
    ...(operandWidth ? { operandWidth } : {}),
    ...(addressWidth ? { addressWidth } : {}),
    ...(displacementSize ? { displacementSize } : {}),
  };
}

/** The plans that take these operands, in table order. */
export function matching(request: Request, operands: readonly Operand[]): readonly Plan[] {
  return encodings(request.mnemonic, operands, encodeOptions(request));
}

/** What a spelling changes of the request; `first` and `second` are its operands. */
type Rewrite = (request: Request, first?: ResolvedOperand, second?: ResolvedOperand) => Partial<Request>;

const NOTHING: Partial<Request> = {};

function isRegister(resolved: ResolvedOperand | undefined): resolved is ResolvedOperand & { operand: RegisterOperand } {
  return resolved?.operand.kind === "register";
}

function isMemory(resolved: ResolvedOperand | undefined): resolved is ResolvedOperand & { operand: MemoryOperand } {
  return resolved?.operand.kind === "memory";
}

function isNumber(resolved: ResolvedOperand | undefined): resolved is ResolvedOperand {
  return resolved?.operand.kind === "immediate";
}

function withMemoryWidth(resolved: ResolvedOperand & { operand: MemoryOperand }, width: number): ResolvedOperand {
  return { ...resolved, operand: { ...resolved.operand, width } };
}

/** Far transfers have mnemonics of their own; near ones through memory take an address of the mode's width. */
const transfer: Rewrite = ({ mnemonic, syntax }, first) => {
  if (!isMemory(first)) return first?.far ? { mnemonic: `${mnemonic}f` } : NOTHING;
  const { width } = first.operand;
  if (!first.far) return width === 0 ? { operands: [withMemoryWidth(first, syntax.mode)] } : NOTHING;
  // The size before a far pointer is that of its offset.
  return {
    mnemonic: `${mnemonic}f`,
    operandWidth: (width || syntax.mode) as Width,
    operands: [withMemoryWidth(first, 0)],
  };
};

const mov: Rewrite = (request, first, second) => {
  if (!isRegister(first)) return sizeOfNumber(request, first, second);
  if (first.operand.file === "segment")
    return isRegister(second) ? { operands: [first, withWidth(second, 16)] } : NOTHING;
  if (first.operand.width !== 64) return NOTHING;
  // Writing the lower half clears the upper one, in fewer bytes.
  const half = withWidth(first, 32);
  if (isRegister(second) && second.operand.file === "segment") return { operands: [half, second] };
  if (second?.operand.kind !== "immediate" || second.strict || isAddress(second.value!)) return NOTHING;
  return second.operand.value >> 32n === 0n ? { operands: [half, second] } : NOTHING;
};

/** `mov [bx], byte 5`: the size may stand before the number. */
const sizeOfNumber: Rewrite = (_request, first, second) => {
  if (!isMemory(first) || first.operand.width !== 0 || !second?.size) return NOTHING;
  return { operands: [withMemoryWidth(first, second.size), second] };
};

const xchg: Rewrite = ({ syntax }, first, second) => {
  if (!isRegister(first) || !second) return NOTHING;
  const { width, number } = first.operand;
  const isSame = isRegister(second) && second.operand.number === number && second.operand.width === width;
  // What 90 does, except that in 64-bit mode it would not clear the upper half of rax.
  if (isSame && number === 0 && width > 8 && !(width === 32 && syntax.mode === 64)) {
    return { mnemonic: "nop", operands: [], operandWidth: width };
  }
  return { operands: [second, first] };
};

const test: Rewrite = (request, first, second) =>
  isRegister(first) && isMemory(second) ? { operands: [second, first] } : sizeOfNumber(request, first, second);

const imul: Rewrite = ({ operands }, first, second) =>
  operands.length === 2 && isNumber(second) ? { operands: [first!, first!, second] } : NOTHING;

const movsx: Rewrite = (_request, _first, second) =>
  (isRegister(second) || isMemory(second)) && second.operand.width === 32 ? { mnemonic: "movsxd" } : NOTHING;

const lea: Rewrite = (_request, first, second) =>
  isMemory(second) ? { operands: [first!, withMemoryWidth(second, 0)] } : NOTHING;

/** `aam` alone is in tens. */
const inTens: Rewrite = ({ column }, first) => (first ? NOTHING : { operands: [impliedImmediate(10n, column)] });

/** `loop target, ecx` names the counter, whose width is that of addresses. */
const loop: Rewrite = (_request, first, second) =>
  isRegister(second) ? { operands: [first!], addressWidth: second.operand.width as 16 | 32 | 64 } : NOTHING;

const push: Rewrite = ({ syntax, operandWidth }, first) => {
  if (!isNumber(first)) return NOTHING;
  const isOther = first.size === 16 || (first.size === 32 && syntax.mode === 16);
  return { operandWidth: operandWidth ?? (isOther ? (first.size as Width) : syntax.mode) };
};

const REWRITES: Readonly<Record<string, Rewrite>> = {
  jmp: transfer,
  call: transfer,
  mov,
  xchg,
  test,
  imul,
  movsx,
  lea,
  push,
  aam: inTens,
  aad: inTens,
  loop,
  loope: loop,
  loopne: loop,
  ...Object.fromEntries(["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"].map((name) => [name, sizeOfNumber])),
};
