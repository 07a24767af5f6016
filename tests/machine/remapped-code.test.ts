/**
 * Code whose page-table entry changes after a new CR3, before the first fetch through it: no translation has been
 * fetched through yet, so nothing old may be run, though nobody has used invlpg (Intel SDM vol. 3A, section 4.10.4.3).
 */
import { describe, it } from "vitest";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { formsEngine } from "../../machine/engine/wasm-engine.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { agree, ENGINES } from "./privileged.ts";

const TABLE = 0x303000;
/** The second 2 MiB are mapped in pages of 4 KiB, nearly all to themselves. */
const MAPPED = 0x200000;
/** The loop, and behind it the page that leads to one of two frames. */
const LOOP = 0x380000;
const BESIDE = LOOP + 0x1000;
const CROSSING = BESIDE - 2;
const INSIDE = BESIDE + 3;
const FRAMES = [0x391000, 0x392000];
const RIGHTS = 0x67;
const entryOf = (address: number) => TABLE + ((address - MAPPED) / 0x1000) * 8;

function write({ memory }: Cpu, address: number, text: string, origin = address): void {
  const { bytes } = assemble({ path: "test.asm", text: `bits 64\norg ${origin}\n${text}\n` });
  memory.writeBytes(address, bytes);
}

/** `target` is in the second page, or is an instruction of which only the first two bytes are in the first. */
function prepare(cpu: Cpu, body: string, target: number): void {
  const { memory } = cpu;
  for (let page = 0; page < 512; page++) memory.write64(TABLE + page * 8, BigInt(MAPPED + page * 0x1000 + RIGHTS));
  memory.write64(0x3008, BigInt(TABLE + RIGHTS));
  memory.write64(entryOf(BESIDE), BigInt(FRAMES[0]! + RIGHTS));
  memory.writeBytes(CROSSING, Uint8Array.of(0x05, 0x77)); // add eax, …
  for (const [index, frame] of FRAMES.entries()) {
    const text = `db ${index + 1}, 0, 0\nlea eax, [rax + rax*2 + ${index + 1}]\nret`;
    write(cpu, frame, text, BESIDE);
  }
  write(
    cpu,
    LOOP,
    `again: inc ebx
    ${body}
    call ${target}
    add esi, eax
    mov rcx, cr3
    jmp again`,
  );
  cpu.mmu.flush();
}

const START = `mov r8, ${FRAMES[1]! + RIGHTS}
    mov r9, ${FRAMES[0]! + RIGHTS}
    mov rcx, cr3
    mov rdx, ${LOOP}
    jmp rdx`;
const CHANGE = `mov [${entryOf(BESIDE)}], r8\nxchg r8, r9`;
const SELDOM = `test bl, 7\njnz same\n${CHANGE}\nsame:`;

const WAYS = [
  ["after each new cr3", `mov cr3, rcx\n${CHANGE}`],
  ["now and then, after a new cr3", `mov cr3, rcx\n${SELDOM}`],
  ["before each new cr3", `${CHANGE}\nmov cr3, rcx`],
  ["now and then, with invlpg", `${SELDOM}\ninvlpg [${BESIDE}]`],
  ["after invlpg", `invlpg [${BESIDE}]\n${SELDOM}`],
  ["with invlpg of a page that no code has been fetched from", `${SELDOM}\ninvlpg [${LOOP + 0x5000}]`],
  ["without a word", SELDOM],
  ["after all translations are forgotten", `mov rdx, cr4\nxor edx, 0x80\nmov cr4, rdx\n${SELDOM}`],
  ["after cr0 was written", `mov rdx, cr0\nxor edx, 0x10000\nmov cr0, rdx\n${SELDOM}`],
] as const;

describe.each([...ENGINES, ["forms", formsEngine] as const])(
  "in %s, the code of a page whose entry is changed",
  (_, engine) => {
    describe.each([
      ["a function", INSIDE],
      ["an instruction across its beginning", CROSSING],
    ])("%s", (_, target) => {
      it.each(WAYS)("%s", (_, body) => {
        agree(START, { engine, prepare: (cpu) => prepare(cpu, body, target) });
      });
    });
  },
);
