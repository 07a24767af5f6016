/** Whatever the text, the assembler answers with bytes or with mistakes; it never throws and never hangs. */
import { expect, it } from "vitest";
import { assemble, assembleInline } from "../../tangle/assembler/assembler.ts";
import { randomNumbers } from "../isa/random.ts";

const WORDS = (
  "mov add lea jmp call push pop xchg imul shl test movsx loop rep lock es fs a32 o16 times db dw dq resb align org equ " +
  "section .text .data .bss bits default rel abs byte word dword qword strict near short far eax ax al ah rax r8 cs cr0 bx si " +
  "start .local $ $$ 0 1 -1 16 32 64 0x7c00 0xffffffff80000000 1000000000 'a' \"text\" {0} constructor toString " +
  "[ ] ( ) , : + - * / % << >> & | ^ ~ ; ` \\ # é"
).split(" ");

it("answers random lines", () => {
  const next = randomNumbers(7);
  for (let run = 0; run < 400; run++) {
    const lines = Array.from({ length: 12 }, () =>
      Array.from({ length: 1 + (next() % 7) }, () => WORDS[next() % WORDS.length]).join(" "),
    );
    const text = lines.join("\n");
    const { bytes, diagnostics } = assemble({ path: "random.asm", text });
    for (const { place, code } of diagnostics) {
      expect(code).toMatch(/^AS20\d\d$/);
      expect(place.line).toBeGreaterThan(0);
      expect(place.line).toBeLessThanOrEqual(lines.length);
      expect(place.column).toBeLessThanOrEqual((lines[place.line - 1]?.length ?? 0) + 1);
    }
    if (diagnostics.length > 0) expect(bytes).toHaveLength(0);
    assembleInline(text, { operands: ["rcx"], place: { file: "kernel/main.ts", line: 1, column: 1 } });
  }
});

it("refuses sizes that no image has, at once", () => {
  for (const text of ["times 1000000000 nop", "resb 1 << 40", "times 1 << 24 dq 1", "a: times $ - a + 1 << 50 db 0"]) {
    expect(assemble({ path: "big.asm", text }).diagnostics.map((d) => d.code)).toEqual(["AS2019"]);
  }
});

it("tells of sizes that depend on each other without end", () => {
  const text = "a: times 4 - (b - a) db 0\nb: times b - a - 1 db 0";
  expect(assemble({ path: "loop.asm", text }).diagnostics.length).toBeGreaterThan(0);
});
