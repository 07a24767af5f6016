/** Kernels that know the Multiboot protocol: where they are put, what they are told, and what is refused. */
import { describe, expect, test } from "vitest";
import { ElfError } from "#machine/platform/elf.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";

const BASE = 0x200000;
const MEMORY = 16 << 20;

/** Answers through the serial line: eax, the first words of what ebx points to, the first range's type, cr0. */
const KERNEL = `
    bits 32
    org ${BASE}
    dd 0x1badb002, 3, -(0x1badb002 + 3)
begin:
    mov esp, ${BASE + 0x10000}
    mov esi, ebx
    call say
    mov eax, [esi]
    call say
    mov eax, [esi + 4]
    call say
    mov eax, [esi + 8]
    call say
    mov edi, [esi + 48]
    mov eax, [edi + 20]
    call say
    mov eax, [${BASE + 0x2000}]
    call say
    mov eax, cr0
    call say
    mov al, 0x10
    out 0xf4, al
say:
    mov dx, 0x3f8
    mov ecx, 4
next:
    out dx, al
    ror eax, 8
    loop next
    ret
`;

function assembled(text: string): Uint8Array {
  const { bytes, diagnostics } = assemble({ path: "kernel.asm", text });
  expect(diagnostics).toEqual([]);
  return bytes;
}

/** An ELF file of one segment, which is larger in memory than in the file. */
function elf(bits: 32 | 64, { base = BASE, code = assembled(KERNEL) } = {}): Uint8Array {
  const wide = bits === 64;
  const file = new Uint8Array(0x1000 + code.length);
  const view = new DataView(file.buffer);
  const word = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  word(24, BASE + 12);
  const table = wide ? 64 : 52;
  word(wide ? 32 : 28, table);
  view.setUint16(wide ? 54 : 42, wide ? 56 : 32, true);
  view.setUint16(wide ? 56 : 44, 1, true);
  view.setUint32(table, 1, true);
  const fields = wide ? [8, 24, 32, 40] : [4, 12, 16, 20];
  for (const [index, value] of [0x1000, base, code.length, 0x3000].entries()) word(table + fields[index]!, value);
  file.set(code, 0x1000);
  return file;
}

describe.each([32, 64] as const)("a kernel in an ELF file of %d bits", (bits) => {
  test("is put at its physical address, and told what memory there is", () => {
    const machine = createMachine({ image: elf(bits), memory: MEMORY });
    const bytes: number[] = [];
    machine.onSerial = (byte) => bytes.push(byte);
    expect(machine.run(100_000)).toEqual({ kind: "exit", status: 33 });
    const words = Array.from(new Uint32Array(Uint8Array.from(bytes).buffer), (value) => value.toString(16));
    expect(words).toEqual(["2badb002", "245", "27f", (15 * 1024).toString(16), "1", "0", "11"]);
  });

  test("is refused where there is no room for it", () => {
    for (const base of [0x7c00, MEMORY - 0x1000])
      expect(() => createMachine({ image: elf(bits, { base }), memory: MEMORY })).toThrow(ElfError);
  });

  test("is refused when its header brings addresses of its own, or its file is cut off", () => {
    const own = assembled(KERNEL.replace("002, 3, -(0x1badb002 + 3)", "002, 0x10003, -(0x1badb002 + 0x10003)"));
    expect(() => createMachine({ image: elf(bits, { code: own }), memory: MEMORY })).toThrow(/addresses of its own/);
    const cut = elf(bits).subarray(0, 0x1000 + 12);
    expect(() => createMachine({ image: cut, memory: MEMORY })).toThrow(/outside the file/);
  });
});
