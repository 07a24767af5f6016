/** Instructions as Intel-syntax text, in the spelling that the assembler (and nasm) reads. */
import type { Instruction, MemoryOperand, Mode, Operand } from "./instruction.ts";
import { defaultSegment, generalRegister, RIP, registerName, SEGMENT_NAMES } from "./registers.ts";

const SIZE_WORDS: Readonly<Record<number, string>> = { 8: "byte", 16: "word", 32: "dword", 64: "qword" };
const SIZE_LETTERS: Readonly<Record<number, string>> = { 8: "b", 16: "w", 32: "d", 64: "q" };
const STRING_MNEMONICS = new Set(["movs", "cmps", "stos", "lods", "scas", "ins", "outs"]);

/** `0x1f`; numbers below ten as they are. */
function hexadecimal(value: bigint): string {
  return value < 10n ? `${value}` : `0x${value.toString(16)}`;
}

function formatMemory(operand: MemoryOperand, mode: Mode, nextAddress: bigint | null): string {
  const terms: string[] = [];
  if (operand.base === RIP && nextAddress === null) terms.push("rip");
  const addressRegister = (number: number) => registerName(generalRegister(number, operand.addressWidth));
  if (operand.base >= 0 && operand.base !== RIP) terms.push(addressRegister(operand.base));
  if (operand.index >= 0) terms.push(addressRegister(operand.index) + (operand.scale > 1 ? `*${operand.scale}` : ""));
  let text = terms.join("+");
  const isOverridden = operand.segment !== defaultSegment(operand.base) && (mode !== 64 || operand.segment > 3);
  if (operand.base === RIP && nextAddress !== null) {
    text = `rel ${hexadecimal(BigInt.asUintN(64, nextAddress + operand.displacement))}`;
  } else if (text === "") {
    text = hexadecimal(BigInt.asUintN(operand.addressWidth, operand.displacement));
    if (operand.addressWidth !== mode) text = `${SIZE_WORDS[operand.addressWidth]} ${text}`;
  } else if (operand.displacement !== 0n) {
    const { displacement } = operand;
    text += displacement < 0n ? `-${hexadecimal(-displacement)}` : `+${hexadecimal(displacement)}`;
  }
  return `[${isOverridden ? `${SEGMENT_NAMES[operand.segment]}:` : ""}${text}]`;
}

function formatOperand(operand: Operand, instruction: Instruction, address: bigint | null, sized: boolean): string {
  switch (operand.kind) {
    case "register":
      return registerName(operand);
    case "memory": {
      const next = address === null ? null : address + BigInt(instruction.length);
      const word = sized ? SIZE_WORDS[operand.width] : undefined;
      return `${word ? `${word} ` : ""}${formatMemory(operand, instruction.mode, next)}`;
    }
    case "immediate":
      return hexadecimal(operand.value);
    case "relative": {
      const distance = BigInt(instruction.length) + operand.displacement;
      if (address === null) return distance < 0n ? `$-${hexadecimal(-distance)}` : `$+${hexadecimal(distance)}`;
      return hexadecimal(BigInt.asUintN(instruction.operandWidth, address + distance));
    }
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
  // The size of memory is said where no register operand says it.
  const register = operands.find((operand) => operand.kind === "register");
  const isImplied =
    register !== undefined && operands.some((operand) => operand.kind === "memory" && operand.width === register.width);
  const sized = !isImplied || /^(sh[lr]d?|sa[rl]|ro[lr]|rc[lr])$/.test(mnemonic);
  const isFarMemory = name !== mnemonic && operands[0]?.kind === "memory";
  const texts = operands.map((operand) => formatOperand(operand, instruction, address, sized));
  if (isFarMemory)
    texts[0] = `far ${instruction.operandWidth === instruction.mode ? "" : `${SIZE_WORDS[instruction.operandWidth]} `}${texts[0]}`;
  return `${prefixes}${name}${texts.length > 0 ? ` ${texts.join(", ")}` : ""}`;
}
