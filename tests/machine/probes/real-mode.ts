/** Probes of real mode: interrupts through the vector table, segments without descriptors, and unreal mode. */
import { image, ours, type Probe, prelude, probesText, stubs } from "./probe.ts";

const real = (name: string, code: string): Probe => ({ name, code });

const NO_LIMITS = "does not check segment limits";

/** Visits protected mode to load ds with the descriptor of a selector. */
const visit = (selector: string) => `
    lgdt [gdt_pointer]
    mov eax, cr0
    and eax, 0x9fffffff
    or al, 1
    mov cr0, eax
    jmp 0x08:.protected
.protected:
    mov cx, ${selector}
    mov ds, cx
    and al, 0xfe
    mov cr0, eax
    jmp 0:.real
.real:
    xor ax, ax
    mov ds, ax`;

export const REAL_MODE_PROBES: readonly Probe[] = [
  real("division by zero", "div cl"),
  real("aam by zero", "db 0xd4, 0"),
  real("int 0x20", "int 0x20"),
  real("int3", "int3"),
  real("into", "mov al, 0x7f\n inc al\n into"),
  real("ud2", "ud2"),
  real("interrupt turns IF and TF off", "sti\n cli\n push word 0x202\n popf\n int 0x20"),
  ours(NO_LIMITS, "word at the end of a segment", "mov bx, 0xffff\n mov ax, [bx]"),
  ours(NO_LIMITS, "address beyond 64 KiB", "mov ebx, 0x10000\n mov al, [ebx]"),
  ours(NO_LIMITS, "pop across the stack's end", "mov sp, 0xffff\n pop ax"),
  real("push wraps at zero", "xor sp, sp\n push ax\n mov cx, sp\n mov sp, STACK\n mov ax, cx"),
  real("segments overlap", "mov ax, 0x0800\n mov es, ax\n mov ax, [es:0]\n mov cx, [0x8000]"),
  real("string at the segment's end", "mov si, 0xfffe\n mov cx, 3\n rep lodsb\n mov ax, si"),
  real(
    "A20 closed",
    "in al, 0x92\n and al, 0xfd\n out 0x92, al\n mov ax, 0xffff\n mov es, ax\n mov word [0x500], 0x1234\n mov word [es:0x510], 0x5678\n mov cx, [0x500]\n in al, 0x92\n or al, 2\n out 0x92, al",
  ),
  real(
    "A20 open",
    "mov ax, 0xffff\n mov es, ax\n mov word [0x500], 0x1234\n mov word [es:0x510], 0x5678\n mov cx, [0x500]",
  ),
  real("far call and return", "call 0:.procedure\n jmp .over\n.procedure: mov ax, [esp]\n retf\n.over:"),
  real(
    "far call with another segment",
    "call 0x0800:.procedure - 0x8000\n jmp .over\n.procedure: mov ax, cs\n retf\n.over:",
  ),
  real("iret", "pushf\n push cs\n push word .on\n iret\n.on: mov ax, 1"),
  real("32-bit iret", "pushfd\n push dword 0\n push dword .on\n iretd\n.on: mov ax, 1"),
  real("les", "mov dword [0x500], 0x12345678\n les ax, [0x500]\n mov cx, es"),
  real("32-bit registers", "mov eax, 0x12345678\n mov ax, 0xffff\n inc ax\n mov ecx, eax\n shl ecx, 4"),
  real("enter and leave", "mov bp, 0x1234\n mov ax, sp\n enter 16, 2\n sub ax, sp\n leave\n mov cx, bp"),
  real("pusha", "mov ax, 1\n mov cx, 2\n pusha\n mov si, sp\n mov ax, [si + 8]\n sub ax, si\n add sp, 16"),
  real(
    "push of a segment with 32 bits",
    "mov dword [STACK - 4], 0xffffffff\n push word 7\n push word 7\n add sp, 4\n push dword 5\n pop eax",
  ),
  real("flags as pushed", "push word 0x7fd7\n popf\n pushf\n pop ax\n push word 2\n popf"),
  real("loop with ecx", "mov ecx, 0x10002\n.again: inc eax\n a32 loop .again"),
  real("jump wraps within 64 KiB", "mov word [0x500], 0\n jmp .on\n.on: mov ax, 1"),
  real("sldt", "sldt ax"),
  real("lar", "lar ax, cx"),
  real("arpl", "arpl ax, cx"),
  real("ltr", "ltr ax"),
  real("verr", "verr ax"),
  real("smsw", "smsw ax\n and ax, 15"),
  real("sidt", "sidt [0x500]\n mov ax, [0x500]\n mov cx, [0x502]"),
  real("unreal mode", `${visit("0x10")}\n mov ebx, 0x100500\n mov dword [ebx], 0xfeedbeef\n mov ecx, [ebx]`),
  real(
    "unreal copy",
    `${visit("0x10")}\n mov esi, 0x100500\n mov edi, 0x600\n mov ecx, 4\n a32 rep movsb\n mov eax, [0x600]`,
  ),
  ours(NO_LIMITS, "unreal mode ends", `${visit("0x18")}\n mov ebx, 0x100500\n mov al, [ebx]`),
  ours(
    "does not look at the table's limit",
    "interrupt table too short",
    "mov word [0x500], 0x7f\n mov dword [0x502], 0\n lidt [0x500]\n int 0x20",
  ),
  ours(
    "needs no mending",
    "interrupt table back",
    "mov word [0x500], 0x3ff\n mov dword [0x502], 0\n lidt [0x500]\n int 0x20",
  ),
  real("single step", "pushf\n pop ax\n or ah, 1\n push ax\n popf\n nop\n nop"),
  real("bit string", "mov word [0x4fe], 0x8000\n mov ax, -1\n bts [0x500], ax\n setc cl"),
];

const PREPARE = `
    mov word [resume], .end
    xor eax, eax
    mov es, ax
    mov ss, ax
    mov sp, STACK
    push word 2
    popf
    xor ecx, ecx
    xor edx, edx
    xor ebx, ebx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp`;

/** The image that runs all probes of real mode and prints a line for each. */
export function realModeImage(probes: readonly Probe[] = REAL_MODE_PROBES): Uint8Array {
  const body = probesText(probes, "si", PREPARE);
  return image(`${prelude("real-mode.asm")}\n${stubs("word", false)}\nprobes:\n${body}\n jmp exit\n`);
}
