/** Instructions as Intel-syntax text, in the spelling that the assembler (and nasm) reads. */
import type { Instruction, MemoryOperand, Operand } from "./instruction.ts";
import { defaultSegment, generalRegister, RIP, registerName, SEGMENT_NAMES } from "./registers.ts";

const SIZE_WORDS: Readonly<Record<number, string>> = {
  8: "byte",
  16: "word",
  32: "dword",
  64: "qword",
  80: "tword",
  128: "oword",
};
const SIZE_LETTERS: Readonly<Record<number, string>> = { 8: "b", 16: "w", 32: "d", 64: "q" };
const STRING_MNEMONICS = new Set(["movs", "cmps", "stos", "lods", "scas", "ins", "outs"]);

/** Far pointers and cache lines, whose size goes without saying. */
const UNSIZED = /^(jmpf|callf|l[defgs]s|clflush|prefetch\w+)$/;
/** Their register operand has another meaning, or another size, than their memory. */
const ALWAYS_SIZED = /^(sh[lr]d?|sa[rl]|ro[lr]|rc[lr]|mov[sz]x|movsxd)$/;

/** Media instructions whose memory is of several sizes: nasm tells them apart by the size alone. */
const AMBIGUOUS_MEDIA = /^cvtsi2s[sd]$/;

/** `0x1f`; numbers below ten as they are. */
function hexadecimal(value: bigint): string {
  return value < 10n ? `${value}` : `0x${value.toString(16)}`;
}

/** `nasm` takes this for a place in the code; without the address of the instruction, it is told by a distance. */
function formatRelative(displacement: bigint, instruction: Instruction, address: bigint | null, width: number): string {
  const distance = displacement + BigInt(instruction.length);
  if (address !== null) return hexadecimal(BigInt.asUintN(width, address + distance));
  return distance < 0n ? `$-${hexadecimal(-distance)}` : `$+${hexadecimal(distance)}`;
}

function formatMemory(operand: MemoryOperand, instruction: Instruction, address: bigint | null): string {
  const { mode } = instruction;
  const { base, index, scale, addressWidth, displacement, segment } = operand;
  const addressRegister = (number: number) => registerName(generalRegister(number, addressWidth));
  const terms: string[] = [];
  if (base >= 0 && base !== RIP) terms.push(addressRegister(base));
  if (index >= 0) terms.push(addressRegister(index) + (scale > 1 ? `*${scale}` : ""));
  let text = terms.join("+");
  if (base === RIP) {
    text = `rel ${formatRelative(displacement, instruction, address, 64)}`;
  } else if (text === "") {
    text = hexadecimal(BigInt.asUintN(addressWidth, displacement));
    const isWhole = BigInt.asIntN(32, displacement) !== displacement;
    if (addressWidth !== mode || isWhole) text = `${SIZE_WORDS[addressWidth]} ${text}`;
  } else if (displacement !== 0n) {
    text += displacement < 0n ? `-${hexadecimal(-displacement)}` : `+${hexadecimal(displacement)}`;
  }
  const isOverridden = segment !== defaultSegment(base) && (mode !== 64 || segment > 3);
  return `[${isOverridden ? `${SEGMENT_NAMES[segment]}:` : ""}${text}]`;
}

function formatOperand(operand: Operand, instruction: Instruction, address: bigint | null, sized: boolean): string {
  switch (operand.kind) {
    case "register":
    case "media":
      return registerName(operand);
    case "memory": {
      const word = sized ? SIZE_WORDS[operand.width] : undefined;
      return `${word ? `${word} ` : ""}${formatMemory(operand, instruction, address)}`;
    }
    case "immediate":
      return hexadecimal(operand.value);
    case "relative":
      return formatRelative(operand.displacement, instruction, address, instruction.operandWidth);
    case "far":
      return `${hexadecimal(BigInt(operand.selector))}:${hexadecimal(operand.offset)}`;
  }
}

function formatPrefixes(instruction: Instruction): string {
  const compares = instruction.mnemonic === "cmps" || instruction.mnemonic === "scas";
  const repeat = instruction.repeat === "rep" ? (compares ? "repe " : "rep ") : instruction.repeat ? "repne " : "";
  return `${instruction.lock ? "lock " : ""}${repeat}`;
}

function formatString(instruction: Instruction): string {
  const source = instruction.operands.find((operand) => operand.kind === "memory" && operand.base === 6);
  const overridden = source?.kind === "memory" && source.segment !== 3 ? `${SEGMENT_NAMES[source.segment]} ` : "";
  const address = instruction.addressWidth === instruction.mode ? "" : `a${instruction.addressWidth} `;
  return `${address}${overridden}${instruction.mnemonic}${SIZE_LETTERS[instruction.operandWidth]}`;
}

/**
 * The instruction in Intel syntax, without its address: `mov dword [rbx+0x10], 1`, `rep movsb`, `lock xadd [rdi], eax`.
 * With the instruction's own `address`, branch targets and rip-relative operands are printed as the addresses they mean.
 */
export function format(instruction: Instruction, address: bigint | null = null): string {
  const { mnemonic, operands } = instruction;
  const prefixes = formatPrefixes(instruction);
  if (STRING_MNEMONICS.has(mnemonic)) return prefixes + formatString(instruction);
  const name = mnemonic === "jmpf" ? "jmp" : mnemonic === "callf" ? "call" : mnemonic;
  const isFarMemory = name !== mnemonic && operands[0]?.kind === "memory";
  const texts = operands.map((operand) => formatOperand(operand, instruction, address, needsSize(instruction)));
  const size = instruction.operandWidth === instruction.mode ? "" : `${SIZE_WORDS[instruction.operandWidth]} `;
  if (isFarMemory) texts[0] = `far ${size}${texts[0]}`;
  else if (mnemonic === "push" && operands[0]?.kind === "immediate") texts[0] = size + texts[0];
  else if (mnemonic === "jmpf" || mnemonic === "callf") texts[0] = size + texts[0];
  return `${prefixes}${name}${texts.length > 0 ? ` ${texts.join(", ")}` : ""}`;
}

/** Whether the size of the memory operand has to be said, because no register operand says it. */
function needsSize({ mnemonic, operands }: Instruction): boolean {
  if (UNSIZED.test(mnemonic)) return false;
  if (ALWAYS_SIZED.test(mnemonic)) return true;
  if (operands.some((operand) => operand.kind === "media")) return AMBIGUOUS_MEDIA.test(mnemonic);
  const register = operands.find((operand) => operand.kind === "register");
  return !operands.some((operand) => operand.kind === "memory" && operand.width === register?.width);
}
