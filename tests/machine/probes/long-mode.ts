/** Probes of 64-bit mode at privilege 0 and 3. */
import { image, ours, type Probe, prelude, probesText, stubs } from "./probe.ts";

export const kernel = (name: string, code: string): Probe => ({ name, code });

/** Code that runs at privilege 3, in the user page. */
export const user = (name: string, code: string): Probe => ({
  name: `user: ${name}`,
  code: `
    mov rdi, 0x409000
    mov rsi, .code
    mov ecx, .code_end - .code
    rep movsb
    push qword 0x33
    push qword 0x400ff0
    push qword 2
    push qword 0x2b
    push qword 0x409000
    xor ecx, ecx
    iretq
.code:
${code}
    int 0x21
.code_end:`,
});

const NOT_CANONICAL = "mov rbx, 0x0000800000000000";

export const LONG_MODE_PROBES: readonly Probe[] = [
  kernel("ud2", "ud2"),
  kernel("division by zero", "xor ecx, ecx\n div rcx"),
  kernel("quotient too large", "mov edx, 5\n mov ecx, 2\n div ecx"),
  kernel("int3", "int3"),
  ours("raises invalid opcode", "int1", "db 0xf1"),
  kernel("int 0x20", "int 0x20"),
  kernel("trap gate", "int 0x29"),
  ours("multiplies the vector by 16 in the error code", "gate not present", "int 0x22"),
  ours("multiplies the vector by 16 in the error code", "task gate", "int 0x23"),
  kernel("gate with null selector", "int 0x24"),
  kernel("gate to code not present", "int 0x25"),
  kernel("gate to data", "int 0x26"),
  kernel("gate to 32-bit code", "int 0x27"),
  kernel("gate with its own stack", "int 0x28"),
  kernel("gate beyond the GDT", "int 0x2a"),
  ours("faults in the handler", "gate to a non-canonical handler", "int 0x2b"),
  kernel("gate to an unmapped stack", "int 0x2c"),
  ours("multiplies the vector by 16 in the error code", "gate beyond the IDT", "int 0x80"),
  kernel("stack is aligned", "sub rsp, 4\n int 0x20"),
  kernel("read unmapped", "mov rax, [0x402008]"),
  kernel("write unmapped", "mov [0x402008], rax"),
  ours("reads first, so the error code lacks the write bit", "change unmapped", "add dword [0x402008], 1"),
  kernel("read an unmapped table", "mov rax, [0x40000000]"),
  kernel("write read-only", "mov byte [0x401010], 1"),
  kernel(
    "write read-only without WP",
    "mov rax, cr0\n btr rax, 16\n mov cr0, rax\n mov byte [0x401010], 1\n bts rax, 16\n mov cr0, rax",
  ),
  kernel("execute unmapped", "mov rax, 0x402000\n jmp rax"),
  kernel("execute no-execute", "mov rax, 0x403000\n jmp rax"),
  ours("leaves the present bit of the error code clear", "reserved bit", "mov rax, [0x404000]"),
  kernel("read across into unmapped", "mov rax, [0x407ffc]"),
  kernel("write across into unmapped", "mov dword [0x407ffc], 0\n mov rax, -1\n mov [0x407ffc], rax"),
  kernel("push onto unmapped", "mov rsp, 0x403000\n push rax"),
  kernel("call with unmapped stack", "mov rsp, 0x403000\n call print_character"),
  kernel("pop from unmapped", "mov rsp, 0x402ff8\n pop rax"),
  kernel("rep movsb into unmapped", "mov esi, 0x8000\n mov edi, 0x407ff0\n mov ecx, 64\n rep movsb"),
  kernel("rep stosq into unmapped", "mov eax, 7\n mov edi, 0x407fe4\n mov ecx, 64\n rep stosq"),
  kernel("rep lodsb from unmapped", "mov esi, 0x407ff8\n mov ecx, 64\n rep lodsb"),
  kernel("accessed and dirty", "mov rax, [0x406000]\n mov rcx, [PT + 48]\n mov [0x406000], rax\n mov rax, [PT + 48]"),
  kernel("stale translation", "mov rax, [0x406000]\n mov dword [PT + 48], 0\n invlpg [0x406000]\n mov rax, [0x406000]"),
  kernel("mapped again", "mov dword [PT + 48], 0x406003\n mov rax, [0x406000]"),
  kernel("non-canonical load", `${NOT_CANONICAL}\n mov rax, [rbx]`),
  ours("cuts the address to 48 bits", "non-canonical store on the stack", `mov rsp, 0x0000800000000008\n push rax`),
  ours("raises general protection", "non-canonical through rbp", `mov rbp, 0x0000800000000000\n mov rax, [rbp]`),
  ours("cuts the address to 48 bits", "non-canonical last byte", "mov rbx, 0x00007ffffffffffc\n mov rax, [rbx]"),
  ours("faults at the target", "non-canonical jump", `${NOT_CANONICAL}\n jmp rbx`),
  ours("faults at the target", "non-canonical call", `${NOT_CANONICAL}\n call rbx`),
  ours("faults at the target", "non-canonical return", `${NOT_CANONICAL}\n push rbx\n ret`),
  kernel("selector beyond the GDT", "mov eax, 0x1000\n mov ds, ax"),
  kernel("selector of an absent LDT", "xor eax, eax\n lldt ax\n mov eax, 0x0c\n mov ds, ax"),
  kernel("null into ds", "xor eax, eax\n mov ds, ax\n mov rax, [0x8000]"),
  kernel("null into ss", "xor eax, eax\n mov ss, ax\n push rax\n mov eax, 0x10\n mov ss, ax"),
  ours("accepts it", "null with privilege 3 into ss", "mov eax, 3\n mov ss, ax"),
  kernel("ds not present", "mov eax, 0x48\n mov ds, ax"),
  kernel("ss not present", "mov eax, 0x48\n mov ss, ax"),
  kernel("ss read-only", "mov eax, 0x50\n mov ss, ax"),
  kernel("ss of privilege 3", "mov eax, 0x33\n mov ss, ax"),
  kernel("ds is unreadable code", "mov eax, 0x60\n mov ds, ax"),
  kernel("ds is a TSS", "mov eax, 0x38\n mov ds, ax"),
  kernel("load into cs", "db 0x8e, 0xc8"),
  kernel("far return to data", "push qword 0x10\n push qword probes\n db 0x48\n retf"),
  kernel("far return to null", "push qword 0\n push qword probes\n db 0x48\n retf"),
  kernel("far return to code not present", "push qword 0x58\n push qword probes\n db 0x48\n retf"),
  ours("accepts it", "far return to both 64 and 32", "push qword 0x70\n push qword probes\n db 0x48\n retf"),
  kernel(
    "far return to conforming code",
    "push qword 0x78\n mov rax, .on\n push rax\n db 0x48\n retf\n.on: mov eax, cs\n push qword 8\n mov rcx, .back\n push rcx\n db 0x48\n retf\n.back:",
  ),
  kernel(
    "interrupt from 32-bit code",
    "push qword 0x18\n mov rax, .on\n push rax\n db 0x48\n retf\nbits 32\n.on: mov eax, 0x20\n mov ss, ax\n int 0x20\nbits 64",
  ),
  kernel(
    "division in 32-bit code",
    "push qword 0x18\n mov rax, .on\n push rax\n db 0x48\n retf\nbits 32\n.on: mov eax, 0x20\n mov ss, ax\n xor ecx, ecx\n div ecx\nbits 64",
  ),
  ours(
    "does not look at the null selector",
    "limit in 32-bit code",
    "push qword 0x18\n mov rax, .on\n push rax\n db 0x48\n retf\nbits 32\n.on: xor eax, eax\n mov es, ax\n mov eax, [es:0]\nbits 64",
  ),
  kernel(
    "iretq to null ss",
    "mov rax, rsp\n push qword 0\n push rax\n push qword 2\n push qword 8\n mov rcx, .on\n push rcx\n iretq\n.on: mov eax, ss\n mov ecx, 0x10\n mov ss, cx",
  ),
  kernel(
    "iretq to data",
    "mov rax, rsp\n push qword 0x10\n push rax\n push qword 2\n push qword 0x10\n mov rcx, .on\n push rcx\n iretq\n.on:",
  ),
  kernel(
    "iretq with bad ss",
    "mov rax, rsp\n push qword 0x33\n push rax\n push qword 2\n push qword 8\n mov rcx, .on\n push rcx\n iretq\n.on:",
  ),
  kernel("iretq with NT", "pushfq\n bts qword [rsp], 14\n popfq\n iretq"),
  kernel("clear NT", "pushfq\n btr qword [rsp], 14\n popfq"),
  kernel(
    "iretq restores flags",
    "mov rax, rsp\n push qword 0x10\n push rax\n push qword 0x8d7\n push qword 8\n mov rcx, .on\n push rcx\n iretq\n.on: mov eax, 5",
  ),
  ours("turns paging off", "paging off", "mov rax, cr0\n btr rax, 31\n mov cr0, rax"),
  ours("turns PAE off", "PAE off", "xor eax, eax\n mov cr4, rax"),
  ours("ignores it", "LME off", "mov ecx, 0xc0000080\n mov eax, 0x800\n xor edx, edx\n wrmsr"),
  ours("ignores it", "upper half of cr0", "mov rax, 0x180010031\n mov cr0, rax"),
  ours("reads 0", "no such model-specific register", "mov ecx, 0x12345678\n rdmsr"),
  ours("accepts it", "non-canonical fs base", "mov ecx, 0xc0000100\n xor eax, eax\n mov edx, 0x8000\n wrmsr"),
  kernel(
    "fs base",
    "mov ecx, 0xc0000100\n mov eax, 0x8000\n xor edx, edx\n wrmsr\n mov rax, [fs:0]\n mov rcx, [0x8000]",
  ),
  kernel(
    "swapgs",
    "mov ecx, 0xc0000102\n mov eax, 0x8000\n xor edx, edx\n wrmsr\n swapgs\n mov eax, [gs:0]\n swapgs\n mov ecx, [0x8000]",
  ),
  kernel("lock without memory", "db 0xf0, 0x90"),
  kernel("16 bytes long", "times 15 db 0x66\n nop"),
  kernel("push es", "db 0x06"),
  kernel("cmpxchg16b unaligned", "mov ebx, 0x8004\n db 0x48, 0x0f, 0xc7, 0x0b"),
  kernel("single step", "pushfq\n bts qword [rsp], 8\n popfq\n nop\n nop"),
  kernel("single step over int", "pushfq\n bts qword [rsp], 8\n popfq\n int 0x20"),
  kernel("single step over pushf", "pushfq\n bts qword [rsp], 8\n popfq\n pushfq\n nop"),
  kernel("double fault: no gate", "mov word [IDT + 14 * 16 + 4], 0x0e00\n mov rax, [0x402008]"),
  kernel("gate back", "mov word [IDT + 14 * 16 + 4], 0x8e03\n mov rax, [0x402008]"),
  kernel("general protection without a gate", "mov word [IDT + 13 * 16 + 4], 0x0e00\n mov eax, 0x1000\n mov ds, ax"),
  kernel("page fault without a gate for general protection", `mov rax, [0x402008]`),
  kernel("gate back too", "mov word [IDT + 13 * 16 + 4], 0x8e00"),
  ours(
    "multiplies the vector by 16 in the error code",
    "breakpoint without a gate",
    "mov word [IDT + 3 * 16 + 4], 0x0e00\n int3",
  ),
  kernel("breakpoint's gate back", "mov word [IDT + 3 * 16 + 4], 0x8e00\n int3"),
  ours(
    "multiplies the vector by 16 in the error code",
    "invalid opcode without a gate",
    "mov word [IDT + 6 * 16 + 4], 0x0e00\n ud2",
  ),
  kernel("invalid opcode's gate back", "mov word [IDT + 6 * 16 + 4], 0x8e00\n ud2"),
  kernel("ltr of a busy TSS", "mov eax, 0x38\n ltr ax"),
  kernel("ltr of data", "mov eax, 0x10\n ltr ax"),
  kernel("str", "xor eax, eax\n str eax\n sldt ecx"),
  kernel("lar", "mov ecx, 0x10\n lar eax, ecx\n mov ecx, 0x38\n lar ecx, ecx"),
  kernel("lar of a bad selector", "mov ecx, 0x1000\n mov eax, 5\n lar eax, ecx"),
  kernel("lsl", "mov ecx, 0x10\n lsl eax, ecx\n mov ecx, 0x38\n lsl ecx, ecx"),
  kernel("verr and verw", "mov ecx, 0x60\n verr cx\n setz al\n mov ecx, 0x50\n verw cx\n setz cl"),
  kernel("smsw", "xor eax, eax\n smsw eax"),
  kernel("port of no device", "mov dx, 0x1234\n in al, dx"),
  user("interrupt", ""),
  user("halt", "hlt"),
  user("cli", "cli"),
  user("in", "in al, 0x80"),
  { ...user("closed gate", "int 0x20"), differs: "multiplies the vector by 16 in the error code" },
  user("read of the supervisor", "mov rax, [0x8000]"),
  user("write to the supervisor", "mov [0x406000], rax"),
  user("write read-only", "mov byte [0x405000], 1"),
  user("read unmapped", "mov al, [0x402000]"),
  user("execute the supervisor's", "mov eax, 0x8000\n jmp rax"),
  user("read cr0", "mov rax, cr0"),
  user("write cr3", "mov cr3, rax"),
  user("lgdt", "lgdt [0x405000]"),
  user("invlpg", "invlpg [0x405000]"),
  user("rdmsr", "rdmsr"),
  user("swapgs", "swapgs"),
  user("ltr", "ltr ax"),
  user("clts", "clts"),
  user("load ss of privilege 0", "mov eax, 0x10\n mov ss, ax"),
  user("load ds of privilege 0", "mov eax, 0x10\n mov ds, ax"),
  user("null into ss", "xor eax, eax\n mov ss, ax"),
  user("popf keeps IF and IOPL", "push qword 0x3202\n popfq\n pushfq\n pop rax"),
  user(
    "iretq to privilege 0",
    "push qword 0x10\n push qword 0x400ff0\n push qword 2\n push qword 8\n push qword 0x8000\n iretq",
  ),
  user("far return to privilege 0", "push qword 8\n push qword 0x8000\n db 0x48\n retf"),
  user(
    "far return to 32-bit code",
    "push qword 0x6b\n push qword 0x409100\n mov word [0x409100], 0x21cd\n db 0x48\n retf",
  ),
  user("ud2", "ud2"),
  user("single step", "pushfq\n bts qword [rsp], 8\n popfq\n nop\n nop"),
];

/** Both interrupt controllers on vectors 0x20 and 0x28, only the timer open, at about 100 Hz. */
const TIMER_ON = `
    mov al, 0x11
    out 0x20, al
    out 0xa0, al
    mov al, 0x20
    out 0x21, al
    mov al, 0x28
    out 0xa1, al
    mov al, 4
    out 0x21, al
    mov al, 2
    out 0xa1, al
    mov al, 1
    out 0x21, al
    out 0xa1, al
    mov al, 0xff
    out 0xa1, al
    mov al, 0x34
    out 0x43, al
    mov al, 0x9c
    out 0x40, al
    mov al, 0x2e
    out 0x40, al
    mov al, 0xfe
    out 0x21, al`;

/** Ends the interrupt and closes the timer again. */
const TIMER_OFF = `
    mov al, 0xff
    out 0x21, al
    mov al, 0x20
    out 0x20, al
    xor eax, eax`;

/** The same with the timer running, and with interrupts on in the program. */
function timed(probe: Probe): Probe {
  return { ...probe, code: `${TIMER_ON}\n${probe.code.replace("push qword 2\n", "push qword 0x202\n")}` };
}

export const INTERRUPT_PROBES: readonly Probe[] = [
  kernel("the timer wakes hlt", `${TIMER_ON}\n xor eax, eax\n sti\n hlt\n nop`),
  kernel("timer off", TIMER_OFF),
  kernel("the timer interrupts a loop", `${TIMER_ON}\n xor eax, eax\n sti\n.spin: jmp .spin`),
  kernel("timer off again", TIMER_OFF),
  kernel("no interrupt while IF is clear", `${TIMER_ON}\n mov ecx, 3000000\n.spin: loop .spin\n${TIMER_OFF}`),
  kernel(
    "the timer's interrupt has a stack of its own",
    `mov byte [IDT + 0x20 * 16 + 4], 1\n${TIMER_ON}\n xor eax, eax\n sti\n hlt`,
  ),
  kernel("timer off once more", `mov byte [IDT + 0x20 * 16 + 4], 0\n${TIMER_OFF}`),
  timed(user("the timer interrupts a program", ".spin: jmp .spin")),
  kernel("timer off for good", TIMER_OFF),
];

const PREPARE = `
    mov rsp, STACK
    mov rax, .end
    mov [resume], rax
    mov [saved], rsp
    xor eax, eax
    xor ecx, ecx
    xor edx, edx
    xor ebx, ebx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp`;

/** The image that runs all probes of 64-bit mode and prints a line for each. */
export function longModeImage(probes: readonly Probe[] = LONG_MODE_PROBES): Uint8Array {
  return image(
    `${prelude("long-mode.asm")}\n${stubs("qword")}\nprobes:\n${probesText(probes, "rsi", PREPARE)}\n jmp exit\n`,
  );
}
