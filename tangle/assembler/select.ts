/** Chooses the bytes of an instruction: the shortest the table has, and among equals the one that nasm takes. */
import { type Encoding, encodePlan, encodings, plansOf } from "#isa/encode.ts";
import type { Operand, RegisterOperand, Width } from "#isa/instruction.ts";
import type { Plan } from "#isa/plans.ts";
import { registerName, relative } from "#isa/registers.ts";
import type { Surroundings } from "./expression.ts";
import type { Field } from "./fields.ts";
import { SyntaxProblem } from "./lexer.ts";
import { tableName } from "./mnemonics.ts";
import { impliedImmediate, isAddress, type ResolvedOperand, resolveOperand, withWidth } from "./operands.ts";
import type { InstructionSyntax } from "./statement.ts";

export interface Selection {
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
  /** Chosen by the distance to a target, so it holds at one address only. */
  readonly isBranch: boolean;
}

interface Request {
  readonly syntax: InstructionSyntax;
  readonly column: number;
  readonly mnemonic: string;
  readonly operands: readonly ResolvedOperand[];
  readonly operandWidth: Width | undefined;
  readonly addressWidth: 16 | 32 | 64 | undefined;
}

const SIGN_OF_SIZE = new Set(["mov", "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "test"]);

/**
 * The instruction's bytes where it begins at `address`, with at least `leastLength` bytes where the table has such
 * an encoding (so that code only grows while the layout settles). Fields are left zero. Throws SyntaxProblem.
 */
export function selectInstruction(
  syntax: InstructionSyntax,
  column: number,
  around: Surroundings,
  address: bigint,
  leastLength: number,
): Selection {
  const request = normalize(
    syntax,
    column,
    syntax.operands.map((operand) => resolveOperand(operand, syntax, around)),
  );
  const plans = plansOf(request.mnemonic, syntax.mode);
  if (syntax.lock && !plans.some((plan) => plan.form.lock)) {
    throw new SyntaxProblem("AS2014", `${syntax.mnemonic} cannot be locked`, column);
  }
  const target = request.operands[0];
  if (target?.operand.kind === "immediate" && plans.some((plan) => plan.operands[0]?.kind === "relative")) {
    return selectBranch(request, target, address, leastLength);
  }
  const operands = request.operands.map((resolved) => resolved.operand);
  const candidates = disambiguate(request, bindAddress(request, bindImmediates(request, matching(request, operands))));
  let best: Encoding | null = null;
  let short: Encoding | null = null;
  for (const plan of candidates) {
    const encoding = encodePlan(plan, operands, encodeOptions(request));
    if (!encoding) continue;
    if (encoding.bytes.length < leastLength) short ??= encoding;
    else if (!best || encoding.bytes.length < best.bytes.length) best = encoding;
  }
  best ??= short;
  if (!best) throw explain(request, operands);
  return { bytes: best.bytes, fields: fieldsOf(best, request.operands), isBranch: false };
}

function encodeOptions(request: Request) {
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

function matching(request: Request, operands: readonly Operand[]): readonly Plan[] {
  return encodings(request.mnemonic, operands, encodeOptions(request));
}

/** Brings spellings that nasm allows into the table's form. */
function normalize(syntax: InstructionSyntax, column: number, written: readonly ResolvedOperand[]): Request {
  const name = tableName(syntax.mnemonic, syntax.mode);
  let { mnemonic } = name;
  let operands = [...written];
  let operandWidth: Width | undefined = syntax.operandSize ?? name.operandWidth;
  let addressWidth = syntax.addressSize ?? undefined;
  const [first, second] = operands;
  const one = first?.operand;
  const two = second?.operand;
  const is = (operand: Operand | undefined, kind: Operand["kind"]) => operand?.kind === kind;

  if ((mnemonic === "jmp" || mnemonic === "call") && first?.far) {
    mnemonic += "f";
    if (is(one, "memory"))
      operandWidth =
        first.operand.kind === "memory" && first.operand.width ? (first.operand.width as Width) : syntax.mode;
    operands = operands.map((o) => (o.operand.kind === "memory" ? { ...o, operand: { ...o.operand, width: 0 } } : o));
  } else if ((mnemonic === "jmp" || mnemonic === "call") && one?.kind === "memory" && one.width === 0) {
    operands = [{ ...first!, operand: { ...one, width: syntax.mode } }];
  } else if (
    mnemonic === "xchg" &&
    isAccumulator(one) &&
    isAccumulator(two) &&
    !(one.width === 32 && syntax.mode === 64)
  ) {
    return { syntax, column, mnemonic: "nop", operands: [], operandWidth: one.width, addressWidth };
  } else if (mnemonic === "xchg" && one?.kind === "register" && (two?.kind === "memory" || two?.kind === "register")) {
    operands.reverse();
  } else if (mnemonic === "test" && is(one, "register") && is(two, "memory")) {
    operands.reverse();
  } else if (mnemonic === "imul" && operands.length === 2 && is(two, "immediate")) {
    operands = [first!, first!, second!];
  } else if (mnemonic === "movsx" && two && "width" in two && two.width === 32) {
    mnemonic = "movsxd";
  } else if (mnemonic === "mov" && one?.kind === "register" && one.file === "segment" && two?.kind === "register") {
    operands = [first!, withWidth(second!, 16)];
  } else if (mnemonic === "mov" && two?.kind === "register" && two.file === "segment" && one?.kind === "register") {
    if (one.width === 64) operands = [withWidth(first!, 32), second!];
  } else if (mnemonic === "mov" && one?.kind === "register" && one.width === 64 && two?.kind === "immediate") {
    // Writing the lower half clears the upper one, in fewer bytes.
    const clearsUpper = !isAddress(second!.value!) && two.value >= 0n && two.value >> 32n === 0n;
    if (clearsUpper && !second!.strict) operands = [withWidth(first!, 32), second!];
  } else if (mnemonic === "lea" && two?.kind === "memory") {
    operands = [first!, { ...second!, operand: { ...two, width: 0 } }];
  } else if ((mnemonic === "aam" || mnemonic === "aad") && operands.length === 0) {
    operands = [impliedImmediate(10n, column)];
  } else if (/^loop/.test(mnemonic) && two?.kind === "register") {
    addressWidth = two.width as 16 | 32 | 64;
    operands = [first!];
  } else if (mnemonic === "push" && is(one, "immediate")) {
    operandWidth ??= first!.size === 16 || (first!.size === 32 && syntax.mode === 16) ? first!.size : syntax.mode;
  } else if (SIGN_OF_SIZE.has(mnemonic) && one?.kind === "memory" && one.width === 0 && second?.size) {
    operands = [{ ...first!, operand: { ...one, width: second.size } }, second];
  }
  return { syntax, column, mnemonic, operands, operandWidth, addressWidth };
}

/** ax, eax or rax: exchanged with itself it stays what it is, but for eax in 64-bit mode. */
function isAccumulator(operand: Operand | undefined): operand is RegisterOperand {
  return operand?.kind === "register" && operand.file === "general" && operand.number === 0 && operand.width > 8;
}

/** Keeps the plans whose immediate field is as wide as the value needs or the text asks for. */
function bindImmediates(request: Request, plans: readonly Plan[]): readonly Plan[] {
  let kept = plans;
  for (const [index, resolved] of request.operands.entries()) {
    if (resolved.operand.kind !== "immediate" || !resolved.value) continue;
    const fieldOf = (plan: Plan) => {
      const part = plan.operands[index];
      return part?.kind === "immediate" ? part.field : 0;
    };
    if (isAddress(resolved.value)) {
      const widest = Math.max(...kept.map(fieldOf));
      kept = kept.filter((plan) => fieldOf(plan) === widest);
    } else if (resolved.strict && resolved.size !== 0) {
      kept = kept.filter((plan) => fieldOf(plan) === resolved.size);
    }
  }
  return kept;
}

/** Takes addresses without ModRM in 64-bit mode only where the text asks for one, since they are longer. */
function bindAddress(request: Request, plans: readonly Plan[]): readonly Plan[] {
  const isWhole = (plan: Plan) => plan.operands.some((part) => part.kind === "offset");
  const memory = request.operands.find(({ operand }) => operand.kind === "memory");
  return memory?.whole && plans.some(isWhole) ? plans.filter(isWhole) : plans;
}

/** Refuses memory whose size neither it nor another operand says. */
function disambiguate(request: Request, plans: readonly Plan[]): readonly Plan[] {
  const index = request.operands.findIndex(({ operand }) => operand.kind === "memory" && operand.width === 0);
  if (index < 0) return plans;
  const widths = new Set<number>();
  for (const plan of plans) {
    const part = plan.operands[index]!;
    if (part.kind === "rm") widths.add(part.memory!);
  }
  if (widths.size < 2) return plans;
  throw new SyntaxProblem(
    "AS2011",
    "nothing says how wide the memory operand is",
    request.operands[index]!.column,
    "write byte, word, dword or qword before the bracket",
  );
}

function selectBranch(request: Request, target: ResolvedOperand, address: bigint, leastLength: number): Selection {
  const { syntax } = request;
  const value = target.value!;
  const operandWidth = request.operandWidth ?? (target.size === 16 || target.size === 32 ? target.size : syntax.mode);
  const isExternal = [...value.bases.keys()].some((name) => name.startsWith("symbol "));
  let unreachable: bigint | null = null;
  let best: Selection | null = null;
  let shorter: Selection | null = null;
  for (const width of [8, 16, 32] as const) {
    if ((width === 8 && target.distance === "near") || (width !== 8 && target.distance === "short")) continue;
    if (width === 8 && isExternal && target.distance !== "short") continue;
    const operands = [relative(0, width)];
    for (const plan of matching({ ...request, operandWidth }, operands)) {
      const encoding = encodePlan(plan, operands, encodeOptions({ ...request, operandWidth }));
      if (!encoding) continue;
      const distance = value.number - address - BigInt(encoding.bytes.length);
      // 16-bit code wraps around within its segment.
      const reach = width === 16 ? 1n << 16n : 1n << BigInt(width - 1);
      if (!value.pending && !isExternal && (distance < -reach || distance >= reach)) {
        unreachable = distance;
        continue;
      }
      const field = { value, relative: true, column: target.column };
      const selection = {
        bytes: encoding.bytes,
        fields: [{ ...field, at: encoding.immediateAt, size: encoding.immediateSize }],
        isBranch: true,
      };
      if (encoding.bytes.length < leastLength) shorter ??= selection;
      else if (!best || encoding.bytes.length < best.bytes.length) best = selection;
    }
  }
  best ??= shorter;
  if (best) return best;
  if (unreachable === null) throw explain(request, [target.operand]);
  throw new SyntaxProblem(
    "AS2015",
    `the target is ${unreachable} bytes away, too far for ${syntax.mnemonic}${target.distance ? ` ${target.distance}` : ""}`,
    target.column,
    target.distance === "short" ? "leave short out" : "jump around a jmp to the target",
  );
}

/** Fields whose value the layout decides; plain numbers are in the bytes already. */
function fieldsOf(encoding: Encoding, operands: readonly ResolvedOperand[]): Field[] {
  const fields: Field[] = [];
  for (const { operand, value, ripRelative, column } of operands) {
    if (!value || !(isAddress(value) || ripRelative)) continue;
    const isDisplacement = operand.kind === "memory";
    fields.push({
      at: isDisplacement ? encoding.displacementAt : encoding.immediateAt,
      size: isDisplacement ? encoding.displacementSize : encoding.immediateSize,
      value,
      relative: ripRelative,
      column,
    });
  }
  return fields;
}

const KIND_NAMES: Readonly<Record<Operand["kind"], string>> = {
  register: "register",
  memory: "memory",
  immediate: "number",
  relative: "target",
  far: "far pointer",
};

function operandText(operand: Operand): string {
  if (operand.kind === "register") return registerName(operand);
  if (operand.kind === "memory") return operand.width === 0 ? "memory" : `${operand.width}-bit memory`;
  return KIND_NAMES[operand.kind];
}

/** The reason why no row of the table takes these operands, as far as it can be told. */
function explain(request: Request, operands: readonly Operand[]): SyntaxProblem {
  const { syntax, column } = request;
  if (plansOf(request.mnemonic, syntax.mode).length === 0) {
    return new SyntaxProblem("AS2016", `${syntax.mnemonic} does not exist in ${syntax.mode}-bit code`, column);
  }
  const zeroed = operands.map((operand) => (operand.kind === "immediate" ? { ...operand, value: 0n } : operand));
  const large = operands.findIndex((operand) => operand.kind === "immediate");
  if (large >= 0 && matching(request, zeroed).length > 0) {
    const value = (operands[large] as { value: bigint }).value;
    const message = `${value < 0n ? value : `0x${value.toString(16)}`} is too large for this operand`;
    return new SyntaxProblem("AS2013", message, request.operands[large]!.column);
  }
  if (matching(request, operands).length > 0) {
    return new SyntaxProblem(
      "AS2017",
      "these operands cannot be encoded together",
      column,
      "ah, ch, dh and bh exclude r8 to r15, sil, dil and 64-bit operands; addresses have 32 bits, sign-extended",
    );
  }
  const texts = operands.map(operandText).join(", ");
  const missing = operands.length === 0 ? "without operands" : `with operands ${texts}`;
  const registers = operands.filter((operand) => operand.kind === "register");
  const differ = new Set(registers.map((operand) => operand.width)).size > 1;
  const hint = differ ? "the operands have different widths" : undefined;
  return new SyntaxProblem(
    "AS2017",
    `${syntax.mnemonic} does not exist ${missing} in ${syntax.mode}-bit code`,
    column,
    hint,
  );
}
