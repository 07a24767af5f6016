/** Chooses the bytes of an instruction: the shortest the table has, and among equals the one that nasm takes. */
import { type Encoding, encodePlan } from "#isa/encode.ts";
import { plansOf } from "#isa/matching.ts";
import type { Plan } from "#isa/plans.ts";
import { relative } from "#isa/registers.ts";
import { explain } from "./explain.ts";
import type { Surroundings } from "./expression.ts";
import type { Field } from "./fields.ts";
import { SyntaxProblem } from "./lexer.ts";
import { isAddress, type ResolvedOperand } from "./operands.ts";
import { encodeOptions, makeRequest, matching, type Request } from "./request.ts";
import type { InstructionSyntax } from "./statement.ts";

export interface Selection {
  readonly bytes: Uint8Array;
  readonly fields: readonly Field[];
  /** Chosen by the distance to a target, so it holds at one address only. */
  readonly isBranch: boolean;
}

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
  const request = makeRequest(syntax, column, around);
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
    if (part.kind === "rm" || part.kind === "mediaRm") widths.add(part.memory!);
  }
  if (widths.size < 2) return plans;
  throw new SyntaxProblem(
    "AS2011",
    "nothing says how wide the memory operand is",
    request.operands[index]!.column,
    "write byte, word, dword or qword before the bracket",
  );
}

/** The shortest form that reaches the target. */
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
