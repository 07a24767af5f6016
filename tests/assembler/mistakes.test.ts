/** Every mistake has a code, a place and words that help; all of a file are told at once. */
import { describe, expect, it } from "vitest";
import { assemble, assembleInline } from "../../tangle/assembler/assembler.ts";

function mistakes(text: string): string[] {
  const { diagnostics } = assemble({ path: "boot/test.asm", text });
  return diagnostics.map(({ code, place, message }) => `${place.line}:${place.column} ${code} ${message}`);
}

function only(text: string): string {
  const all = mistakes(text);
  expect(all).toHaveLength(1);
  return all[0]!;
}

describe("a mistake", () => {
  it.each([
    ["mov ax, @", "1:9 AS2001 the character @ has no meaning here"],
    ["db 12z", "1:4 AS2001 12z is not a number"],
    ['db "abc', "1:4 AS2002 this string is not closed"],
    ["mov ax,", "1:8 AS2003 the line ends where a number or name should stand"],
    ["mov ax, [bx", "1:12 AS2003 the line ends where ] should stand"],
    ["mov ax, bx cx", "1:12 AS2003 cx is too much on this line"],
    ["mov al, es:[di]", "1:11 AS2003 a segment stands inside the brackets"],
    ["bits 17", "1:6 AS2003 bits takes 16, 32 or 64"],
    ["%define X 1", "1:1 AS2004 %define belongs to nasm's preprocessor, which is not part of this language"],
    ["global start", "1:1 AS2004 global has no place in a flat image"],
    ["ax: nop", "1:1 AS2005 ax cannot be a label"],
    ["jmp nowhere", "1:5 AS2006 nowhere is defined nowhere"],
    ["db 1 / 0", "1:6 AS2007 this divides by zero"],
    ["x: mov ax, x & 1", "1:14 AS2008 & takes plain numbers, not addresses or registers"],
    ["x: dw x + x", "1:9 AS2008 the sum of addresses is no address"],
    ["x: nop\nx: nop", "2:1 AS2009 x is defined twice"],
    ["movv ax, 1", "1:1 AS2010 movv is no instruction"],
    ["mov [bx], 1", "1:5 AS2011 nothing says how wide the memory operand is"],
    ["mov ax, [eax+bx]", "1:13 AS2012 the registers of an address must have one width"],
    ["bits 32\nmov eax, [ebx*7]", "2:14 AS2012 an index cannot be multiplied by 7"],
    ["mov ax, [ax]", "1:10 AS2012 16-bit addresses are bx or bp, plus si or di, or one of the four alone"],
    ["mov al, 256", "1:9 AS2013 0x100 is too large for this operand"],
    ["db 256", "1:4 AS2013 256 does not fit into a byte"],
    ["mov ax, [0x12345]", "1:10 AS2013 the address 74565 does not fit into 16 bits"],
    ["bits 64\nmov ebx, [0xfee00000]", "2:11 AS2013 0xfee00000 is not reached by the signed 32 bits of an address"],
    ["lock mov ax, bx", "1:1 AS2014 mov cannot be locked"],
    ["loop far_away\ntimes 200 nop\nfar_away:", "1:6 AS2015 the target is 200 bytes away, too far for loop"],
    ["bits 64\npusha", "2:1 AS2016 pusha does not exist in 64-bit code"],
    ["mov ax, ebx", "1:1 AS2017 mov does not exist with operands ax, ebx in 16-bit code"],
    ["bits 64\nmov ah, r8b", "2:1 AS2017 these operands cannot be encoded together"],
    [
      "times 4 - ($ - $$) db 0\ntimes 8-($-$$)-9 db 0",
      "2:15 AS2019 the count of times is -5: what stands before is too long by that",
    ],
    ["align 3", "1:7 AS2019 3 is no alignment"],
    ["section .bss\ndb 1", "2:1 AS2020 .bss holds no bytes"],
  ])("in %j is told", (text, message) => {
    expect(only(text)).toBe(message);
  });

  it("does not hide the others", () => {
    expect(mistakes("mov ax\nfoo: bar\njmp nowhere\ndb 300\nmov [si], 2").map((text) => text.slice(0, 10))).toEqual([
      "1:1 AS2017",
      "2:6 AS2010",
      "3:5 AS2006",
      "4:4 AS2013",
      "5:5 AS2011",
    ]);
  });
  it("leaves no bytes behind", () => {
    expect(assemble({ path: "x.asm", text: "nop\nfoo bar" }).bytes).toHaveLength(0);
  });
  it("carries a hint where one helps", () => {
    const hint = (text: string) => assemble({ path: "x.asm", text }).diagnostics[0]?.hint;
    expect(hint("mov [bx], 1")).toBe("write byte, word, dword or qword before the bracket");
    expect(hint("start")).toBe("a label ends with a colon: start:");
    expect(hint("%define A 1")).toContain("equ");
    expect(hint("mov ax, ebx")).toBe("the operands have different widths");
  });
  it("names the other place that it speaks of", () => {
    const { diagnostics } = assemble({ path: "x.asm", text: "nop\n a: nop\na: nop" });
    const place = { file: "x.asm", line: 2, column: 2 };
    expect(diagnostics[0]?.related).toEqual([{ place, message: "the first definition" }]);
  });
  it("in inline assembly stands at its place in the chapter", () => {
    const place = { file: "book/02-a-minimal-kernel.md", line: 40, column: 7 };
    const { diagnostics } = assembleInline("cli; {0}\n  movv rax, 1\n push {3}", { place, operands: [] });
    expect(diagnostics.map((d) => [d.code, d.place.line, d.place.column])).toEqual([
      ["AS2010", 41, 3],
      ["AS2003", 42, 7],
    ]);
  });
});
