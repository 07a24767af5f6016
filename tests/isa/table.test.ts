/** Every row of the instruction table, in every mode that has it: it can be encoded, and is then decoded as itself. */
import { expect, describe as group, it } from "vitest";
import {
  decode,
  encodePlan,
  FORMS,
  generalRegister,
  immediate,
  mediaRegister,
  memory,
  type Operand,
  type OperandPlan,
  type Plan,
  plansOf,
  relative,
  segmentRegister,
  systemRegister,
} from "../../machine/isa/index.ts";
import { describe, readWithIced } from "./iced.ts";
import { hexadecimal, MODES } from "./random.ts";

/** An operand that this plan takes; memory where it takes memory. */
function sample(part: OperandPlan, plan: Plan): Operand {
  const { mode } = plan;
  switch (part.kind) {
    case "reg":
      if (part.file === "segment") return segmentRegister(3);
      return part.file === "general" ? generalRegister(1, part.width) : systemRegister(part.file, 3, mode);
    case "opcode":
      return generalRegister(1, part.width);
    case "rm":
      if (part.memory === null) return generalRegister(2, part.register!);
      return memory(part.memory, { base: 3, displacement: 5n, addressWidth: mode });
    case "mediaReg":
      return mediaRegister(part.file, 3);
    case "mediaRm":
      if (part.memory === null) return mediaRegister(part.file, 2);
      return memory(part.memory, { base: 3, displacement: 5n, addressWidth: mode });
    case "fixed":
      return part.register;
    case "one":
      return immediate(1, 8);
    case "immediate":
      return immediate(part.field === 8 ? 0x12 : 0x1234, part.width);
    case "relative":
      return relative(-7, part.field);
    case "far":
      return { kind: "far", width: part.field, selector: 8, offset: 0x1234n };
    case "offset":
      return memory(part.width, { displacement: 0x1234n, addressWidth: mode });
    case "string":
      return memory(part.width, { base: part.register, segment: part.register === 7 ? 0 : 3, addressWidth: mode });
  }
}

group("the instruction table", () => {
  it.each(MODES)("holds no row that cannot be encoded and decoded in %i-bit mode", (mode) => {
    const mnemonics = new Set(FORMS.map((form) => form.mnemonic));
    const failures: string[] = [];
    for (const plan of [...mnemonics].flatMap((mnemonic) => plansOf(mnemonic, mode))) {
      const operands = plan.operands.map((part) => sample(part, plan));
      const encoding = encodePlan(plan, operands, { mode });
      const [mnemonic, operandTokens, opcode] = plan.form.row;
      const row = `${mnemonic} ${operandTokens} | ${opcode} at ${plan.operandWidth} bits`;
      if (!encoding) {
        failures.push(`${row}: no encoding`);
        continue;
      }
      const again = decode(encoding.bytes, 0, mode);
      const text = again.mnemonic === null ? null : describe(again).text;
      const same =
        again.length === encoding.bytes.length &&
        again.mnemonic === plan.form.mnemonic &&
        again.operandWidth === plan.operandWidth &&
        readWithIced(encoding.bytes, mode)?.text === text;
      if (!same) failures.push(`${row}: ${hexadecimal(encoding.bytes)} is ${text}`);
    }
    expect(failures).toEqual([]);
  });

  it("speaks the notation that notation.ts explains", () => {
    const sbb = FORMS.filter((form) => form.mnemonic === "sbb");
    expect(sbb.map((form) => [form.opcode, form.extension, form.lock])).toContainEqual([0x83, 3, true]);
    const setters = FORMS.filter((form) => form.row[0] === "setcc");
    expect(setters.map((form) => form.mnemonic)).toHaveLength(16);
    expect(setters[5]).toMatchObject({ mnemonic: "setne", map: 1, opcode: 0x95, fixedSize: 8 });
  });
});
