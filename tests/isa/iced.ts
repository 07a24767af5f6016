/** The independent decoder iced-x86, and both its instructions and ours brought to one comparable shape. */
import iced from "iced-x86";
import {
  type Instruction,
  type Mode,
  type Operand,
  registerName,
  registerNamed,
  SEGMENT_NAMES,
} from "../../machine/isa/index.ts";

const { Decoder, MemorySize, Mnemonic, OpKind, Register } = iced;
/** Where the decoded instruction is taken to stand; far from wrap-around in 16-bit mode. */
const ADDRESS = 0x4000n;

/** What both decoders must agree on. `text` holds mnemonic, prefixes, sizes and operands. */
export interface Reading {
  readonly length: number;
  readonly text: string;
}

const STRING_NAMES = /^(movs|cmps|stos|lods|scas|ins|outs)([bwdq])$/;
const RENAMED: Readonly<Record<string, string>> = {
  xlatb: "xlat",
  sal: "shl",
  sysretq: "sysret",
  sysexitq: "sysexit",
  // A processor without wbnoinvd ignores the prefix that makes it of wbinvd.
  wbnoinvd: "wbinvd",
};
/** Instructions that use 16 bits of a register whatever its size: iced names it by the operand size, we by what is used. */
const WORD_REGISTER = /^(verr|verw|lldt|ltr|lmsw|arpl)$/;

const MEMORY_WIDTHS: Readonly<Record<string, number>> = {
  UInt8: 8,
  UInt16: 16,
  UInt32: 32,
  UInt64: 64,
  UInt128: 128,
  Float32: 32,
  Float64: 64,
  Float80: 80,
  Bcd: 80,
  SegPtr16: 32,
  SegPtr32: 48,
  SegPtr64: 80,
};

function memoryWidth(size: number): number {
  const packed = /^Packed(\d+)_/.exec(MemorySize[size]!);
  if (packed) return Number(packed[1]);
  const name = MemorySize[size]!.replace(/^Int/, "UInt").replace(/^(Word|Dword|Qword)Offset$/, (_, word) => {
    return { Word: "UInt16", Dword: "UInt32", Qword: "UInt64" }[word as string]!;
  });
  return MEMORY_WIDTHS[name] ?? 0;
}

/** In 64-bit mode es, cs, ss and ds do not matter: iced names the override, we the segment in effect. */
function segmentText(name: string, mode: Mode): string {
  return mode === 64 && /^[ecsd]s$/.test(name) ? "flat" : name;
}

function readingText(prefixes: string, mnemonic: string, operands: string[], mode: Mode): string {
  if (mnemonic === "xchg") operands.sort(); // both orders are the same instruction
  if (WORD_REGISTER.test(mnemonic) || (mnemonic === "mov" && /^[c-gs]s$/.test(operands[0]!))) {
    for (const [index, operand] of operands.entries()) {
      const register = registerNamed(operand, mode);
      if (register?.file === "general") operands[index] = registerName({ ...register, width: 16 });
    }
  }
  return `${prefixes}${mnemonic} ${operands.join(", ")}`;
}

/** Whether an operand is an XMM register: `movsd` and `cmpsd` are then no string instructions. */
function isMedia(instruction: InstanceType<typeof iced.Instruction>, index: number): boolean {
  return instruction.opKind(index) === OpKind.Register && /^xmm/i.test(Register[instruction.opRegister(index)]!);
}

const icedRegister = (register: number) => (register === Register.None ? "-" : Register[register]!.toLowerCase());

function icedName(register: number): string {
  return icedRegister(register)
    .replace(/^(r\d+)l$/, "$1b")
    .replace(/^(e|r)ip$/, "rip");
}

function icedOperand(instruction: InstanceType<typeof iced.Instruction>, index: number, mode: Mode): string {
  const kind = instruction.opKind(index);
  const name = OpKind[kind]!;
  if (kind === OpKind.Register) return icedName(instruction.opRegister(index));
  if (name.startsWith("NearBranch")) return `to ${(instruction.nearBranchTarget).toString(16)}`;
  if (kind === OpKind.FarBranch16) return `${instruction.farBranchSelector}:${instruction.farBranch16}`;
  if (kind === OpKind.FarBranch32) return `${instruction.farBranchSelector}:${instruction.farBranch32}`;
  if (name.startsWith("Immediate")) {
    const width = Number(/(\d+)(?:_2nd)?$/.exec(name)![1]);
    return `#${BigInt.asUintN(width, instruction.immediate(index)).toString(16)}`;
  }
  const width = memoryWidth(instruction.memorySize);
  if (kind !== OpKind.Memory) {
    const register = /([ER]?[SD]I)$/.exec(name)![1]!.toLowerCase();
    const segment = name.startsWith("MemoryES") ? "es" : icedName(instruction.memorySegment);
    return `${segmentText(segment, mode)}:[${register}+-*1+0]${width}`;
  }
  const base = icedName(instruction.memoryBase);
  const addressWidth = addressWidthOf(instruction, mode);
  let displacement = BigInt.asUintN(addressWidth, instruction.memoryDisplacementU64);
  // iced gives the target of a rip-relative operand.
  if (base === "rip") displacement = BigInt.asUintN(addressWidth, displacement - ADDRESS - BigInt(instruction.length));
  const indexName = icedName(instruction.memoryIndex);
  const scale = indexName === "-" ? 1 : instruction.memoryIndexScale;
  const segment = segmentText(icedName(instruction.memorySegment), mode);
  return `${segment}:[${base}+${indexName}*${scale}+${displacement.toString(16)}]${width}`;
}

function addressWidthOf(instruction: InstanceType<typeof iced.Instruction>, mode: Mode): number {
  for (const register of [instruction.memoryBase, instruction.memoryIndex]) {
    const name = icedRegister(register);
    if (name === "-") continue;
    if (/^(e..|r\d+d)$/.test(name)) return 32;
    return /^r/.test(name) ? 64 : 16;
  }
  return { 2: 16, 4: 32, 8: 64 }[instruction.memoryDisplSize] ?? mode;
}

function ourOperand(operand: Operand, instruction: Instruction): string {
  switch (operand.kind) {
    case "register":
    case "media":
      return registerName(operand);
    case "immediate":
      return `#${operand.value.toString(16)}`;
    case "relative": {
      const target = ADDRESS + BigInt(instruction.length) + operand.displacement;
      return `to ${BigInt.asUintN(instruction.operandWidth, target).toString(16)}`;
    }
    case "far":
      return `${operand.selector}:${operand.offset}`;
    case "memory": {
      const register = (number: number) =>
        number < 0
          ? "-"
          : number === 16
            ? "rip"
            : registerName({ kind: "register", file: "general", number, width: operand.addressWidth, high: false });
      const displacement = BigInt.asUintN(operand.addressWidth, operand.displacement).toString(16);
      const address = `${register(operand.base)}+${register(operand.index)}*${operand.scale}+${displacement}`;
      return `${segmentText(SEGMENT_NAMES[operand.segment]!, instruction.mode)}:[${address}]${operand.width}`;
    }
  }
}

/** iced's reading of the bytes, or null where it calls them invalid. */
export function readWithIced(bytes: Uint8Array, mode: Mode): Reading | null {
  const decoder = new Decoder(mode, bytes, 0);
  decoder.ip = ADDRESS;
  const instruction = decoder.decode();
  try {
    if (instruction.isInvalid) return null;
    let mnemonic = Mnemonic[instruction.mnemonic]!.toLowerCase();
    let repeat = "";
    const isString = instruction.opCount === 0 || instruction.opKind(0) !== OpKind.Register || !isMedia(instruction, 0);
    if (STRING_NAMES.test(mnemonic) && isString && !(instruction.opCount > 1 && isMedia(instruction, 1))) {
      repeat = instruction.hasRepnePrefix ? "repne " : instruction.hasRepPrefix ? "rep " : "";
      mnemonic = mnemonic.slice(0, -1);
    }
    if (instruction.isJmpFar || instruction.isJmpFarIndirect) mnemonic = "jmpf";
    if (instruction.isCallFar || instruction.isCallFarIndirect) mnemonic = "callf";
    mnemonic = RENAMED[mnemonic] ?? mnemonic;
    const operands = Array.from({ length: instruction.opCount }, (_, index) => icedOperand(instruction, index, mode));
    if (mnemonic === "xlat") operands.length = 0;
    // Its address is always [rDI]; ours has only the registers.
    if (mnemonic.startsWith("maskmov")) operands.shift();
    const lock = instruction.hasLockPrefix ? "lock " : "";
    return { length: instruction.length, text: readingText(lock + repeat, mnemonic, operands, mode) };
  } finally {
    instruction.free();
    decoder.free();
  }
}

/** Our own instruction in the shape that iced's is brought to. */
export function describe(instruction: Instruction): Reading {
  const prefixes = `${instruction.lock ? "lock " : ""}${instruction.repeat === null ? "" : `${instruction.repeat} `}`;
  const operands = instruction.operands.map((operand) => ourOperand(operand, instruction));
  return { length: instruction.length, text: readingText(prefixes, instruction.mnemonic, operands, instruction.mode) };
}
