/** asm`…`: operands in place of `${…}`, registers pinned by `input` and `output`, and what is overwritten. */
import type { AsmOperand, Expression, Local } from "../tree.ts";
import { checkAccess } from "./access.ts";
import type { Body } from "./body.ts";
import { checkExpression } from "./expressions.ts";
import type { ExpressionNode } from "./syntax.ts";
import { isError, isPlain, typeName, VOID } from "./types.ts";

/** A 64-bit register by each of its names. */
const REGISTERS: ReadonlyMap<string, string> = new Map([
  ...["a", "b", "c", "d"].flatMap((letter): [string, string][] =>
    [`r${letter}x`, `e${letter}x`, `${letter}x`, `${letter}l`].map((name) => [name, `r${letter}x`]),
  ),
  ...["si", "di", "bp", "sp"].flatMap((name): [string, string][] =>
    [`r${name}`, `e${name}`, name, `${name}l`].map((alias) => [alias, `r${name}`]),
  ),
  ...Array.from({ length: 8 }, (_, index) => `r${index + 8}`).flatMap((name): [string, string][] =>
    [name, `${name}d`, `${name}w`, `${name}b`].map((alias) => [alias, name]),
  ),
]);
const OTHER_CLOBBERS: ReadonlySet<string> = new Set(["memory", "flags"]);

export const ASM_OPERANDS = ["input", "output", "out", "inout", "clobber"] as const;

export function checkAssembly(body: Body, node: ExpressionNode & { readonly kind: "asm" }): Expression {
  const operands: AsmOperand[] = [];
  const clobbers: string[] = [];
  let text = node.texts[0] ?? "";
  node.values.forEach((value, index) => {
    text += checkOperand(body, value, operands, clobbers) + (node.texts[index + 1] ?? "");
  });
  return { kind: "asm", asm: { text, operands, clobbers }, type: VOID, place: node.place };
}

/** Adds the operand to its list and gives the text that stands for it; pinned ones are named by their register. */
function checkOperand(body: Body, node: ExpressionNode, operands: AsmOperand[], clobbers: string[]): string {
  const kind =
    node.kind === "call" && node.callee.kind === "name" && body.scope.find(node.callee.name)?.kind === "builtin"
      ? ASM_OPERANDS.find((name) => node.callee.kind === "name" && name === node.callee.name)
      : undefined;
  const add = (operand: AsmOperand | null): string => {
    if (operand === null) {
      return "";
    }
    operands.push(operand);
    return operand.register === null ? `{${operands.length - 1}}` : "";
  };
  if (kind === undefined || node.kind !== "call") {
    const value = operandValue(body, node);
    return add(value && { mode: "in", register: null, value, target: null });
  }
  const wanted = kind === "input" || kind === "output" ? 2 : 1;
  if (kind === "clobber") {
    for (const name of node.arguments) {
      clobbers.push(...clobberName(body, name));
    }
    return "";
  }
  if (node.arguments.length !== wanted) {
    body.report("KT1041", node.place, `\`${kind}\` takes ${wanted} argument${wanted > 1 ? "s" : ""}`);
    return "";
  }
  const [first, second] = node.arguments;
  switch (kind) {
    case "input": {
      const register = registerName(body, first!);
      const value = operandValue(body, second!);
      return add(register === null || value === null ? null : { mode: "in", register, value, target: null });
    }
    case "output": {
      const register = registerName(body, first!);
      const target = operandTarget(body, second!);
      return add(register === null || target === null ? null : { mode: "out", register, value: null, target });
    }
    case "out": {
      const target = operandTarget(body, first!);
      return add(target && { mode: "out", register: null, value: null, target });
    }
    case "inout": {
      const target = operandTarget(body, first!);
      const value = target && operandValue(body, first!);
      return add(target && value && { mode: "inout", register: null, value, target });
    }
  }
}

function operandValue(body: Body, node: ExpressionNode): Expression | null {
  const value = checkExpression(body, node, null);
  if (isPlain(value.type) || value.type.kind === "pointer") {
    return value;
  }
  if (!isError(value.type)) {
    body.report("KT1052", node.place, `\`${typeName(value.type)}\` does not go into one register`);
  }
  return null;
}

function operandTarget(body: Body, node: ExpressionNode): Local | null {
  const access = node.kind === "name" ? checkAccess(body, node) : null;
  const { target, readonly } = access !== null && access.target !== null ? access : { target: null, readonly: null };
  const fits = target !== null && (isPlain(target.type) || target.type.kind === "pointer");
  if (target?.kind !== "local" || readonly !== null || !fits) {
    body.report(
      "KT1052",
      node.place,
      "a result goes into a local variable",
      "declare it with `let` and an integer type",
    );
    return null;
  }
  return target.local;
}

function registerName(body: Body, node: ExpressionNode): string | null {
  const register = node.kind === "string" ? REGISTERS.get(node.value.toLowerCase()) : undefined;
  if (register === undefined || register === "rsp" || register === "rbp") {
    body.report("KT1052", node.place, "this is no register that a value can go into", 'write for instance `"rax"`');
    return null;
  }
  return register;
}

function clobberName(body: Body, node: ExpressionNode): string[] {
  if (node.kind === "string") {
    const name = OTHER_CLOBBERS.has(node.value) ? node.value : REGISTERS.get(node.value.toLowerCase());
    if (name !== undefined) {
      return [name];
    }
  }
  body.report(
    "KT1052",
    node.place,
    "this is nothing that can be overwritten",
    'name a register, `"memory"` or `"flags"`',
  );
  return [];
}
