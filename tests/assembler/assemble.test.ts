/** What the assembler makes of each part of its language. */
import { describe, expect, it } from "vitest";
import { type AssembleOptions, assemble } from "../../tangle/assembler/assembler.ts";

function bytes(text: string, options: AssembleOptions = {}): string {
  const assembly = assemble({ path: "boot/test.asm", text }, options);
  expect(assembly.diagnostics).toEqual([]);
  return Buffer.from(assembly.bytes).toString("hex");
}

describe("instructions", () => {
  it("are encoded for the mode that bits says", () => {
    expect(bytes("mov ax, 1\nbits 32\nmov eax, 1\n[bits 64]\nmov rax, 1")).toBe(
      "b80100 b801000000 b801000000".replaceAll(" ", ""),
    );
    expect(bytes("mov eax, cr0\nmov cr0, eax\nlgdt [0x7c10]")).toBe("0f20c00f22c00f0116107c");
  });
  it("take prefixes", () => {
    expect(bytes("rep movsb\nrepne scasw\nlock inc word [bx]\nes lodsb\na32 rep stosd")).toBe(
      "f3a4 f2af f0ff07 26ac f36667ab".replaceAll(" ", ""),
    );
  });
  it("know the segment and the size of memory operands", () => {
    expect(bytes("mov al, [es:di]\nmov byte [bx+si-2], 5\nmov [0x10], word 5")).toBe("268a05c640fe05c70610000500");
  });
  it("take far targets", () => {
    expect(bytes("jmp 8:0x7c00\njmp dword 8:0x12345\njmp far [bx]\nbits 32\njmp 0x18:0x100000")).toBe(
      "ea007c0800 66ea452301000800 ff2f ea000010001800".replaceAll(" ", ""),
    );
  });
  it("accept the other spellings of a mnemonic", () => {
    expect(bytes("jz $\njc $\nsal ax, 1\nxlatb\npushf\niret")).toBe("74fe72fed1e0d79ccf");
  });
  it("write 64-bit constants in the shortest form", () => {
    expect(bytes("bits 64\nmov rax, 0xffffffff\nmov rax, -1\nmov r12, 0xffff800000000000")).toBe(
      "b8ffffffff 48c7c0ffffffff 49bc000000000080ffff".replaceAll(" ", ""),
    );
  });
  it("address rip-relative where rel or default rel says so", () => {
    expect(bytes("bits 64\nx: mov eax, [x]\nmov eax, [rel x]\ndefault rel\nmov eax, [x]\nmov eax, [abs x]")).toBe(
      "8b042500000000 8b05f3ffffff 8b05edffffff 8b042500000000".replaceAll(" ", ""),
    );
  });
});

describe("jumps", () => {
  it("are as short as they can be", () => {
    expect(bytes("start: jmp end\ntimes 127 nop\nend:").slice(0, 4)).toBe("eb7f");
    expect(bytes("start: jmp end\ntimes 128 nop\nend:").slice(0, 6)).toBe("e98000");
  });
  it("push each other over the limit", () => {
    // With both jumps short the first would reach; it is the second that needs room.
    const text = "jmp a\ntimes 124 nop\njmp b\na: times 200 nop\nb:";
    expect(bytes(text).slice(0, 4)).toBe("eb7f");
    expect(bytes(text.replace("124", "125")).slice(0, 6)).toBe("e98000");
  });
  it("have the size that short and near ask for", () => {
    expect(bytes("jmp near $\njmp short $\nje near $")).toBe("e9fdff ebfe 0f84fcff".replaceAll(" ", ""));
  });
  it("reach absolute addresses outside the file", () => {
    expect(bytes("org 0x8000\nREAD equ 0x7c5a\ncall READ")).toBe("e857fc");
  });
});

describe("data and layout", () => {
  it("writes strings, numbers and addresses in all widths", () => {
    expect(bytes(`org 0x7c00\nx: db "ab", 0, 'c', -1\ndw x, 'ab', "abc"\ndd x + 1\ndq 0xffff800000000000`)).toBe(
      "61620063ff 007c 6162 61626300 017c0000 000000000080ffff".replaceAll(" ", ""),
    );
    expect(bytes("db `a\\n\\x41`, `é`")).toBe("610a41c3a9");
  });
  it("pads with times and align", () => {
    expect(bytes("db 1\ntimes 4-($-$$) db 0xcc\nalign 8\ndb 2\nalign 4, db 0")).toBe("01cccccc9090909002000000");
  });
  it("repeats instructions", () => {
    expect(bytes("times 3 inc ax\ntimes 2 jmp $")).toBe("404040ebfeebfc");
  });
  it("reads expressions as nasm does", () => {
    expect(bytes("db 1 + 2 * 3, (1 + 2) * 3, 7 / 2, 7 % 4, 1 << 3 | 1, 0xff & ~0xf, 6 ^ 3")).toBe("0709030309f005");
    expect(bytes("dw 0b1010_0000, 0o17, 0ffh, 101b, 1_000")).toBe("a0000f00ff000500e803");
    expect(bytes("SIZE equ end - start\nstart: db SIZE\ndw SIZE << 4\nend:")).toBe("033000");
  });
  it("keeps local labels apart by the label before them", () => {
    expect(bytes("a:\n.x: jmp .x\nb:\n.x: jmp .x\njmp a.x")).toBe("ebfeebfeebfa");
  });
  it("places sections after each other, .bss last and without bytes", () => {
    const text = "org 0x100\nsection .data\nd: db 1,2,3\nsection .text\nmov ax, d\nmov bx, u\nsection .bss\nu: resb 10";
    expect(bytes(text)).toBe("b80801 bb0c01 0000 010203".replaceAll(" ", ""));
  });
});

describe("what is known beside the bytes", () => {
  const source = {
    path: "boot/sector.asm",
    text: "org 0x7c00\nTWO equ 2\nstart: mov ax, TWO\n\n.loop:\n  jmp .loop\nsection .data\n  dw start",
  };
  const assembly = assemble(source);
  it("is where each byte comes from", () => {
    const lines = assembly.lines.map(({ offset, place }) => [offset, place.line, place.column]);
    expect(lines).toEqual([
      [0, 3, 8],
      [3, 6, 3],
      [8, 8, 3],
    ]);
    expect(assembly.lines[0]?.place.file).toBe("boot/sector.asm");
  });
  it("is every symbol with its value", () => {
    expect(assembly.origin).toBe(0x7c00n);
    expect(assembly.symbols.map(({ name, value, kind }) => [name, value, kind])).toEqual([
      ["TWO", 2n, "constant"],
      ["start", 0x7c00n, "label"],
      ["start.loop", 0x7c03n, "label"],
    ]);
  });
});
