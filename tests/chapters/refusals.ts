/** What chapter 1 says that the language refuses, and by which number: the compiler must agree. */
import { describe, expect, test } from "vitest";
import { check } from "../../tangle/compiler/frontend/check.ts";

const HANDLER = "export const onPanic = panicHandler((_info: PanicInfo): never => { while (true) {} });\n";

/** Statements inside a function, by the number that chapter 1 gives them. */
const REFUSED: readonly (readonly [code: string, statements: string])[] = [
  ["KT1007", "const x = y as u8;"],
  ["KT1009", "const next = y + narrow;"],
  ["KT1010", "let x: any = 5;"],
  ["KT1010", "let x: unknown = 5;"],
  ["KT1010", "let x: number = 5;"],
  ["KT1012", "const o = { x: 1 };"],
  ["KT1013", "const f = (z: u64): u64 => y + z; f(1);"],
  ["KT1014", "throw y;"],
  ["KT1017", "var x: u8 = 5;"],
  ["KT1018", "if (y == 1) {}"],
  ["KT1019", "if (typeof y === 1) {}"],
  ["KT1024", "const x = 3.14;"],
  ["KT1024", "const x = 10n;"],
  ["KT1024", "const x = /x/;"],
  ["KT1030", "const x = new C();"],
  ["KT1032", "const count: u8 = 256;"],
  ["KT1033", "const lost = 5;"],
  ["KT1034", "if (y) {}"],
  ["KT1050", "cells[25] = 0;"],
];

/** Whole programs. */
const REFUSED_PROGRAMS: readonly (readonly [code: string, text: string])[] = [
  ["KT1015", `${HANDLER}async function f(): Promise<void> {} export function _start(): never { while (true) {} }`],
  ["KT1021", `${HANDLER}class A {} class B extends A {} export function _start(): never { while (true) {} }`],
  ["KT1039", `${HANDLER}export function _start(): never {}`],
  ["KT1053", `${HANDLER}export function _start(): void {}`],
  ["KT1053", "export function _start(): never { while (true) {} }"],
];

function codesOf(text: string): string[] {
  const file = "kernel/main.ts";
  return check([{ path: file, text }], { entryFile: file, chapter: 1 }).diagnostics.map(({ code }) => code);
}

export function testRefusals(): void {
  describe("the language refuses what the chapter says it refuses", () => {
    for (const [code, statements] of REFUSED) {
      test(`${code}: ${statements}`, () => {
        const text = `${HANDLER}class C { x: u32; }
const cells: FixedArray<u8, 25> = filled(0);
function f(y: u64, narrow: u8): void { ${statements} }
export function _start(): never { f(1, 2); while (true) {} }`;
        expect(codesOf(text)).toContain(code);
      });
    }
    for (const [code, text] of REFUSED_PROGRAMS) {
      test(`${code}: ${text.replace(HANDLER, "")}`, () => {
        expect(codesOf(text)).toContain(code);
      });
    }
  });
}
