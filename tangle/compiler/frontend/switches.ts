/** `switch` over integers, bools and enums. */
import type { LoopLabel, Statement, Type } from "../tree.ts";
import type { Body, JumpTarget } from "./body.ts";
import { constantOf } from "./constants.ts";
import { checkAs, checkExpression } from "./expressions.ts";
import { merge } from "./flow.ts";
import { fullExpression } from "./ownership.ts";
import { checkStatements } from "./statements.ts";
import type { ExpressionNode, StatementNode } from "./syntax.ts";
import { isError, isPlain, typeName } from "./types.ts";

export function checkSwitch(
  body: Body,
  node: StatementNode & { readonly kind: "switch" },
  name: string | null,
): Statement[] {
  const { place } = node;
  const subject = fullExpression(body, () => checkExpression(body, node.subject, null));
  const { type } = subject;
  if (!isPlain(type) && !isError(type)) {
    body.report(
      "KT1049",
      node.subject.place,
      `\`switch\` over \`${typeName(type)}\``,
      "switch over an integer or an enum",
    );
  }
  const label: LoopLabel = { name: name ?? "switch" };
  const jump: JumpTarget = { name, label, kind: "switch", depth: body.disposables.length, breaks: [], continues: [] };
  const start = body.flow;
  const seen = new Set<bigint>();
  body.jumps.push(jump);
  body.stop();
  const cases = body.scoped(() =>
    node.cases.map((one) => {
      const fallen = body.flow;
      body.flow = start;
      const value = one.value === null ? null : caseValue(body, one.value, type);
      if (value !== null) {
        if (seen.has(value)) {
          body.report("KT1049", one.place, `case ${value} stands twice`);
        }
        seen.add(value);
      }
      body.flow = merge(fallen, start);
      const statements = checkStatements(body, one.body);
      // A label that is in error must not look like `default`.
      return { value: one.value === null ? null : (value ?? 0n), body: statements };
    }),
  );
  body.jumps.pop();
  const defaults = node.cases.filter((one) => one.value === null);
  body.flow = merge(body.flow, ...(defaults.length === 0 ? [start] : []), ...jump.breaks);
  return [{ kind: "switch", label, subject, cases, place }];
}

function caseValue(body: Body, node: ExpressionNode, type: Type): bigint | null {
  const value = checkAs(body, node, type);
  const constant = constantOf(value);
  if (constant === null && !isError(value.type)) {
    body.report("KT1049", node.place, "the label of a case is a constant");
  }
  return constant;
}
