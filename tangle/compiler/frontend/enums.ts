/** Enums: members with exact values, kept in the smallest integer that holds them all. */
import type { EnumType, IntegerType } from "../tree.ts";
import { Body } from "./body.ts";
import type { Compilation } from "./compilation.ts";
import { constantOf } from "./constants.ts";
import type { EnumEntity } from "./entities.ts";
import { checkExpression } from "./expressions.ts";
import { I8, I16, I32, I64, isError, rangeOf, U8, U16, U32, U64 } from "./types.ts";

/** The type of an enum; null after a report. */
export function enumTypeOf(compilation: Compilation, entity: EnumEntity): EnumType | null {
  if (entity.state === "busy") {
    compilation.reporter.report("KT1057", entity.node.place, `\`${entity.node.name}\` is needed for its own members`);
    return null;
  }
  if (entity.state === "new") {
    entity.state = "busy";
    entity.type = layOut(compilation, entity);
    entity.state = "done";
  }
  return entity.type;
}

function layOut(compilation: Compilation, entity: EnumEntity): EnumType {
  const { reporter } = compilation;
  const members: { name: string; value: bigint }[] = [];
  let next = 0n;
  for (const { name, initial, place } of entity.node.members) {
    if (members.some((member) => member.name === name)) {
      reporter.report("KT1003", place, `member \`${name}\` is declared twice`);
      continue;
    }
    let value: bigint | null = next;
    if (initial?.kind === "string") {
      reporter.report("KT1048", initial.place, "members of an enum are integers, not strings");
      value = null;
    } else if (initial !== null) {
      const body = new Body(compilation, { symbol: "", scope: entity.scope });
      const large = initial.kind === "number" && initial.value > rangeOf(I64).most;
      const checked = checkExpression(body, initial, large ? U64 : I64);
      value = constantOf(checked);
      if (value === null && !isError(checked.type)) {
        reporter.report("KT1048", initial.place, "the value of a member is a constant");
      }
    }
    if (value === null) {
      continue;
    }
    const twin = members.find((member) => member.value === value);
    if (twin !== undefined) {
      reporter.report("KT1048", place, `\`${name}\` and \`${twin.name}\` are both ${value}`);
      continue;
    }
    members.push({ name, value });
    next = value + 1n;
  }
  return { kind: "enum", name: entity.node.name, repr: smallest(members.map((member) => member.value)), members };
}

/** The smallest integer type for all values: unsigned unless one is negative. */
function smallest(values: readonly bigint[]): IntegerType {
  const types = values.some((value) => value < 0n) ? [I8, I16, I32, I64] : [U8, U16, U32, U64];
  const holds = (type: IntegerType): boolean => {
    const { least, most } = rangeOf(type);
    return values.every((value) => least <= value && value <= most);
  };
  return types.find(holds) ?? types[3]!;
}
