/** Random instructions of every user-mode form, with inputs under which they can run in the harness. */
import { vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import { encodePlan, FORMS, type Operand, type OperandPlan, type Plan, plansOf } from "../../../machine/isa/index.ts";
import type { MediaRegisterOperand, MemoryOperand, Width } from "../../../machine/isa/instruction.ts";
import { generalRegister, highByteRegister, mediaRegister } from "../../../machine/isa/registers.ts";
import { inputsOf, START, type UserMode, type VectorCase, WINDOW } from "./cases.ts";

/** A case without its outcome. */
export type Draft = VectorCase;

type Random = () => number;

const RSP = 4;
/** The stack pointer of instructions that use the stack: the middle of the window. */
const STACK = WINDOW + 64;

/** What a user program cannot do, or does differently on every system; and what only the host has (TZCNT, LZCNT). */
const EXCLUDED = new Set(
  `int int1 int3 into iret iretd iretq hlt cli sti in out ins outs syscall sysret sysenter sysexit cpuid rdtsc rdtscp
  rdpmc rdmsr wrmsr invd wbinvd xgetbv xsetbv clac stac sldt str lldt ltr verr verw sgdt sidt lgdt lidt smsw lmsw invlpg
  lar lsl clts swapgs jmpf callf retf les lds lss lfs lgs tzcnt lzcnt`.split(/\s+/),
);

/** Every form of a mode that an ordinary program may use, at each operand size. */
export function userPlans(mode: UserMode): Plan[] {
  const mnemonics = [...new Set(FORMS.map((form) => form.mnemonic))].filter((name) => !EXCLUDED.has(name));
  const isEncodable = ({ form, operandSizePrefix }: Plan) => !(form.noPrefix && operandSizePrefix);
  const isPlain = (part: OperandPlan) =>
    !(part.kind === "reg" && part.file !== "general") && !(part.kind === "fixed" && part.register.file === "segment");
  // bswap of 16 bits has no defined result.
  const isDefined = (plan: Plan) => !(plan.form.mnemonic === "bswap" && plan.operandWidth === 16);
  // 16-bit jumps lead below 64 KiB, where nothing can be mapped.
  const isNear = ({ form, operandWidth }: Plan) => operandWidth !== 16 || !/^(j|call|ret|loop)/.test(form.mnemonic);
  return mnemonics
    .flatMap((name) => plansOf(name, mode))
    .filter((plan) => isEncodable(plan) && isDefined(plan) && isNear(plan) && plan.operands.every(isPlain));
}

/**
 * `count` cases of a form; memory and register operands take turns where the form has both. `each` cases that follow each
 * other have the same code, and other values.
 */
export function draftsOf(plan: Plan, count: number, next: Random, each = 1): Draft[] {
  const drafts: Draft[] = [];
  let prefersMemory = true;
  for (let tries = 0; drafts.length < count && tries < count * 8; tries++) {
    const draft = new Drafting(plan, next).finish(prefersMemory);
    if (draft === null) continue;
    drafts.push(draft);
    prefersMemory = !prefersMemory;
    const again = dependsOnValues(plan) ? 1 : each;
    for (let n = 1; n < again && drafts.length < count; n++) drafts.push({ ...draft, seed: next() });
    if (plan.operands.length === 0 && vectorMeaningOf(plan.form.mnemonic) === null && drafts.length >= count / 2) break;
  }
  return drafts;
}

/** Whether a case's code or settings were chosen for its values. */
function dependsOnValues({ form, operandWidth }: Plan): boolean {
  return form.mnemonic.startsWith("cmpxchg") || (/^sh[lr]d$/.test(form.mnemonic) && operandWidth === 16);
}

class Drafting {
  readonly overrides = new Map<number, bigint>();
  readonly seed: number;
  /** Offset in the window of the datum in memory. */
  target = -1;

  constructor(
    readonly plan: Plan,
    readonly next: Random,
  ) {
    this.seed = next();
  }

  get mode(): UserMode {
    return this.plan.mode as UserMode;
  }

  /** The case as far as it stands, for a look at its inputs. */
  get inputs() {
    return inputsOf({ mode: this.mode, code: new Uint8Array(0), seed: this.seed, overrides: this.overrides });
  }

  get mnemonic(): string {
    return this.plan.form.mnemonic;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  finish(preferMemory: boolean): Draft | null {
    const operands = this.plan.operands.map((part) => this.operand(part, preferMemory));
    const memory = operands.find((operand) => operand.kind === "memory");
    const repeat = this.plan.form.string ? ([null, "rep", "repne"] as const)[this.below(3)]! : null;
    const lock = this.plan.form.lock && operands[0]?.kind === "memory" && this.below(8) === 0;
    const encoded = encodePlan(this.plan, operands, { mode: this.mode, repeat, lock });
    if (encoded === null) return null;
    if (this.landsInItself(operands, encoded.bytes.length) || this.countsItself(operands)) return null;
    this.prepare(operands);
    if (memory?.kind === "memory" && memory.base === 16) this.rebase(encoded.bytes, encoded.displacementAt);
    if (this.isUndefinedShift(operands)) return null;
    return { mode: this.mode, code: encoded.bytes, seed: this.seed, overrides: this.overrides };
  }

  operand(part: OperandPlan, preferMemory: boolean): Operand {
    switch (part.kind) {
      case "rm":
        if (part.register === null || (part.memory !== null && preferMemory)) return this.memory(part.memory!);
        return this.register(part.register);
      case "mediaRm":
        if (part.memory !== null && preferMemory) return this.memory(part.memory);
        return this.mediaRegister(part.file);
      case "mediaReg":
        return this.mediaRegister(part.file);
      case "reg":
      case "opcode":
        return this.register(part.width);
      case "fixed":
        return part.register;
      case "one":
        return { kind: "immediate", width: 8, value: 1n };
      case "immediate":
        return { kind: "immediate", width: part.width, value: this.immediate(part.width, part.field) };
      case "relative": {
        const reach = part.field === 8 ? 100 : 0x600;
        return { kind: "relative", width: part.field, displacement: BigInt(this.below(reach * 2) - reach) };
      }
      case "string":
        return this.stringPlace(part.register, part.width);
      case "offset":
        return this.absolute(part.width);
      default:
        throw new Error(`no operand of kind ${part.kind} in user mode`);
    }
  }

  register(width: Width): Operand {
    if (width === 8 && this.below(4) === 0) return highByteRegister(this.below(4));
    const count = this.mode === 64 ? 16 : width === 8 ? 4 : 8;
    return generalRegister(this.below(count), width);
  }

  mediaRegister(file: MediaRegisterOperand["file"]): Operand {
    return mediaRegister(file, this.below(file === "xmm" && this.mode === 64 ? 16 : 8));
  }

  immediate(width: Width, field: Width): bigint {
    if (this.mnemonic === "enter") return BigInt(this.below(width === 16 ? 256 : 40));
    const wide = (BigInt(this.next()) << 32n) | BigInt(this.next());
    const few = [0n, 1n, -1n, 0x7fn, -0x80n];
    const value = this.below(3) === 0 ? few[this.below(few.length)]! : wide;
    return BigInt.asUintN(width, BigInt.asIntN(field, value));
  }

  /** An address with random parts that add up to a place in the window. */
  memory(width: number): MemoryOperand {
    this.target = 24 + this.below(64);
    if (vectorMeaningOf(this.mnemonic) !== null && this.below(6) !== 0) this.target &= ~15;
    if (width === 128 && this.below(4) !== 0) this.target &= ~15;
    if (this.mnemonic === "jmp" || this.mnemonic === "call") this.target &= ~7;
    const addressWidth = this.mode === 32 || this.below(6) === 0 ? 32 : 64;
    const shape = { kind: "memory", width, segment: 3, index: -1, scale: 1, addressWidth } as const;
    if (this.below(6) === 0 && addressWidth === 64) return { ...shape, base: 16, displacement: 0n };
    const displacement = this.below(3) === 0 ? 0 : this.below(2) === 0 ? this.below(256) - 128 : this.below(1 << 20);
    const scale = ([1, 2, 4, 8] as const)[this.below(4)]!;
    const registers = this.mode === 64 ? 16 : 8;
    const index = this.below(2) === 0 ? this.below(registers) : -1;
    const base = this.below(registers);
    const operand = { ...shape, base, displacement: BigInt(displacement), scale };
    if (index < 0 || index === RSP || index === base || base === RSP) return this.based(operand, 0);
    const count = this.below(8);
    this.overrides.set(index, BigInt(count));
    return this.based({ ...operand, index }, count * scale);
  }

  /** Sets the base register. The stack pointer keeps its place; the displacement adapts. */
  based(operand: MemoryOperand, scaled: number): MemoryOperand {
    const segment = operand.base === 4 || operand.base === 5 ? 2 : 3;
    const address = BigInt(WINDOW + this.target - scaled);
    if (operand.base === RSP) {
      this.overrides.set(RSP, BigInt(STACK));
      return { ...operand, segment, displacement: address - BigInt(STACK) };
    }
    this.overrides.set(operand.base, address - operand.displacement);
    return { ...operand, segment };
  }

  absolute(width: Width): MemoryOperand {
    this.target = this.below(64);
    const displacement = BigInt(WINDOW + this.target);
    return { kind: "memory", width, segment: 3, base: -1, index: -1, scale: 1, displacement, addressWidth: this.mode };
  }

  stringPlace(register: 6 | 7, width: Width): MemoryOperand {
    this.overrides.set(register, BigInt(WINDOW + 48 + this.below(24)));
    this.overrides.set(1, BigInt(this.below(7)));
    const segment = register === 7 ? 0 : 3;
    return {
      kind: "memory",
      width,
      segment,
      base: register,
      index: -1,
      scale: 1,
      displacement: 0n,
      addressWidth: this.mode,
    };
  }

  /** Writes the displacement that reaches the target from the end of the instruction. */
  rebase(bytes: Uint8Array, at: number): void {
    const displacement = WINDOW + this.target - (START + bytes.length);
    new DataView(bytes.buffer, bytes.byteOffset).setInt32(at, displacement, true);
  }

  /** Values without which the instruction would only fault, or leave the harness. */
  prepare(operands: readonly Operand[]): void {
    if (/^(push|pop|call|ret|leave|enter)/.test(this.mnemonic)) this.prepareStack();
    if (this.mnemonic === "jmp" || this.mnemonic === "call") this.prepareTarget(operands[0]!);
    if (this.mnemonic === "div" || this.mnemonic === "idiv") this.prepareDivision(operands[0]!);
    if (this.mnemonic.startsWith("cmpxchg")) this.prepareExchange(operands);
    if (this.mnemonic === "xlat") {
      this.overrides.set(0, (BigInt(this.next()) << 8n) | BigInt(this.below(64)));
      this.overrides.set(3, BigInt(WINDOW));
    }
    this.prepareMedia();
    const bits = operands[1];
    if (/^bt/.test(this.mnemonic) && operands[0]?.kind === "memory" && bits?.kind === "register")
      this.prepareBits(bits.number);
  }

  /** Settings that can be loaded, and a place for the store whose address goes without saying. */
  prepareMedia(): void {
    const word = (this.target >> 3) + (this.mnemonic.startsWith("fxrstor") ? 3 : 0);
    if (/^(ldmxcsr|fxrstor)/.test(this.mnemonic) && this.below(5) !== 0)
      this.overrides.set(16 + word, BigInt(this.next() & 0xffff));
    if (this.mnemonic.startsWith("maskmov")) this.overrides.set(7, BigInt(WINDOW + this.below(100)));
  }

  prepareStack(): void {
    this.overrides.set(RSP, BigInt(STACK));
    if (this.mnemonic === "leave") this.overrides.set(5, BigInt(STACK + 8 * this.below(4)));
    if (this.mnemonic === "enter") this.overrides.set(5, BigInt(WINDOW + 104));
    if (this.mnemonic === "ret") this.overrides.set(16 + 8, BigInt(START + 16 + this.below(0x700)));
    if (this.mnemonic.startsWith("popf")) this.overrides.set(16 + 8, BigInt(this.next() & 0x200cd5));
  }

  prepareTarget(target: Operand): void {
    const place = BigInt(START + 16 + this.below(0x700));
    if (target.kind === "register") this.overrides.set(target.number, place);
    else if (target.kind === "memory") this.overrides.set(16 + (this.target >> 3), place);
  }

  prepareDivision(divisor: Operand): void {
    if (this.below(6) === 0) return;
    const used = divisor.kind === "register" && divisor.number === 2;
    if (!used && !this.overrides.has(2)) this.overrides.set(2, BigInt(this.below(3)));
    if (divisor.width === 8 && !this.overrides.has(0)) this.overrides.set(0, BigInt(this.below(0x400)));
  }

  /** In half of the cases the accumulator equals what is in memory. */
  prepareExchange(operands: readonly Operand[]): void {
    const wide = operands.length === 1;
    if (this.target < 0 || this.below(2) === 0) return;
    const { memory } = this.inputs;
    const view = new DataView(memory.buffer);
    const width = wide ? operands[0]!.width / 2 : 64;
    const word = (at: number) => (width === 64 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
    if (!this.overrides.has(0)) this.overrides.set(0, word(this.target));
    if (wide && !this.overrides.has(2)) this.overrides.set(2, word(this.target + width / 8));
  }

  /** A jump into its own bytes would run something else. */
  landsInItself(operands: readonly Operand[], length: number): boolean {
    const [target] = operands;
    return target?.kind === "relative" && target.displacement < 0n && target.displacement >= -length;
  }

  /** A bit number that is also part of the address leads out of the window. */
  countsItself(operands: readonly Operand[]): boolean {
    const [place, bits] = operands;
    if (!/^bt/.test(this.mnemonic) || place?.kind !== "memory" || bits?.kind !== "register") return false;
    return bits.number === place.base || bits.number === place.index;
  }

  prepareBits(register: number): void {
    this.overrides.set(register, BigInt.asUintN(64, BigInt(this.below(256) - 160)));
  }

  /** A double shift of 16 bits by more than 16 has no defined result. */
  isUndefinedShift(operands: readonly Operand[]): boolean {
    if (!/^sh[lr]d$/.test(this.mnemonic) || this.plan.operandWidth !== 16) return false;
    const count = operands[2]!;
    if (count.kind === "immediate") return (count.value & 31n) > 16n;
    return (this.inputs.registers[1]! & 31n) > 16n;
  }
}
