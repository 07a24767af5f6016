/** Random programs from a seed: mostly ordinary instructions on registers and the sandbox's pages, some that fault. */
import { meaningOf } from "#machine/cpu/instruction-set.ts";
import { encodePlan, FORMS, type Operand, type OperandPlan, type Plan, plansOf } from "../../machine/isa/index.ts";
import type { MemoryOperand, RegisterOperand, Width } from "../../machine/isa/instruction.ts";
import {
  generalRegister,
  highByteRegister,
  mediaRegister,
  segmentRegister,
  systemRegister,
} from "../../machine/isa/registers.ts";
import { randomNumbers } from "../isa/random.ts";
import { neededFlags, undefinedFlags } from "./flag-effects.ts";
import { PAGES } from "./layout.ts";
import type { Program, ProgramItem } from "./program.ts";
import { AVOIDED } from "./qemu-deviations.ts";

/** What no program does by chance: wait, change tables or modes, talk to devices, tell what differs between processors. */
const EXCLUDED = new Set(
  `hlt in out ins outs cpuid rdtsc rdtscp rdpmc rdmsr wrmsr invd wbinvd xgetbv xsetbv lgdt lidt lldt ltr lmsw
  sysret sysenter sysexit iret iretd iretq retf jmpf callf les lds lss lfs lgs clac stac int int1 int3 into bound syscall
  cli sti clts swapgs invlpg jmp call ret loop loope loopne jcxz jecxz jrcxz fxrstor fldenv frstor ldmxcsr fldcw
  fxsave fnsave fnstenv fsave fstenv clflush pause`.split(/\s+/),
);

/** The handlers of the others take an error code from the stack, and INT n puts none there. */
const SOFTWARE_VECTORS = Array.from({ length: 256 }, (_, vector) => vector).filter(
  (vector) => vector !== 8 && vector !== 17 && (vector < 10 || vector > 14),
);

const [RAX, RCX, RDX, RSP, RBP] = [0, 1, 2, 4, 5];
/** Pointers into the sandbox when a program begins; seldom written to. */
const POINTERS = { 64: [3, 5, 6, 7, 12, 13, 14], 32: [3, 5, 6, 7] } as const;
const SCRATCH = { 64: [0, 1, 2, 8, 9, 10, 11, 15], 32: [0, 1, 2] } as const;
/** Counts the rounds of a loop, in whose body it is left alone. */
const COUNTER = { 64: 15, 32: 5 } as const;

interface MnemonicPlans {
  readonly mnemonic: string;
  readonly plans: readonly Plan[];
}
type PlanTable = { readonly ordinary: readonly MnemonicPlans[]; readonly media: readonly MnemonicPlans[] };
const TABLES = new Map<32 | 64, PlanTable>();

function isMedia(plan: Plan): boolean {
  return plan.form.media || /^f/.test(plan.form.mnemonic);
}

function canBeRegister(part: OperandPlan): boolean {
  return part.kind !== "rm" || part.register !== null;
}

function isSegment(part: OperandPlan): boolean {
  return (
    (part.kind === "reg" && part.file === "segment") || (part.kind === "fixed" && part.register.file === "segment")
  );
}

/** The instructions of a mode that have a meaning already, by name. */
function tableOf(mode: 32 | 64): PlanTable {
  const known = TABLES.get(mode);
  if (known !== undefined) return known;
  const names = [...new Set(FORMS.map((form) => form.mnemonic))].filter((name) => !EXCLUDED.has(name));
  // QEMU 7.2 does not know the second encoding of TEST, cuts the base that SGDT stores with an operand-size prefix, and
  // clears the upper half of the register that BSF of zero leaves alone on the processors that we know.
  const isUsable = (plan: Plan) =>
    !(plan.form.mnemonic === "test" && plan.form.extension === 1) &&
    !(/^s[gi]dt$/.test(plan.form.mnemonic) && plan.operandWidth === 16) &&
    !(/^(bs[fr]|[tl]zcnt)$/.test(plan.form.mnemonic) && plan.operandWidth === 32) &&
    !(mode === 32 && plan.operands[0] !== undefined && isSegment(plan.operands[0])) &&
    !(plan.form.noPrefix && plan.operandSizePrefix) &&
    !(plan.form.mnemonic === "bswap" && plan.operandWidth === 16) &&
    !plan.operands.some((part) => "file" in part && (part.file === "control" || part.file === "debug"));
  const all = names
    .filter((mnemonic) => meaningOf(mnemonic) !== null)
    .map((mnemonic) => ({ mnemonic, plans: plansOf(mnemonic, mode).filter(isUsable) }))
    .filter(({ plans }) => plans.length > 0);
  const table = {
    ordinary: all.filter(({ plans }) => !isMedia(plans[0]!)),
    media: all.filter(({ plans }) => isMedia(plans[0]!)),
  };
  TABLES.set(mode, table);
  return table;
}

/** The program of a seed. `media`: with x87, SSE and SYSCALL. */
export function generate(seed: number, media: boolean): Program {
  return new Generator(seed, media).finish();
}

class Generator {
  private readonly next: () => number;
  private readonly mode: 32 | 64;
  private readonly ring: 0 | 3;
  private readonly armed: boolean;
  private readonly demand: boolean;
  private readonly items: ProgramItem[] = [];
  /** Jumps whose target is chosen when the items of their block are known. */
  private readonly open: number[] = [];
  private group = 0;
  /** The loop's counter while its body is made. */
  private counter = -1;
  private blocks = 0;
  private current = 0;
  /** The block of each item. */
  private readonly blockOf: number[] = [];

  constructor(
    seed: number,
    private readonly media: boolean,
  ) {
    this.next = randomNumbers(seed);
    this.mode = this.chance(4) ? 32 : 64;
    this.ring = this.mode === 64 && this.chance(4) ? 0 : 3;
    this.armed = this.ring === 0 && this.chance(3);
    this.demand = this.chance(2);
  }

  finish(): Program {
    const { mode, ring, armed, demand } = this;
    const registers = Array.from({ length: 16 }, (_, number) => this.initial(number));
    const status = this.next() & 0xcd5 & (this.chance(4) ? -1 : ~0x400);
    const flags = 2 | status | (this.chance(40) ? 0x100 : 0) | (ring === 3 ? 0x200 : 0);
    this.block(1 + this.below(16), 0);
    return { mode, ring, armed, demand, registers, flags, items: this.items };
  }

  private below(limit: number): number {
    return this.next() % limit;
  }

  /** True once in so many times. */
  private chance(times: number): boolean {
    return this.below(times) === 0;
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** A register that may be written to. */
  private scratch(): number {
    return this.pick(SCRATCH[this.mode].filter((number) => number !== this.counter));
  }

  /** What a register holds at the beginning. */
  private initial(number: number): bigint {
    if (this.mode === 32 && number > 7) return 0n;
    if (number === RSP) return BigInt(this.place() & ~7);
    if ((POINTERS[this.mode] as readonly number[]).includes(number)) return BigInt(this.place());
    return this.value(this.mode);
  }

  /** A place in the sandbox, often near the border of two pages. */
  private place(): number {
    const border = [0x1000, 0x1000, 0x2000, 0x3000][this.below(4)]!;
    return PAGES + (this.chance(2) ? border + this.below(96) - 48 : 0x80 + this.below(0x2f00));
  }

  private value(width: number): bigint {
    const wide = (BigInt(this.next()) << 32n) | BigInt(this.next());
    const edge = 1n << BigInt(this.pick([7, 8, 15, 16, 31, 32, 63, 64]));
    const choices = [wide, wide, edge, edge - 1n, wide & 0x3fn, -1n - (wide & 3n), wide & 0xffffffffn];
    return BigInt.asUintN(width, this.pick(choices));
  }

  /** So many instructions in a row, into which nothing jumps from outside. */
  private block(count: number, depth: number): void {
    const first = this.open.length;
    const outer = this.current;
    this.current = ++this.blocks;
    const { current } = this;
    for (let index = 0; index < count; index++) this.something(depth);
    this.current = outer;
    // The jumps of this block lead forward, to an item of this block or to its end.
    const end = this.items.length;
    for (const at of this.open.splice(first)) {
      const item = this.items[at]!;
      const targets = this.items
        .slice(at + 1, end)
        .filter(({ group, id }) => group === 0 && this.blockOf[id] === current);
      const target = this.chance(4) || targets.length === 0 ? end : this.pick(targets).id;
      this.items[at] = { ...item, jumpsTo: target };
    }
  }

  private something(depth: number): void {
    if (this.items.length > 24) return;
    const choice = this.below(100);
    if (choice < 3 && depth === 0) this.loop();
    else if (choice < 9) this.jump();
    else if (choice < 11 && depth === 0) this.call();
    else if (choice < 13) this.patch();
    else if (choice < 15) this.trap();
    else if (choice < 19 && this.ring === 0) this.privileged();
    else if (choice < 21) this.loadSegment();
    else if (choice < 50 && this.media && tableOf(this.mode).media.length > 0)
      this.ordinary(this.pick(tableOf(this.mode).media));
    else this.ordinary(this.pick(tableOf(this.mode).ordinary));
  }

  /** Adds an item. What needs a defined flag gets a comparison before it. */
  private add(
    plan: Plan,
    operands: readonly Operand[],
    extra: Partial<Pick<ProgramItem, "lock" | "repeat" | "segmentOverride" | "jumpsTo" | "points">> = {},
  ): boolean {
    const { lock = false, repeat = null, segmentOverride = null } = extra;
    if (encodePlan(plan, operands, { mode: this.mode, lock, repeat, segmentOverride }) === null) return false;
    if ((neededFlags(plan.form.mnemonic) & this.undefinedNow()) !== 0) {
      const register = generalRegister(this.scratch(), 32);
      this.named("cmp", [register, generalRegister(RAX, 32)]);
    }
    const id = this.items.length;
    const item = { plan, operands, lock, repeat, segmentOverride, group: this.group, jumpsTo: null, points: null, id };
    this.items.push({ ...item, ...extra });
    this.blockOf.push(this.current);
    return true;
  }

  private undefinedNow(): number {
    return undefinedFlags(this.items).at(-1)!;
  }

  /** Adds the instruction whose operands are known. */
  private named(mnemonic: string, operands: readonly Operand[], extra: Parameters<Generator["add"]>[2] = {}): void {
    const plan = plansOf(mnemonic, this.mode).find((candidate) => fits(candidate, operands));
    if (plan === undefined) throw new Error(`no form of ${mnemonic} takes these operands`);
    this.add(plan, operands, extra);
  }

  private immediateOf(width: Width, value: bigint | number): Operand {
    return { kind: "immediate", width, value: BigInt.asUintN(width, BigInt(value)) };
  }

  private loop(): void {
    const counter = COUNTER[this.mode];
    const register = generalRegister(counter, 32);
    const group = this.items.length + 1;
    this.inGroup(group, () => {
      this.named("mov", [register, this.immediateOf(32, 1 + this.below(this.chance(4) ? 200 : 5))]);
    });
    const start = this.items.length;
    this.counter = counter;
    this.block(1 + this.below(6), 1);
    this.counter = -1;
    this.inGroup(group, () => {
      // The way back needs defined flags, and nothing may come between counting and jumping.
      if (this.undefinedNow() !== 0) this.named("cmp", [register, register]);
      this.named("dec", [register]);
      this.named("jne", [{ kind: "relative", width: 8, displacement: 0n }], { jumpsTo: start });
    });
  }

  /** No jump leads between these, and none is left out alone. */
  private together(body: () => void): void {
    this.inGroup(this.items.length + 1, body);
  }

  /** What `body` adds belongs together, and no jump leads there but its own. */
  private inGroup(group: number, body: () => void): void {
    this.group = group;
    body();
    this.group = 0;
  }

  private jump(): void {
    const plans = tableOf(this.mode).ordinary.filter(({ mnemonic }) => /^j/.test(mnemonic));
    const rare = this.chance(20);
    const wanted = this.chance(4) ? plansOf("jmp", this.mode) : this.pick(plans).plans;
    const plan = this.pick(
      // With an operand size of 16 bits a jump leads to the first 64 KiB, where nothing is.
      wanted.filter(({ operands, operandWidth }) => operands[0]?.kind === "relative" && (operandWidth !== 16 || rare)),
    );
    const [part] = plan.operands;
    if (part?.kind !== "relative") return;
    if (this.add(plan, [{ kind: "relative", width: part.field, displacement: 0n }], { jumpsTo: 0 })) {
      this.open.push(this.items.length - 1);
    }
  }

  /** A call over a jump over the function: `call f; jmp on; f: …; ret; on:`. */
  private call(): void {
    const relative = { kind: "relative", width: 32, displacement: 0n } as const;
    const group = this.items.length + 1;
    const leads = (at: number) => {
      this.items[at] = { ...this.items[at]!, jumpsTo: this.items.length };
    };
    let [call, over] = [0, 0];
    this.inGroup(group, () => {
      this.named("call", [relative], { jumpsTo: 0 });
      call = this.items.length - 1;
      this.named("jmp", [relative], { jumpsTo: 0 });
      over = this.items.length - 1;
    });
    leads(call);
    this.block(1 + this.below(4), 1);
    this.inGroup(group, () => this.named("ret", this.chance(4) ? [this.immediateOf(16, 8 * this.below(3))] : []));
    leads(over);
  }

  /** Writes into the immediate of another instruction. */
  private patch(): void {
    const targets = this.items.filter(
      ({ operands, group, plan }) =>
        group === 0 &&
        operands.some(({ kind }) => kind === "immediate") &&
        !/^(ret|enter|int|mov$|ro|rc|sh|sar|bt)/.test(plan.form.mnemonic),
    );
    if (targets.length === 0 && this.items.length === 0) return;
    const register = generalRegister(this.scratch(), 32);
    const memory = this.pointed(8);
    const later = this.items.length + 1;
    const item = targets.length > 0 && this.chance(2) ? this.pick(targets).id : later;
    this.named("mov", [memory, this.immediateOf(8, this.next())], { points: { item } });
    if (item === later) this.named("add", [register, this.immediateOf(32, this.next())]);
  }

  /** A memory operand at an address that is filled in later. */
  private pointed(width: number): MemoryOperand {
    const base = this.mode === 64 ? 16 : -1;
    // Wide enough that the encoder does not choose a shorter displacement.
    const displacement = 0x10000000n;
    return { kind: "memory", width, segment: 3, base, index: -1, scale: 1, displacement, addressWidth: this.mode };
  }

  private trap(): void {
    if (!this.chance(6)) this.named("int", [this.immediateOf(8, 0x80)]);
    else if (this.chance(2)) this.named("int", [this.immediateOf(8, this.pick(SOFTWARE_VECTORS))]);
    else if (this.media && this.mode === 64 && this.ring === 3) this.named("syscall", []);
    else this.named(this.pick(["int3", "ud2"]), []);
  }

  /** What only ring 0 may do. */
  private privileged(): void {
    const register = generalRegister(this.scratch(), 64);
    const control = (number: number) => systemRegister("control", number, 64);
    const choices: (() => void)[] = [
      () => this.named("sti", []),
      () => this.named("sti", []),
      () => this.named("cli", []),
      () => this.named("clts", []),
      () => this.named("swapgs", []),
      () => this.named("invlpg", [{ ...this.memory(0), width: 0 }]),
      () => this.named("mov", [register, control(this.pick([0, 2, 3, 4, 8]))]),
      () => this.named("mov", [control(2), register]),
      () =>
        this.together(() => {
          this.named("mov", [register, control(3)]);
          this.named("mov", [control(3), register]);
        }),
      () =>
        this.together(() => {
          this.named("mov", [register, control(0)]);
          this.named("btc", [register, this.immediateOf(8, 16)]);
          this.named("mov", [control(0), register]);
        }),
    ];
    this.pick(choices)();
  }

  /** A segment register, mostly with a selector that exists. */
  private loadSegment(): void {
    const register = generalRegister(this.scratch(), 32);
    // QEMU checks neither type nor limit of segments: 32-bit code gets those where that makes no difference.
    const usable = [0x23, 0x10, 0x38, 0x48, 0x7c, 0x100 + this.below(0xff00)];
    const selector =
      this.mode === 32
        ? this.pick(usable)
        : this.pick([0, 3, 0x10, 0x13, 0x1b, 0x23, 0x23, 0x2b, 0x08, 0x38, 0x48, 0x7c, this.below(0x10000)]);
    this.named("mov", [register, this.immediateOf(32, selector)]);
    // QEMU keeps a null selector other than 0 in FS and GS when an interrupt returns.
    const segment = this.pick(selector === 3 ? [0, 3] : [0, 3, 4, 5]);
    this.named("mov", [segmentRegister(segment), generalRegister(register.number, 16)]);
  }

  private ordinary({ mnemonic, plans }: MnemonicPlans): void {
    const plan = this.pick(plans);
    if (plan.operands.some((part) => part.kind === "relative")) {
      this.jump();
      return;
    }
    if (/^(sh[lr]d)$/.test(mnemonic) && plan.operandWidth === 16) return;
    if (this.counter === RBP && /^(enter|leave|popa|popad)$/.test(mnemonic)) return;
    let points: ProgramItem["points"] = null;
    // Their pages are asked for in another order than in QEMU.
    if (this.demand && /^(cmps|popad?|pushad?)$/.test(mnemonic)) return;
    // In QEMU an instruction that reads flags loses them when its memory operand faults and comes again.
    const losesFlags = this.demand && (neededFlags(mnemonic) !== 0 || mnemonic.startsWith("cmpxchg"));
    const preferMemory = !losesFlags && this.chance(2);
    if (losesFlags && !plan.operands.every(canBeRegister)) return;
    const operands = plan.operands.map((part) => {
      const operand = this.operand(plan, part, preferMemory);
      if (operand.kind === "memory" && operand.base === 16) points = { at: this.place() };
      return operand;
    });
    if (AVOIDED.some(({ matches }) => matches(plan, operands))) return;
    this.prepare(mnemonic, plan, operands);
    const memory = operands[0]?.kind === "memory";
    const lock = plan.form.lock && memory && this.chance(8);
    const isString = plan.form.string;
    const repeat = isString && this.chance(2) ? this.pick(["rep", "rep", "repne"] as const) : null;
    const segmentOverride = isString && this.mode === 64 && this.chance(8) ? 4 + this.below(2) : null;
    this.add(plan, operands, { lock, repeat, segmentOverride, points });
  }

  /** Values without which most such instructions only fault. */
  private prepare(mnemonic: string, plan: Plan, operands: readonly Operand[]): void {
    const [first, second] = operands;
    if (plan.form.string && !this.chance(8))
      this.named("mov", [generalRegister(RCX, 32), this.immediateOf(32, this.below(24))]);
    if (/^i?div$/.test(mnemonic) && !this.chance(5))
      this.named("mov", [generalRegister(RDX, 32), this.immediateOf(32, this.below(2))]);
    if (/^bt/.test(mnemonic) && first?.kind === "memory" && second?.kind === "register") {
      const bits = generalRegister(second.number, this.mode);
      if (second.number !== this.counter && !this.chance(5))
        this.named("and", [bits, this.immediateOf(this.mode, 0x7f)]);
    }
    for (const operand of operands) {
      if (operand.kind !== "memory" || operand.index < 0 || this.chance(6) || operand.index === this.counter) continue;
      this.named("and", [generalRegister(operand.index, this.mode), this.immediateOf(this.mode, 0x3f)]);
    }
  }

  private operand(plan: Plan, part: OperandPlan, preferMemory: boolean): Operand {
    switch (part.kind) {
      case "rm":
        if (part.register === null || (part.memory !== null && preferMemory)) return this.memory(part.memory!);
        return this.register(part.register);
      case "reg":
        if (part.file === "segment") return segmentRegister(this.pick([0, 1, 2, 3, 4, 5]));
        return this.register(part.width);
      case "opcode":
        return this.register(part.width);
      case "mediaReg":
        return mediaRegister(part.file, this.below(part.file === "xmm" && this.mode === 64 ? 16 : 8));
      case "mediaRm":
        if (part.memory !== null && preferMemory) return this.memory(part.memory);
        return mediaRegister(part.file, this.below(part.file === "xmm" && this.mode === 64 ? 16 : 8));
      case "fixed":
        return part.register;
      case "one":
        return this.immediateOf(8, 1);
      case "immediate": {
        const field = BigInt.asIntN(part.field, this.value(64));
        const isLevel = plan.form.mnemonic === "enter";
        return this.immediateOf(part.width, isLevel ? this.below(part.width === 16 ? 128 : 34) : field);
      }
      case "string":
        return this.string(part);
      case "offset": {
        const place = BigInt(this.place());
        return { ...this.pointed(part.width), base: -1, displacement: place };
      }
      default:
        throw new Error(`a program has no operand of kind ${part.kind}`);
    }
  }

  private register(width: Width): RegisterOperand {
    const { mode, counter } = this;
    if (width === 8 && this.chance(4)) return highByteRegister(this.below(4));
    for (;;) {
      const pool = this.chance(12) ? [...POINTERS[mode], RSP] : SCRATCH[mode];
      const number = this.pick(pool);
      if (number === counter || (mode === 32 && width === 8 && number > 3)) continue;
      return generalRegister(number, width);
    }
  }

  private memory(width: number): MemoryOperand {
    const { mode } = this;
    const addressWidth = mode === 64 && this.chance(12) ? 32 : mode;
    if (this.chance(10)) {
      if (mode === 64 && addressWidth === 64) return { ...this.pointed(width), width };
      return { ...this.pointed(width), width, addressWidth, displacement: BigInt(this.place()) };
    }
    const base = this.chance(16)
      ? this.pick(SCRATCH[mode])
      : this.pick([...POINTERS[mode], ...(this.chance(3) ? [RSP] : [])]);
    const index = this.chance(6) ? this.pick(SCRATCH[mode].filter((number) => number !== this.counter)) : -1;
    const reach = this.pick([0, 16, 16, 128, 0x800]);
    const displacement = BigInt(reach === 0 ? 0 : this.below(2 * reach) - reach);
    const scale = index < 0 ? 1 : this.pick([1, 2, 4, 8] as const);
    const natural = base === RSP || base === RBP ? 2 : 3;
    const segment = mode === 64 && this.chance(16) ? 4 + this.below(2) : natural;
    // FS and GS have bases in the sandbox; what is added must be small.
    if (segment > 3) {
      const far = { kind: "memory", width, segment, base: -1, index: -1, scale: 1, addressWidth } as const;
      return { ...far, displacement: BigInt(this.below(0x100)) };
    }
    return { kind: "memory", width, segment, base, index, scale, displacement, addressWidth };
  }

  private string({ register, width }: Extract<OperandPlan, { kind: "string" }>): MemoryOperand {
    const segment = register === 7 ? 0 : 3;
    const shape = { kind: "memory", width, segment, base: register, index: -1, scale: 1, displacement: 0n } as const;
    return { ...shape, addressWidth: this.mode };
  }
}

/** Whether a form takes exactly these registers, immediates and places. */
function fits(plan: Plan, operands: readonly Operand[]): boolean {
  if (plan.operands.length !== operands.length) return false;
  return plan.operands.every((part, index) => {
    const operand = operands[index]!;
    if (operand.kind === "immediate") return part.kind === "immediate" && part.width === operand.width;
    if (operand.kind === "relative") return part.kind === "relative" && part.field === operand.width;
    if (operand.kind === "memory") return part.kind === "rm" && part.memory === operand.width;
    if (operand.kind !== "register") return false;
    if (operand.file !== "general") return part.kind === "reg" && part.file === operand.file;
    if (part.kind === "rm") return part.register === operand.width;
    return (
      (part.kind === "reg" || part.kind === "opcode") &&
      (part.kind === "opcode" || part.file === "general") &&
      part.width === operand.width
    );
  });
}
