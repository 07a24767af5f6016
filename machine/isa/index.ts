/** The x86 instruction table and what is made from it: decoder, encoder, formatter. */
export * from "./conditions.ts";
export * from "./decode.ts";
export * from "./encode.ts";
export * from "./format.ts";
export type * from "./instruction.ts";
export * from "./matching.ts";
export type { Form, OperandForm, Row } from "./notation.ts";
export { FORMS, INSTRUCTION_TABLE, type OperandPlan, type Plan } from "./plans.ts";
export * from "./registers.ts";
