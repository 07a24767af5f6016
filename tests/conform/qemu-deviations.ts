/**
 * What QEMU 7.2 does otherwise than Intel's manual, by name: no difference of ours. Each entry says what QEMU does, where
 * the manual stands, and explains only the part of the state that it touches. `RULES` judge differences; what would
 * spoil all that follows in a program is never generated (`AVOIDED`).
 */
import { isCanonical } from "#machine/memory/canonical.ts";
import type { Instruction, Operand, Plan } from "../../machine/isa/index.ts";
import { neededFlags, STATUS } from "./flag-effects.ts";
import { PAGE, PAGES } from "./layout.ts";
import type { Program } from "./program.ts";
import type { Difference, Result } from "./results.ts";

/** A program that ended differently, and where. */
export interface Ending {
  readonly program: Program;
  /** In QEMU. */
  readonly expected: Result;
  /** In ours. */
  readonly found: Result;
  /** The instruction at which QEMU ended the program; null where that is none of the program's. */
  readonly instruction: Instruction | null;
  /** The same in ours. */
  readonly foundInstruction: Instruction | null;
  /** The byte before that. */
  readonly beforeFound: number | undefined;
  readonly differences: readonly Difference[];
}

export interface Rule {
  readonly name: string;
  /** Whether the rule accounts for this difference. */
  readonly explains: (difference: Difference, ending: Ending) => boolean;
}

const ACCESSED_MARKS = 0x2020202020n;
const DIRTY = 0x40n;
/** Bits of RFLAGS that are always clear (SDM vol. 1, figure 3-8). */
export const RESERVED_FLAGS = 0xffff_ffff_ffc0_8028n;
const STI = 0xfb;
/** Selectors, without their privilege, of null and of the harness's code segments. */
const FORBIDDING = new Set([0x00, 0x08, 0x18, 0x28, 0x30]);
const [DEBUG, STACK, PROTECTION, PAGE_FAULT] = [1, 12, 13, 14];

const isMemoryFault = ({ vector }: Result) => vector >= STACK && vector <= PAGE_FAULT;
const mnemonicOf = ({ instruction }: Ending) => instruction?.mnemonic ?? "";
const isPart = (...names: readonly string[]) => {
  const set = new Set(names);
  return ({ part }: Difference) => set.has(part);
};

/** The dirty bit of the page before the one at whose first byte a page fault struck. */
function dirtyBefore({ cr2 }: Result): bigint {
  const page = (Number(cr2) - PAGES) / PAGE;
  return Number.isInteger(page) && page >= 1 && page <= 5 ? DIRTY << BigInt(8 * (5 - page)) : 0n;
}

/** Whether CMPXCHG8B or CMPXCHG16B is in it. */
export function exchangesPairs({ items }: Program): boolean {
  return items.some(({ plan }) => /^cmpxchg(8|16)b$/.test(plan.form.mnemonic));
}

/** The selector of ES, DS, FS or GS where a program ended. */
function selectorOf({ segments }: Result, number: number): number {
  const place = [2, -1, -1, 3, 1, 0][number]!;
  return place < 0 ? Number.NaN : Number((segments >> BigInt(16 * place)) & 0xffffn);
}

export const RULES: readonly Rule[] = [
  {
    // SDM vol. 2, RET and IRET: #GP(0) at the return. QEMU goes there and faults then, or traps there first.
    name: "return to an address that is not canonical faults at the target",
    explains: ({ part, found, expected }, { expected: { vector }, differences }) => {
      const target = differences.find((one) => one.part === "rip")?.expected;
      if ((vector !== PROTECTION && vector !== DEBUG) || target === undefined || isCanonical(target)) return false;
      return part === "rip" || part === "rsp" || (part === "vector" && expected === 1n && found === 13n);
    },
  },
  {
    // SDM vol. 2, STI: after the next instruction. QEMU looks when a block of translated code ends.
    name: "an interrupt that waits for STI comes at the end of a block",
    explains: ({ part }, { program }) => program.armed && part === "log",
  },
  {
    // SDM vol. 3A, section 6.8.3: MOV to SS and POP SS hold a single step back, STI only interrupts.
    name: "no single step after sti",
    explains: (_, { found, beforeFound }) => found.vector === DEBUG && beforeFound === STI,
  },
  {
    // SDM vol. 2, POPA and PUSHA: nothing is changed where it faults (vol. 3A, section 6.5). QEMU keeps what it did.
    name: "popa and pusha fault half done",
    explains: (difference, ending) =>
      isMemoryFault(ending.expected) &&
      /^(popa|pusha)d?$/.test(mnemonicOf(ending)) &&
      !isPart("cs", "ss", "segments", "log", "fxsave", "rip")(difference),
  },
  {
    // Which of its two operands CMPS reads first, the manual does not say; we read (E)SI's, QEMU (E)DI's.
    name: "cmps reads its second operand first",
    explains: (difference, ending) =>
      isMemoryFault(ending.expected) &&
      mnemonicOf(ending) === "cmps" &&
      isPart("vector", "error", "cr2", "marks")(difference),
  },
  {
    // SDM vol. 3A, section 5.3: an access beyond the limit faults. QEMU checks no limits: it goes on at address 0.
    name: "an access over the end of a 32-bit segment wraps",
    explains: (difference, { program, expected }) =>
      program.mode === 32 &&
      expected.vector === PAGE_FAULT &&
      expected.cr2 > 0xffffff00n &&
      isPart("vector", "cr2", "error")(difference),
  },
  {
    // SDM vol. 3A, sections 5.4.1 and 5.5: #GP(0) through a null selector, and for a write through code. QEMU goes on.
    name: "32-bit code reaches memory through a segment that forbids it",
    explains: (_, { program, found, foundInstruction }) =>
      program.mode === 32 &&
      found.vector === PROTECTION &&
      found.error === 0n &&
      foundInstruction?.operands.some(
        (operand) => operand.kind === "memory" && FORBIDDING.has(selectorOf(found, operand.segment) & ~3),
      ) === true,
  },
  {
    // SDM vol. 2, IRET: on the way to less privilege a segment with more of it becomes null, and a null selector 0.
    name: "a null selector other than 0 stays in fs or gs when an interrupt returns",
    explains: ({ part, expected, found }) =>
      part === "segments" &&
      [0n, 16n].every((place) => {
        const [kept, ours] = [(expected >> place) & 0xffffn, (found >> place) & 0xffffn];
        return kept === ours || (kept < 4n && ours === 0n);
      }) &&
      expected >> 32n === found >> 32n,
  },
  {
    // SDM vol. 3A, section 4.7: W/R tells the access that caused the fault, a write (so says the host's processor too).
    name: "a read-modify-write that page-faults is told as a read",
    explains: ({ part, expected, found }, ending) =>
      part === "error" && ending.expected.vector === PAGE_FAULT && expected === (found & ~2n),
  },
  {
    // The same, where the first of two pages can be read: there the write faults, and QEMU's read in the second.
    name: "a read-modify-write across two pages faults as a read of the second",
    explains: ({ part, expected, found }, ending) =>
      ending.expected.error === (ending.found.error & ~2n) &&
      ((part === "cr2" && expected === (found | 0xfffn) + 1n) ||
        (part === "marks" && ending.expected.cr2 > ending.found.cr2 && ((expected ^ found) & ~ACCESSED_MARKS) === 0n)),
  },
  {
    // SDM vol. 3A, section 6.5: a fault leaves the flags as they were. QEMU takes what it computed them from for them.
    name: "an instruction that reads flags loses them when its operand faults",
    explains: ({ part, expected, found }, ending) =>
      part === "flags" &&
      isMemoryFault(ending.expected) &&
      (neededFlags(mnemonicOf(ending)) !== 0 || mnemonicOf(ending).startsWith("cmpxchg")) &&
      (found & ~expected & ~BigInt(STATUS)) === 0n,
  },
  {
    // SDM vol. 2, CMPXCHG8B: only ZF changes. QEMU adds what it computed flags from last, reserved bits and all.
    name: "cmpxchg8b and cmpxchg16b set other flags",
    explains: ({ part, expected, found }, { program }) =>
      part === "flags" && exchangesPairs(program) && (found & ~expected & ~BigInt(STATUS)) === 0n,
  },
  {
    // SDM vol. 3A, section 4.8 allows it: accessed bits may be set for accesses that come to nothing.
    name: "an access across two pages marks the second as accessed before the first faults",
    explains: ({ part, expected, found }, ending) =>
      part === "marks" && isMemoryFault(ending.expected) && ((expected ^ found) & ~ACCESSED_MARKS) === 0n,
  },
  {
    // SDM vol. 3A, section 4.8: the dirty bit tells of a write, and there was none.
    name: "a write across two pages marks the first as dirty, though the second faults",
    explains: ({ part, expected, found }, ending) =>
      part === "marks" &&
      ending.expected.vector === PAGE_FAULT &&
      (found & dirtyBefore(ending.expected)) === 0n &&
      ((expected ^ found) & ~ACCESSED_MARKS) === dirtyBefore(ending.expected),
  },
  {
    // SDM vol. 2, "64-Bit Mode Exceptions": #SS(0) where the stack segment is used. QEMU has one fault for both.
    name: "an address in the stack segment that is not canonical is told as #GP",
    explains: ({ part, expected, found }, { program }) =>
      part === "vector" && program.mode === 64 && expected === BigInt(PROTECTION) && found === BigInt(STACK),
  },
];

/** What no program against QEMU contains, because what follows it means nothing there. */
export interface Avoided {
  readonly name: string;
  readonly matches: (plan: Plan, operands: readonly Operand[]) => boolean;
}

const hasMemory = (operands: readonly Operand[]) => operands.some(({ kind }) => kind === "memory");
const isRelative = (operand: Operand) => operand.kind === "memory" && operand.base === 16;

export const AVOIDED: readonly Avoided[] = [
  {
    // SDM vol. 2A, section 2.2.1.6: the displacement counts from the next instruction. QEMU forgets the immediate.
    name: "shld and shrd with an immediate take a RIP-relative address one too low",
    matches: ({ form }, operands) =>
      /^sh[lr]d$/.test(form.mnemonic) && operands.some(isRelative) && operands.some(({ kind }) => kind === "immediate"),
  },
  {
    // SDM vol. 2B, MOVSXD: r16, r/m16. QEMU reads four bytes, and so do AMD's processors.
    name: "movsxd with an operand size of 16 reads 32 bits",
    matches: ({ form, operandWidth }, operands) =>
      form.mnemonic === "movsxd" && operandWidth === 16 && hasMemory(operands),
  },
];
