/** Probes of system instructions in 64-bit mode: model-specific registers, system calls, debug registers, wide exchanges. */
import { kernel, user } from "./long-mode.ts";
import { ours, type Probe } from "./probe.ts";

/** A model-specific register's value, 64 bits as text. */
const set = (number: string, value: bigint) =>
  `mov ecx, ${number}\n mov eax, 0x${(value & 0xffffffffn).toString(16)}\n mov edx, 0x${(value >> 32n).toString(16)}\n wrmsr`;
/** rax: all of it. */
const get = (number: string) => `mov ecx, ${number}\n rdmsr\n shl rdx, 32\n or rax, rdx\n xor edx, edx`;
/** Writes a value and reads it again. */
const kept = (name: string, number: string, value: bigint) =>
  kernel(`${name} keeps its value`, `${set(number, value)}\n${get(number)}`);

const [EFER, STAR, LSTAR, CSTAR, SFMASK] = ["0xc0000080", "0xc0000081", "0xc0000082", "0xc0000083", "0xc0000084"];
const [FS_BASE, GS_BASE, KERNEL_GS_BASE] = ["0xc0000100", "0xc0000101", "0xc0000102"];
const [SYSENTER_CS, SYSENTER_ESP, SYSENTER_EIP] = ["0x174", "0x175", "0x176"];
const NOT_CANONICAL = 0x0000_8000_0000_0000n;

const MODEL_REGISTERS: readonly Probe[] = [
  kernel("efer", get(EFER)),
  kernel("efer.SCE", `${set(EFER, 0x901n)}\n${get(EFER)}`),
  ours("ignores it", "efer with a reserved bit", set(EFER, 0x903n)),
  kept("star", STAR, 0x0018_0008_1234_5678n),
  kept("lstar", LSTAR, 0xffff_8000_1234_5678n),
  ours("keeps any value", "lstar that is not canonical", set(LSTAR, NOT_CANONICAL)),
  kept("cstar", CSTAR, 0x7fff_1234_5678n),
  kept("sfmask", SFMASK, 0x47700n),
  kept("fs base", FS_BASE, 0x1234_5678_9000n),
  kept("gs base", GS_BASE, 0xffff_ffff_8000_0000n),
  kept("kernel gs base", KERNEL_GS_BASE, 0x7fff_ffff_f000n),
  kernel("swapgs exchanges", `swapgs\n${get(GS_BASE)}\n mov rsi, rax\n${get(KERNEL_GS_BASE)}\n swapgs`),
  kernel("a selector replaces the base", `mov eax, 0x10\n mov fs, ax\n${get(FS_BASE)}`),
  ours("says that the local controller is on", "apic base", get("0x1b")),
  kept("sysenter cs", SYSENTER_CS, 0x8n),
  kept("sysenter esp", SYSENTER_ESP, 0xffff_8000_0000_1000n),
  kept("sysenter eip", SYSENTER_EIP, 0x1234_5000n),
  kernel("page attributes", get("0x277")),
  ours("keeps any value", "page attributes of no type", set("0x277", 0x0007_0406_0007_0402n)),
  ours(
    "ignores it",
    "the time stamp is written",
    `${set("0x10", 0x5_0000_0000n)}\n rdtsc\n shr eax, 31\n shl rdx, 32\n or rax, rdx\n cmp eax, eax`,
  ),
  kernel("no time stamp for programs", "mov rax, cr4\n or eax, 4\n mov cr4, rax\n rdtsc\n xor eax, eax"),
  user("rdtsc while closed", "rdtsc"),
  kernel("time stamp open", "mov rax, cr4\n and eax, -5\n mov cr4, rax"),
  user("rdtsc while open", "rdtsc\n xor eax, eax"),
  user("wrmsr", "xor eax, eax\n wrmsr"),
];

/** Kernel's code at 08 and data at 10, programs' at 28 and 30, 32-bit ones at 18. */
const SELECTORS = 0x0018_0008_0000_0000n;
/** LSTAR at `.entry` of the probe, efer.SCE as said; flags of programs that the mask takes away. */
const systemCalls = (mask: bigint, entry: string, enabled = true) => `
    mov ecx, ${LSTAR}
    mov rax, .entry
    xor edx, edx
    wrmsr
    ${set(STAR, SELECTORS)}
    ${set(SFMASK, mask)}
    ${set(EFER, enabled ? 0x901n : 0x900n)}
    jmp .begin
.entry:
${entry}
.begin:`;
/** A program's probe with set-up before it. */
const prepared = (before: string, probe: Probe): Probe => ({ ...probe, code: `${before}\n${probe.code}` });
/** QEMU loses the status flags at SYSCALL. */
const CLEAR = "cmp eax, eax";
const stepping = "pushfq\n bts qword [rsp], 8\n popfq";
const toUser = (width: 32 | 64) => `
    mov esi, .code
    mov edi, 0x409000
    mov ecx, .code_end - .code
    rep movsb
    mov ecx, 0x409000
    mov esp, 0x400ff0
    mov r11d, 0x3202
    ${width === 64 ? "db 0x48\n" : ""} sysret
.code:
${width === 32 ? "bits 32" : ""}
    mov eax, cs
    mov esi, ss
    pushf
    pop ${width === 64 ? "rdi" : "edi"}
    int 0x21
.code_end:
bits 64`;

const SYSTEM_CALLS: readonly Probe[] = [
  prepared(systemCalls(0n, `mov rax, r11\n ${CLEAR}\n int 0x20`), user("syscall", "xor r11d, r11d\n syscall")),
  prepared(
    systemCalls(0x47700n, `mov rax, r11\n ${CLEAR}\n int 0x20`),
    user("syscall with a mask", "std\n stc\n syscall"),
  ),
  prepared(systemCalls(0n, "int 0x20", false), user("syscall that efer does not allow", "syscall")),
  kernel("syscall of the kernel", `${systemCalls(0n, `mov rax, r11\n ${CLEAR}\n int 0x20`)}\n syscall`),
  prepared(
    systemCalls(0x100n, "mov rax, r11\n db 0x48\n sysret"),
    user("single step over syscall", `${stepping}\n syscall\n nop`),
  ),
  prepared(
    systemCalls(0n, `nop\n ${CLEAR}\n int 0x20`),
    user("single step into syscall", `${stepping}\n syscall\n nop`),
  ),
  kernel("sysret to 64-bit code", `${set(EFER, 0x901n)}\n${toUser(64)}`),
  kernel("sysret to 32-bit code", toUser(32)),
  ours(
    "raises it in the program",
    "sysret to an address that is not canonical",
    "mov rcx, 0x800000000000\n db 0x48\n sysret",
  ),
  user("sysret", "db 0x48\n sysret"),
  kernel("sysret that efer does not allow", `${set(EFER, 0x900n)}\n db 0x48\n sysret`),
];

/** QEMU has these in long mode only where the processor is Intel's. */
const entering = (stack: bigint, selector = 8n) => `
    ${set(SYSENTER_CS, selector)}
    ${set(SYSENTER_ESP, stack)}
    mov ecx, ${SYSENTER_EIP}
    mov rax, .entry
    xor edx, edx
    wrmsr
    jmp .begin
.entry:
    int 0x20
.begin:`;
const leaving = (selector: bigint, prefix: string) =>
  `${set(SYSENTER_CS, selector)}\n mov edi, 0x409000\n mov word [rdi], 0x21cd\n mov edx, 0x409000\n mov ecx, 0x400ff0\n${prefix} sysexit`;

const FAST_CALLS: readonly Probe[] = [
  prepared(entering(0x3e0000n), user("sysenter", "std\n stc\n sysenter")),
  prepared(entering(0x3e0000n, 0n), user("sysenter without a selector", "sysenter")),
  kernel("sysexit to 64-bit code", leaving(8n, "db 0x48\n")),
  user("sysexit", "sysexit"),
  kernel("sysexit without a selector", leaving(0n, "db 0x48\n")),
];

/** What dr6 holds after the probe before, and all breakpoints off. */
const status = (name: string) =>
  kernel(
    `dr6 and dr7 after ${name}`,
    "mov rax, dr6\n mov rcx, dr7\n mov edx, 0xffff0ff0\n mov dr6, rdx\n mov edx, 0x400\n mov dr7, rdx\n xor edx, edx",
  );
const DATUM = "0x3a0000";
/** Breakpoint 0 at the datum: 1 write, 3 read or write; length 0 one byte, 1 two, 2 eight, 3 four. */
const watching = (kind: number, length: number) =>
  `mov eax, ${DATUM}\n mov dr0, rax\n mov eax, ${0x401 | (kind << 16) | (length << 18)}\n mov dr7, rax\n xor eax, eax`;
const watched = (name: string, code: string): readonly Probe[] => [kernel(name, code), status(name)];
const DEBUG_REGISTERS: readonly Probe[] = [
  ...watched("a watched write", `${watching(1, 3)}\n mov dword [${DATUM}], 5\n nop\n nop`),
  ...watched("a read of what is watched for writes", `${watching(1, 3)}\n mov eax, [${DATUM}]\n nop`),
  ...watched("a watched read", `${watching(3, 3)}\n mov eax, [${DATUM}]\n nop`),
  ...watched(
    "a write beside it",
    `${watching(1, 3)}\n mov dword [${DATUM} + 4], 5\n mov dword [${DATUM} - 4], 5\n nop`,
  ),
  ...watched("a write of its last byte", `${watching(1, 3)}\n mov byte [${DATUM} + 3], 5\n nop`),
  ...watched("a wide write that reaches into it", `${watching(1, 0)}\n mov [${DATUM} - 7], rax\n nop`),
  ...watched("eight bytes watched", `${watching(1, 2)}\n mov byte [${DATUM} + 7], 5\n nop`),
  ...watched("a watched change", `${watching(1, 3)}\n add dword [${DATUM}], 5\n nop`),
  ...watched("a push onto it", `${watching(1, 2)}\n mov esp, ${DATUM} + 8\n push rax\n nop`),
  ...watched("repeated stores", `${watching(1, 3)}\n mov edi, ${DATUM} - 8\n mov ecx, 8\n rep stosd\n nop`),
  ours("traps twice", "a step and a watched write", `${watching(1, 3)}\n${stepping}\n mov dword [${DATUM}], 5\n nop`),
  status("a step and a watched write"),
  ...watched(
    "a watched instruction",
    "mov rax, .there\n mov dr1, rax\n mov eax, 0x404\n mov dr7, rax\n nop\n.there: nop\n nop",
  ),
  ...watched(
    "a watched instruction with the resume flag",
    "mov rax, .there\n mov dr1, rax\n mov eax, 0x404\n mov dr7, rax\n mov rax, .there\n mov rcx, rsp\n push qword 0x10\n push rcx\n push qword 0x10002\n push qword 8\n push rax\n iretq\n.there: nop\n nop",
  ),
  ...watched(
    "a watch that is off",
    `${watching(1, 3)}\n mov eax, 0x400 | 1 << 16\n mov dr7, rax\n mov dword [${DATUM}], 5\n nop`,
  ),
  ...watched("a step", `${stepping}\n nop\n nop`),
  ...watched("a step of a repeated store", `mov edi, ${DATUM}\n mov ecx, 5\n${stepping}\n rep stosb\n nop`),
  ...[kernel("dr0 while guarded", "mov eax, 0x2400\n mov dr7, rax\n mov rax, dr0\n nop"), status("a guarded dr0")].map(
    (probe) => ({ ...probe, differs: "has no guard" }),
  ),
  kernel("dr4 is dr6, dr5 is dr7", "db 0x0f, 0x21, 0xe0\n mov rcx, rax\n db 0x0f, 0x21, 0xe8"),
  kernel("dr4 with cr4.DE", "mov rax, cr4\n or eax, 8\n mov cr4, rax\n db 0x0f, 0x21, 0xe0"),
  kernel("cr4.DE off", "mov rax, cr4\n and eax, -9\n mov cr4, rax"),
  kernel("dr6 with an upper half", "mov rax, 0x100000000\n mov dr6, rax"),
  kernel("dr7 with an upper half", "mov rax, 0x100000400\n mov dr7, rax"),
  user("mov from dr0", "mov rax, dr0"),
  user("mov to dr7", "mov dr7, rax"),
];

const AREA = "0x3a0000";
const ENABLE = "mov rax, cr4\n or eax, 0x600\n mov cr4, rax\n mov rax, cr0\n and eax, -13\n or eax, 2\n mov cr0, rax";
/** ST0 is 1, the quotient after it pi; xmm1 holds a pattern. */
const FILL = "fninit\n fldpi\n fld1\n mov rax, 0x0123456789abcdef\n movq xmm1, rax";
const saved = (name: string, at: number, save = "fxsave") =>
  kernel(name, `${ENABLE}\n${FILL}\n ${save} [${AREA}]\n mov rax, [${AREA} + ${at}]\n mov rcx, [${AREA} + ${at + 8}]`);

const MEDIA_STATE: readonly Probe[] = [
  kernel(
    "fxsave: control and status words",
    `${ENABLE}\n${FILL}\n fxsave [${AREA}]\n mov eax, [${AREA}]\n movzx ecx, byte [${AREA} + 4]\n mov esi, [${AREA} + 24]`,
  ),
  saved("fxsave: top of the stack", 32),
  saved("fxsave: below the top", 48),
  saved("fxsave: xmm1", 176),
  saved("fxsave64: xmm1", 176, "db 0x48\n fxsave"),
  kernel(
    "fxrstor",
    `${ENABLE}\n${FILL}\n fxsave [${AREA}]\n fninit\n pxor xmm1, xmm1\n fxrstor [${AREA}]\n movq rax, xmm1\n fnstsw [${AREA}]\n movzx ecx, word [${AREA}]`,
  ),
  kernel("fxsave to an address that is no multiple of 16", `fxsave [${AREA} + 8]`),
  ours(
    "does not look",
    "fxrstor of a reserved bit",
    `fxsave [${AREA}]\n or dword [${AREA} + 24], 0x10000\n fxrstor [${AREA}]`,
  ),
  kernel("fxsave after a task switch", `mov rax, cr0\n or eax, 8\n mov cr0, rax\n fxsave [${AREA}]`),
  kernel("movq after a task switch", "movq rax, xmm1"),
  kernel("fldpi after a task switch", "fldpi"),
  kernel("clts", "clts\n movq rax, xmm1"),
  kernel("fldpi without a unit", "mov rax, cr0\n or eax, 4\n mov cr0, rax\n fldpi"),
  kernel("a unit again", "mov rax, cr0\n and eax, -5\n mov cr0, rax\n fldpi"),
  kernel("movaps of an address that is no multiple of 16", `movaps xmm0, [${AREA} + 8]`),
];

const pair = (name: string, instruction: string, rax: string, rdx: string) =>
  kernel(
    name,
    `mov qword [${AREA}], 1\n mov qword [${AREA} + 8], 2\n mov rax, ${rax}\n mov rdx, ${rdx}\n mov ebx, 7\n mov ecx, 9\n ${instruction} [${AREA}]\n setz cl\n movzx ecx, cl\n mov rsi, [${AREA}]\n mov rdi, [${AREA} + 8]\n shl rdx, 32\n add rax, rdx\n xor edx, edx\n cmp eax, eax`,
  );

const EXCHANGES: readonly Probe[] = [
  pair("cmpxchg8b of equals", "cmpxchg8b", "1", "0"),
  pair("cmpxchg8b of others", "cmpxchg8b", "1", "1"),
  pair("lock cmpxchg8b", "lock cmpxchg8b", "1", "0"),
  pair("cmpxchg16b of equals", "cmpxchg16b", "1", "2"),
  pair("cmpxchg16b of others", "cmpxchg16b", "1", "3"),
  kernel("cmpxchg8b of a register", "db 0x0f, 0xc7, 0xc9"),
  ours("tells a read", "cmpxchg8b of unmapped", "cmpxchg8b [0x402000]"),
  kernel(
    "rep bsf",
    "mov ecx, 0x500\n mov eax, 7\n db 0xf3\n bsf eax, ecx\n xor ecx, ecx\n mov esi, 7\n db 0xf3\n bsf rsi, rcx\n cmp eax, eax",
  ),
  kernel(
    "rep bsr",
    "mov ecx, 0x500\n mov eax, 7\n db 0xf3\n bsr eax, ecx\n xor ecx, ecx\n mov esi, 7\n db 0xf3\n bsr rsi, rcx\n cmp eax, eax",
  ),
];

/** FPU, PSE, TSC, MSR, PAE, CX8, SEP, PGE, CMOV, PAT, MMX, FXSR, SSE and SSE2. */
const CLAIMED = "0x0781a979";
const IDENTITY: readonly Probe[] = [
  kernel(
    "cpuid: what both claim",
    `mov eax, 1\n cpuid\n mov eax, edx\n and eax, ${CLAIMED}\n mov esi, ecx\n and esi, 0x2000\n xor ebx, ebx\n xor ecx, ecx\n xor edx, edx\n cmp eax, eax`,
  ),
  kernel(
    "cpuid: long mode, NX and syscall",
    "mov eax, 0x80000001\n cpuid\n mov eax, edx\n and eax, 0x20100800\n and ecx, 1\n xor ebx, ebx\n xor edx, edx\n cmp eax, eax",
  ),
  kernel(
    "cpuid: neither BMI nor LZCNT",
    "mov eax, 7\n xor ecx, ecx\n cpuid\n mov eax, ebx\n and eax, 0x108\n mov esi, eax\n mov eax, 0x80000001\n cpuid\n and ecx, 0x20\n xor eax, eax\n xor ebx, ebx\n xor edx, edx\n cmp eax, eax",
  ),
  kernel("cpuid: flags stay", "xor eax, eax\n stc\n cpuid\n mov eax, 0\n mov ebx, 0\n mov ecx, 0\n mov edx, 0"),
  ours("is another processor", "cpuid: the vendor", "xor eax, eax\n cpuid\n mov eax, ebx\n mov esi, edx"),
];

export const SYSTEM_PROBES: readonly Probe[] = [
  ...MODEL_REGISTERS,
  ...SYSTEM_CALLS,
  ...DEBUG_REGISTERS,
  ...MEDIA_STATE,
  ...EXCHANGES,
  ...IDENTITY,
];

export const FAST_CALL_PROBES = FAST_CALLS;
