/** What a line of assembly says, before anything is known of addresses. */
import type { MediaRegisterOperand, Mode, RegisterOperand } from "#isa/instruction.ts";
import type { Expression } from "./expression.ts";

export type Size = 8 | 16 | 32 | 64 | 80 | 128;

export type OperandSyntax = { readonly column: number } & (
  | { readonly kind: "register"; readonly register: RegisterOperand }
  | { readonly kind: "media"; readonly register: MediaRegisterOperand }
  | {
      readonly kind: "memory";
      /** Of the datum, as written before the bracket; 0 where nothing is. */
      readonly size: Size | 0;
      readonly far: boolean;
      readonly address: Expression;
      readonly segment: number | null;
      /** Written inside the bracket: address size without registers, displacement size with them. */
      readonly addressSize: 8 | 16 | 32 | 64 | 0;
      readonly relative: "rel" | "abs" | null;
    }
  | {
      readonly kind: "expression";
      readonly size: Size | 0;
      readonly strict: boolean;
      readonly distance: "short" | "near" | null;
      readonly expression: Expression;
    }
  | { readonly kind: "far"; readonly size: Size | 0; readonly selector: Expression; readonly offset: Expression }
);

export interface InstructionSyntax {
  readonly kind: "instruction";
  /** Lower case, as written. */
  readonly mnemonic: string;
  readonly operands: readonly OperandSyntax[];
  readonly mode: Mode;
  /** `default rel` is in effect. */
  readonly defaultRelative: boolean;
  readonly lock: boolean;
  readonly repeat: "rep" | "repne" | null;
  readonly segment: number | null;
  readonly addressSize: 16 | 32 | 64 | null;
  readonly operandSize: 16 | 32 | 64 | null;
}

export type Datum =
  | { readonly kind: "text"; readonly bytes: Uint8Array }
  | { readonly kind: "value"; readonly value: Expression };

/** What can stand after `times`. */
export type Emission =
  | InstructionSyntax
  /** db, dw, dd, dq: `unit` bytes an element. */
  | { readonly kind: "data"; readonly unit: 1 | 2 | 4 | 8; readonly data: readonly Datum[] }
  | { readonly kind: "reserve"; readonly unit: 1 | 2 | 4 | 8; readonly count: Expression };

export type Statement = { readonly line: number; readonly column: number; readonly section: string } & (
  | Emission
  | { readonly kind: "label"; readonly name: string }
  | { readonly kind: "constant"; readonly name: string; readonly value: Expression }
  | { readonly kind: "origin"; readonly value: Expression }
  | { readonly kind: "section"; readonly align: Expression | null }
  | { readonly kind: "times"; readonly count: Expression; readonly body: Emission }
  /** Repeats `fill` (nop where null) up to a multiple of `boundary` from the start of the section. */
  | { readonly kind: "align"; readonly boundary: Expression; readonly fill: Emission | null }
);
