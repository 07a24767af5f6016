/** Probes of 32-bit protected mode: segments, gates, privileges, the older page tables. */
import { image, ours, type Probe, prelude, probesText, stubs } from "./probe.ts";

const kernel = (name: string, code: string): Probe => ({ name, code });

const NO_LIMITS = "does not check segment limits and types on access";

/** Code that runs at privilege 3, copied to a place of its own. */
const user = (name: string, code: string): Probe => ({
  name: `user: ${name}`,
  code: `
    mov edi, USER_CODE
    mov esi, .code
    mov ecx, .code_end - .code
    rep movsb
    push dword 0x33
    push dword USER_STACK
    push dword 2
    push dword 0x2b
    push dword USER_CODE
    xor ecx, ecx
    iretd
.code:
${code}
    int 0x21
.code_end:`,
});

/** Identity-maps 4 MiB with the oldest page tables; the page at 0x300000 is missing, that at 0x301000 is read-only. */
const OLD_PAGES = `
    mov edi, 0x70000
    mov ecx, 0x400
    xor eax, eax
    rep stosd
    mov dword [0x70000], 0x71007
    mov edi, 0x71000
    mov eax, 7
    mov ecx, 0x400
.entry:
    stosd
    add eax, 0x1000
    loop .entry
    mov dword [0x71000 + 0x300 * 4], 0
    mov dword [0x71000 + 0x301 * 4], 0x301005
    mov eax, 0x70000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax`;

const PAGES_OFF = `
    mov eax, cr0
    and eax, 0x7ffeffff
    mov cr0, eax
    xor eax, eax
    mov cr4, eax`;

/** The same with 4-MiB pages. */
const BIG_PAGES = `
    mov dword [0x70000], 0x83
    mov dword [0x70004], 0x400081
    mov dword [0x70008], 0
    mov eax, 0x10
    mov cr4, eax
    mov eax, 0x70000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax`;

/** Three levels, 2-MiB pages. */
const PAE_PAGES = `
    mov edi, 0x70000
    mov ecx, 0x800
    xor eax, eax
    rep stosd
    mov dword [0x70000], 0x71001
    mov dword [0x71000], 0x83
    mov dword [0x71008], 0x200083
    mov dword [0x71010], 0x400081
    mov eax, 0x20
    mov cr4, eax
    mov eax, 0x70000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80010000
    mov cr0, eax`;

export const PROTECTED_MODE_PROBES: readonly Probe[] = [
  kernel("ud2", "ud2"),
  kernel("division by zero", "div ecx"),
  kernel(
    "bound inside",
    "mov dword [0x200000], 1\n mov dword [0x200004], 5\n mov eax, 5\n db 0x62, 0x05, 0, 0, 0x20, 0",
  ),
  kernel("bound above", "mov eax, 6\n db 0x62, 0x05, 0, 0, 0x20, 0"),
  kernel("bound below", "mov eax, -1\n db 0x62, 0x05, 0, 0, 0x20, 0"),
  kernel("into without overflow", "into"),
  kernel("into with overflow", "mov al, 0x7f\n inc al\n into"),
  kernel("int3", "int3"),
  kernel("int 0x20", "int 0x20"),
  kernel("trap gate", "int 0x29"),
  kernel("gate not present", "int 0x22"),
  kernel("gate of a wrong type", "int 0x23"),
  kernel("gate with null selector", "int 0x24"),
  kernel("gate to code not present", "int 0x25"),
  kernel("gate to data", "int 0x26"),
  kernel("gate beyond the GDT", "int 0x2a"),
  kernel("gate beyond the IDT", "int 0x80"),
  ours(NO_LIMITS, "load beyond the limit", "mov ax, 0x20\n mov es, ax\n mov al, [es:0x1000]"),
  ours(NO_LIMITS, "load across the limit", "mov ax, 0x20\n mov es, ax\n mov eax, [es:0xffd]"),
  kernel("load at the limit", "mov ax, 0x20\n mov es, ax\n mov eax, [es:0xffc]\n xor eax, eax"),
  ours(NO_LIMITS, "stack beyond its limit", "mov ax, 0x20\n mov ebx, esp\n mov ss, ax\n mov esp, 0xffe\n pop eax"),
  ours(NO_LIMITS, "expand-down below its limit", "mov ax, 0x40\n mov es, ax\n mov al, [es:0x3ff]"),
  kernel("expand-down above its limit", "mov ax, 0x40\n mov es, ax\n mov al, [es:0x400]\n xor eax, eax"),
  ours(NO_LIMITS, "write read-only data", "mov ax, 0x50\n mov es, ax\n mov [es:0x200000], al"),
  ours(NO_LIMITS, "write code", "mov [cs:0x200000], al"),
  kernel("read code", "mov al, [cs:.byte]\n jmp .over\n.byte: db 0x5a\n.over:"),
  ours(NO_LIMITS, "read through the null selector", "xor eax, eax\n mov es, ax\n mov al, [es:0x200000]"),
  kernel("segment with a base", "mov ax, 0x78\n mov es, ax\n mov dword [0x70123], 0x12345678\n mov eax, [es:0x123]"),
  kernel("selector beyond the GDT", "mov ax, 0x1000\n mov ds, ax"),
  kernel("selector beyond the LDT", "mov ax, 0x80\n lldt ax\n mov ax, 0x0c\n mov ds, ax"),
  kernel("lldt of data", "mov ax, 0x10\n lldt ax"),
  kernel("null into ss", "xor eax, eax\n mov ss, ax"),
  kernel("ds not present", "mov ax, 0x48\n mov ds, ax"),
  kernel("ss not present", "mov ax, 0x48\n mov ss, ax"),
  kernel("ss read-only", "mov ax, 0x50\n mov ss, ax"),
  kernel("ss of privilege 3", "mov ax, 0x33\n mov ss, ax"),
  kernel("ss of privilege 1", "mov ax, 0x88\n mov ss, ax"),
  kernel("ds of privilege 1 asked with 2", "mov ax, 0x8a\n mov ds, ax"),
  kernel("ds is unreadable code", "mov ax, 0x60\n mov ds, ax"),
  kernel("ds is readable code", "mov ax, 0x0b\n mov es, ax\n mov ax, es"),
  kernel("les", "mov dword [0x200000], 0x11223344\n mov word [0x200004], 0x30\n les eax, [0x200000]\n mov ecx, es"),
  kernel("pop a segment", "push dword 0x30\n pop es\n mov eax, es\n push es\n pop ecx"),
  kernel(
    "far jump to 16-bit code and back",
    "jmp 0x18:.narrow\nbits 16\n.narrow: mov eax, 0x12345678\n db 0x66\n jmp 0x08:.back\nbits 32\n.back:",
  ),
  kernel("far jump to data", "jmp 0x10:0"),
  kernel("far jump to null", "jmp 0:0"),
  kernel("far jump to code not present", "jmp 0x58:0"),
  kernel("far jump to privilege 3", "jmp 0x2b:0"),
  kernel("far jump beyond the limit", "jmp 0x18:0x10000"),
  kernel("far jump to conforming code", "jmp 0x68:.on\n.on: mov eax, cs\n jmp 0x08:.back\n.back:"),
  kernel("far jump to an LDT", "jmp 0x80:0"),
  kernel("far call and return", "call 0x08:.procedure\n jmp .over\n.procedure: mov eax, [esp + 4]\n retf\n.over:"),
  kernel(
    "far call through memory",
    "mov dword [0x200000], .procedure\n mov word [0x200004], 0x08\n db 0xff, 0x1d, 0, 0, 0x20, 0\n jmp .over\n.procedure: mov eax, [esp + 4]\n retf\n.over:",
  ),
  kernel("call gate", "call 0x90:0x1234\n sub eax, .after\n.after:"),
  kernel("jump through a call gate", "push cs\n push dword .after\n jmp 0x90:0\n.after:"),
  kernel("call gate not present", "call 0xa0:0"),
  kernel("call gate to data", "call 0xa8:0"),
  kernel(
    "far return to less privilege",
    "push dword 0x33\n push dword USER_STACK\n push dword 0x2b\n mov word [USER_CODE], 0x21cd\n push dword USER_CODE\n mov ax, 0x33\n mov es, ax\n retf",
  ),
  kernel("iret within the level", "pushfd\n push cs\n push dword .on\n iretd\n.on:"),
  kernel("iret to null", "pushfd\n push dword 0\n push dword 0\n iretd"),
  kernel("popf of all flags", "push dword 0x3cd7\n popfd\n pushfd\n pop eax\n push dword 2\n popfd"),
  kernel(
    "pusha and popa",
    "mov eax, 1\n mov ecx, 2\n mov esi, 6\n mov edi, 7\n pushad\n mov eax, [esp + 12]\n sub eax, esp\n mov [esp + 28], eax\n popad",
  ),
  kernel("arpl", "mov ax, 0x10\n mov cx, 3\n arpl ax, cx"),
  kernel("arpl without a change", "mov ax, 0x13\n mov cx, 1\n arpl ax, cx"),
  kernel("lar and lsl", "mov ecx, 0x20\n lar eax, ecx\n lsl ecx, ecx"),
  kernel("lar of a gate", "mov ecx, 0x90\n lar eax, ecx\n mov esi, 0xb0\n lar edi, esi"),
  kernel("lsl of a gate", "mov ecx, 0x90\n mov eax, 7\n lsl eax, ecx"),
  kernel(
    "sgdt and sidt",
    "sgdt [0x200000]\n sidt [0x200008]\n mov ax, [0x200000]\n mov cx, [0x200008]\n mov edi, [0x20000a]",
  ),
  kernel("lmsw cannot leave", "smsw ax\n and al, 0xfe\n lmsw ax\n smsw ax"),
  kernel("daa", "mov eax, 0x79\n add al, 0x35\n daa"),
  kernel("daa with both digits", "mov eax, 0x9c\n daa"),
  kernel("das", "mov eax, 0x35\n sub al, 0x47\n das"),
  kernel("das of a low borrow", "mov eax, 0x03\n sub al, 0x04\n das"),
  kernel("aaa", "mov eax, 0x0f\n aaa\n setc cl\n test eax, eax"),
  kernel("aaa without a carry", "mov eax, 0x108\n test al, al\n aaa\n setc cl\n test eax, eax"),
  kernel("aas", "mov eax, 0x205\n sub al, 7\n aas\n setc cl\n test eax, eax"),
  kernel("aam", "mov eax, 0x3f\n aam"),
  kernel("aam by zero", "db 0xd4, 0"),
  kernel("aad", "mov eax, 0x0708\n aad"),
  kernel("loop with cx", "mov ecx, 0x10003\n.again: inc eax\n db 0x67\n loop .again"),
  kernel("jcxz", "mov ecx, 0x10000\n jcxz .taken\n mov eax, 1\n.taken:"),
  kernel("16-bit addresses", "mov dword [0x6004], 0xcafe\n mov esi, 0xffff0004\n mov ebx, 0x6000\n mov eax, [bx + si]"),
  kernel(
    "string with 16-bit addresses",
    "mov esi, 0x18000\n mov edi, 0x16000\n mov ecx, 0x10004\n db 0x67\n rep movsb",
  ),
  kernel("repe cmpsb", "mov esi, 0x8000\n mov edi, 0x8000\n mov ecx, 10\n repe cmpsb"),
  kernel("repne scasb", "mov edi, probes_marker\n mov ecx, 100\n mov al, 0x7e\n repne scasb\n sub edi, probes_marker"),
  kernel("enter with levels", "mov ebp, esp\n sub esp, 32\n enter 8, 3\n mov eax, esp\n sub eax, ebp\n leave"),
  kernel("single step", "pushfd\n bts dword [esp], 8\n popfd\n nop\n nop"),
  kernel("page fault", `${OLD_PAGES}\n mov eax, [0x300004]`),
  kernel("pages off", PAGES_OFF),
  kernel("write to a read-only page", `${OLD_PAGES}\n mov [0x301004], eax`),
  kernel("pages off again", PAGES_OFF),
  kernel(
    "accessed and dirty",
    `${OLD_PAGES}\n mov [0x302000], eax\n mov eax, [0x70000]\n mov ecx, [0x71000 + 0x302 * 4]\n mov esi, [0x303000]\n mov esi, [0x71000 + 0x303 * 4]\n push eax${PAGES_OFF}\n pop eax`,
  ),
  kernel("write to a read-only 4-MiB page", `${BIG_PAGES}\n mov [0x400010], eax`),
  kernel("pages off after that", PAGES_OFF),
  kernel("missing 4-MiB page", `${BIG_PAGES}\n mov al, [0x800000]`),
  kernel("pages off after that too", PAGES_OFF),
  kernel("write to a read-only 2-MiB page", `${PAE_PAGES}\n mov [0x400010], eax`),
  kernel("PAE pages off", PAGES_OFF),
  kernel("missing directory", `${PAE_PAGES}\n mov al, [0x40000000]`),
  kernel("PAE pages off again", PAGES_OFF),
  ours(
    "accepts it",
    "long mode without PAE",
    `${OLD_PAGES}${PAGES_OFF}\n mov ecx, 0xc0000080\n mov eax, 0x100\n xor edx, edx\n wrmsr\n mov eax, cr0\n bts eax, 31\n mov cr0, eax`,
  ),
  ours("never turned it on", "long mode off", "mov ecx, 0xc0000080\n xor eax, eax\n xor edx, edx\n wrmsr"),
  ours("accepts it", "paging without protection", "mov eax, 0x80000010\n mov cr0, eax"),
  user("interrupt", ""),
  user("int3", "int3"),
  user("into", "mov al, 0x7f\n inc al\n into"),
  user("closed gate", "int 0x20"),
  user("halt", "hlt"),
  user("cli", "cli"),
  user("open port", "in al, 0x71\n mov al, 1"),
  user("closed port", "in al, 0x80"),
  user("wide access across the end", "mov dx, 0x7f\n in ax, dx"),
  user("load ds of privilege 0", "mov ax, 0x10\n mov ds, ax"),
  user("load ss of privilege 0", "mov ax, 0x10\n mov ss, ax"),
  user("read cr0", "mov eax, cr0"),
  user("smsw", "smsw eax"),
  user("lgdt", "lgdt [USER_CODE]"),
  user("popf", "push dword 0x3202\n popfd\n pushfd\n pop eax"),
  user("closed call gate", "call 0x90:0"),
  user("call gate", "mov ecx, 0\n call 0x9b:0"),
  user("call gate with arguments", "push dword 0x1111\n push dword 0x2222\n call 0xbb:0\n push esp\n pop ecx"),
  user("jump through a call gate", "jmp 0x9b:0"),
  user("far call to the kernel", "call 0x08:0"),
  user("conforming code", "jmp 0x68:.on - .code + USER_CODE\n.on: mov eax, cs"),
  user("null into ds", "xor eax, eax\n mov ds, ax\n mov eax, ds"),
  user("ud2", "ud2"),
];

const PREPARE = `
    mov esp, STACK
    mov dword [resume], .end
    mov [saved], esp
    mov ax, 0x10
    mov es, ax
    push dword 2
    popfd
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    xor ebx, ebx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp`;

/** The image that runs all probes of protected mode and prints a line for each. */
export function protectedModeImage(probes: readonly Probe[] = PROTECTED_MODE_PROBES): Uint8Array {
  const body = probesText(probes, "esi", PREPARE);
  return image(
    `${prelude("protected-mode.asm")}\nprobes_marker: db "abcdefgh~"\n${stubs("dword")}\nprobes:\n${body}\n jmp exit\n`,
  );
}
