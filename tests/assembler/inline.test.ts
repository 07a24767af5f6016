/** Assembly inside kernel TypeScript: operands put in, and addresses left to the linker. */
import { describe, expect, it } from "vitest";
import { assembleInline } from "../../tangle/assembler/assembler.ts";

const place = { file: "kernel/main.ts", line: 10, column: 5 };

function inline(text: string, operands: string[] = []) {
  const assembly = assembleInline(text, { operands, place });
  expect(assembly.diagnostics).toEqual([]);
  return { hex: Buffer.from(assembly.bytes).toString("hex"), relocations: assembly.relocations, lines: assembly.lines };
}

describe("inline assembly", () => {
  it("puts registers in for placeholders", () => {
    expect(inline("mov {0}, cr3\nmov cr3, {0}", ["rbx"]).hex).toBe("0f20db0f22db");
    expect(inline("mov [{0} + {1} * 8], rax", ["rdi", "rcx"]).hex).toBe("488904cf");
  });
  it("jumps to its own labels", () => {
    expect(inline(".again: pause\ncmp byte [rdi], 0\njne .again\njmp .out\n.out:").relocations).toEqual([]);
  });
  it("gives relocations for calls of other functions", () => {
    const { hex, relocations } = inline("cli\ncall {0}\njmp other", ["kernel/main:_start"]);
    expect(hex).toBe("fae800000000e900000000");
    expect(relocations).toEqual([
      { at: 2, kind: "relative32", symbol: "kernel/main:_start", addend: 0 },
      { at: 7, kind: "relative32", symbol: "other", addend: 0 },
    ]);
  });
  it("addresses data of others rip-relative", () => {
    const { hex, relocations } = inline("lea rax, [counter]\nmov dword [counter + 4], 7");
    expect(hex).toBe("488d0500000000c7050000000007000000");
    expect(relocations).toEqual([
      { at: 3, kind: "relative32", symbol: "counter", addend: 0 },
      // Four bytes of immediate stand between the field and the end of the instruction.
      { at: 9, kind: "relative32", symbol: "counter", addend: 0 },
    ]);
  });
  it("takes absolute addresses, in 8 bytes or sign-extended from 4", () => {
    expect(inline("mov rax, stack_top\npush stack_top\nmov rsp, [abs stack_top]").relocations).toEqual([
      { at: 2, kind: "absolute64", symbol: "stack_top", addend: 0 },
      { at: 11, kind: "absolute32", symbol: "stack_top", addend: 0 },
      { at: 19, kind: "absolute32", symbol: "stack_top", addend: 0 },
    ]);
  });
  it("tells which line each instruction comes from", () => {
    expect(inline("cli\n\n  hlt").lines).toEqual([
      { offset: 0, line: 1, column: 1 },
      { offset: 1, line: 3, column: 3 },
    ]);
  });
  it("refuses addresses that no relocation can hold, and sections", () => {
    const codes = (text: string) => assembleInline(text, { place }).diagnostics.map((d) => d.code);
    expect(codes("mov al, symbol")).toEqual(["AS2008"]);
    expect(codes(".here: mov rax, .here")).toEqual(["AS2008"]);
    expect(codes("section .data\ndb 1")).toEqual(["AS2004"]);
  });
});
