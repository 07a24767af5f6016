/** Memory of a function's own frame: where references to it may not go. */
import { isAggregate } from "../layout.ts";
import type { Expression } from "../tree.ts";
import type { Body } from "./body.ts";

/** Whether a reference or slice points into this function's own frame. */
export function isFrameMemory(body: Body, value: Expression): boolean {
  switch (value.kind) {
    case "read": {
      const { target } = value;
      switch (target.kind) {
        case "local":
          return (target.local.storage === "frame" && isAggregate(target.type)) || body.frameMemory.has(target.local);
        case "element":
          return target.array.type.kind === "array" && isAggregate(value.type) && isFrameMemory(body, target.array);
        case "field":
          return isAggregate(value.type) && isFrameMemory(body, target.object);
        default:
          return false;
      }
    }
    case "addressOf":
      return value.target.kind === "element" && isFrameMemory(body, value.target.array);
    case "reinterpret":
    case "sliceAddress":
      return isFrameMemory(body, value.operand);
    case "arithmetic":
      return isFrameMemory(body, value.left);
    case "makeSlice":
      return isFrameMemory(body, value.address);
    case "sequence":
      return isFrameMemory(body, value.last);
    case "conditional":
      return isFrameMemory(body, value.then) || isFrameMemory(body, value.otherwise);
    default:
      return false;
  }
}
