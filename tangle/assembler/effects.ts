/** Which general registers code writes: what asm`…` must declare. */
import { decode } from "#isa/decode.ts";
import type { Instruction, Mode } from "#isa/instruction.ts";
import { generalRegister, registerName } from "#isa/registers.ts";

const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R11] = [0, 1, 2, 3, 4, 5, 6, 7, 11];

/** Their first operand is only read. */
const READERS = new Set(
  (
    "cmp test push jmp call jmpf callf bt out outs mul div idiv int ret retf enter nop lldt ltr lmsw verr verw " +
    "prefetchnta prefetcht0 prefetcht1 prefetcht2 clflush"
  ).split(" "),
);

/** What is written without being named as an operand (SDM vol. 2, each instruction's description). */
const IMPLIED: Readonly<Record<string, readonly number[]>> = {
  cbw: [RAX],
  cwde: [RAX],
  cdqe: [RAX],
  cwd: [RDX],
  cdq: [RDX],
  cqo: [RDX],
  lahf: [RAX],
  xlat: [RAX],
  cpuid: [RAX, RBX, RCX, RDX],
  rdtsc: [RAX, RDX],
  rdtscp: [RAX, RCX, RDX],
  rdpmc: [RAX, RDX],
  rdmsr: [RAX, RDX],
  xgetbv: [RAX, RDX],
  cmpxchg: [RAX],
  cmpxchg8b: [RAX, RDX],
  cmpxchg16b: [RAX, RDX],
  loop: [RCX],
  loope: [RCX],
  loopne: [RCX],
  syscall: [RCX, R11],
  enter: [RBP],
  leave: [RBP],
  movs: [RSI, RDI],
  cmps: [RSI, RDI],
  stos: [RDI],
  lods: [RSI],
  scas: [RDI],
  ins: [RDI],
  outs: [RSI],
};

/** Numbers of the general registers that one instruction writes; the stack pointer is left out. */
export function registersWrittenBy({ mnemonic, operands, operandWidth, repeat }: Instruction): ReadonlySet<number> {
  const written = new Set(IMPLIED[mnemonic] ?? []);
  const isProduct = mnemonic === "mul" || mnemonic === "div" || mnemonic === "idiv" || mnemonic === "imul";
  const isWideProduct = isProduct && operands.length === 1;
  if (isWideProduct) for (const register of operandWidth === 8 ? [RAX] : [RAX, RDX]) written.add(register);
  if (repeat !== null) written.add(RCX);
  const writesBoth = mnemonic === "xchg" || mnemonic === "xadd";
  const readsFirst = READERS.has(mnemonic) || isWideProduct || mnemonic === "scas" || mnemonic === "cmps";
  for (const operand of readsFirst ? [] : operands.slice(0, writesBoth ? 2 : 1)) {
    if (operand.kind === "register" && operand.file === "general") written.add(operand.number);
  }
  written.delete(RSP);
  return written;
}

/** Names of the 64-bit registers that code writes, in the order of their numbers. Functions that it calls are not followed. */
export function registersWritten(code: Uint8Array, mode: Mode): string[] {
  const written = new Set<number>();
  for (let at = 0; at < code.length; ) {
    const instruction = decode(code, at, mode);
    // Data among the code is skipped byte by byte: too many registers are better than too few.
    at += instruction.mnemonic === null ? 1 : instruction.length;
    if (instruction.mnemonic !== null) for (const number of registersWrittenBy(instruction)) written.add(number);
  }
  return [...written].sort((a, b) => a - b).map((number) => registerName(generalRegister(number, 64)));
}
