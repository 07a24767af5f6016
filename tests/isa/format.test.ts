/** Instructions as text. */
import { expect, describe as group, it } from "vitest";
import { decode, format, type Mode } from "../../machine/isa/index.ts";

function text(code: string, mode: Mode = 64, address: bigint | null = null): string {
  const instruction = decode(Uint8Array.from(Buffer.from(code.replaceAll(" ", ""), "hex")), 0, mode);
  if (instruction.mnemonic === null) throw new Error(`${code} is no instruction`);
  return format(instruction, address);
}

group("format", () => {
  it("says the size of memory where no register says it", () => {
    expect(text("c7 43 08 05 00 00 00")).toBe("mov dword [rbx+8], 5");
    expect(text("89 43 f0")).toBe("mov [rbx-0x10], eax");
    expect(text("0f b6 04 24")).toBe("movzx eax, byte [rsp]");
    expect(text("d3 23")).toBe("shl dword [rbx], cl");
    expect(text("d2 23")).toBe("shl byte [rbx], cl");
  });
  it("prints string instructions with their size in the name", () => {
    expect(text("f3 48 ab")).toBe("rep stosq");
    expect(text("f3 a6")).toBe("repe cmpsb");
    expect(text("2e a5", 16)).toBe("cs movsw");
  });
  it("prints targets as distances, or as addresses where the instruction's own is known", () => {
    expect(text("eb fe")).toBe("jmp $+0");
    expect(text("eb fe", 64, 0xffffffff80001000n)).toBe("jmp 0xffffffff80001000");
    expect(text("48 8d 05 10 00 00 00")).toBe("lea rax, [rel $+0x17]");
    expect(text("48 8d 05 10 00 00 00", 64, 0x1000n)).toBe("lea rax, [rel 0x1017]");
  });
  it("prints segments, far pointers and prefixes", () => {
    expect(text("26 8a 05", 16)).toBe("mov al, [es:di]");
    expect(text("ea 00 7c 08 00", 16)).toBe("jmp 8:0x7c00");
    expect(text("ff 2d 00 80 00 00", 32)).toBe("jmp far [0x8000]");
    expect(text("f0 0f b1 0b")).toBe("lock cmpxchg [rbx], ecx");
  });
});
