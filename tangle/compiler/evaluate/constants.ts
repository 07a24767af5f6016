/** Initial values written into the evaluator's memory as the image would hold them. */
import { sizeOf } from "../layout.ts";
import type { ConstantValue, Type } from "../tree.ts";
import type { Evaluator } from "./evaluator.ts";

const ADDRESS: Type = { kind: "pointer", of: { kind: "void" } };
const WORD: Type = { kind: "integer", name: "usize", bits: 64, signed: false };

/** Writes a constant of a type; memory starts as zeros. */
export function writeConstant(evaluator: Evaluator, address: bigint, type: Type, value: ConstantValue): void {
  const { memory } = evaluator;
  const { beforeWrite } = memory;
  memory.beforeWrite = null;
  switch (value.kind) {
    case "integer":
      evaluator.store(address, type, value.value);
      break;
    case "string":
      evaluator.store(address, type, evaluator.text(value.bytes));
      break;
    case "function":
      evaluator.store(address, type, evaluator.addressOfFunction(value.target));
      break;
    case "address":
      evaluator.store(address, type, evaluator.addressOfGlobal(value.target) + BigInt(value.offset));
      break;
    case "aggregate":
      writeElements(evaluator, address, type, value.elements);
      break;
    case "zero":
      break;
  }
  memory.beforeWrite = beforeWrite;
}

function writeElements(evaluator: Evaluator, address: bigint, type: Type, elements: readonly ConstantValue[]): void {
  elements.forEach((element, index) => {
    switch (type.kind) {
      case "array":
        writeConstant(evaluator, address + BigInt(index * sizeOf(type.of)), type.of, element);
        break;
      case "class": {
        const field = type.fields[index]!;
        writeConstant(evaluator, address + BigInt(field.offset), field.type, element);
        break;
      }
      case "slice":
      case "interface": {
        const word = index === 0 || type.kind === "interface" ? ADDRESS : WORD;
        writeConstant(evaluator, address + BigInt(8 * index), word, element);
        break;
      }
      default:
        throw new Error(`no aggregate: ${type.kind}`);
    }
  });
}
