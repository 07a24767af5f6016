/** Which status flags an instruction needs, sets, and leaves undefined (Intel SDM vol. 2, "Flags affected"). */
import type { Operand } from "../../machine/isa/index.ts";
import type { ProgramItem } from "./program.ts";

export const CF = 0x001;
export const PF = 0x004;
export const AF = 0x010;
export const ZF = 0x040;
export const SF = 0x080;
export const OF = 0x800;
export const STATUS = CF | PF | AF | ZF | SF | OF;

interface Effect {
  readonly sets: number;
  readonly loses: number;
}
const effect = (sets: number, loses = 0): Effect => ({ sets, loses });
const each = (names: string, what: Effect) => names.split(" ").map((name) => [name, what] as const);

const EFFECTS: ReadonlyMap<string, Effect> = new Map([
  ...each("add adc sub sbb cmp neg cmps scas xadd cmpxchg popf popfd popfq", effect(STATUS)),
  ...each("popcnt ucomiss ucomisd comiss comisd", effect(STATUS)),
  ...each("and or xor test", effect(STATUS, AF)),
  ...each("sahf", effect(STATUS & ~OF)),
  ...each("inc dec", effect(STATUS & ~CF)),
  ...each("clc stc cmc", effect(CF)),
  ...each("mul imul", effect(CF | OF, PF | AF | ZF | SF)),
  ...each("div idiv", effect(0, STATUS)),
  ...each("bt bts btr btc", effect(CF, OF | SF | AF | PF)),
  ...each("bsf bsr tzcnt lzcnt", effect(ZF, STATUS & ~ZF)),
  ...each("daa das", effect(STATUS & ~OF, OF)),
  ...each("aaa aas", effect(CF | AF, OF | SF | ZF | PF)),
  ...each("aam aad", effect(SF | ZF | PF, OF | AF | CF)),
  ...each("lar lsl verr verw arpl", effect(ZF)),
  // Defined: only ZF changes. But QEMU 7.2 loses the others, so they are not compared.
  ...each("cmpxchg8b cmpxchg16b", effect(ZF, STATUS & ~ZF)),
  ...each("fcomi fcomip fucomi fucomip", effect(ZF | PF | CF)),
]);

/** Of the status flags, those that are undefined after the instruction where `before` were undefined before it. */
function undefinedAfter(mnemonic: string, operands: readonly Operand[], repeats: boolean, before: number): number {
  if (/^(ro[lr]|rc[lr]|sh[lr]|sar|sh[lr]d)$/.test(mnemonic)) return afterShift(mnemonic, operands, before);
  const known = EFFECTS.get(mnemonic);
  if (known === undefined) return before;
  // A repeated comparison may make no round at all.
  if (repeats) return before;
  return (before & ~known.sets) | known.loses;
}

function afterShift(mnemonic: string, operands: readonly Operand[], before: number): number {
  const count = operands[operands.length - 1]!;
  const width = operands[0]!.width;
  const isRotation = mnemonic.startsWith("r");
  const lost = isRotation ? OF : OF | AF | (width < 32 ? CF : 0);
  if (count.kind !== "immediate") return before | lost;
  const amount = Number(count.value & (width === 64 ? 63n : 31n));
  if (amount === 0) return before;
  const sets = isRotation ? CF | OF : STATUS;
  return (before & ~sets) | (amount === 1 ? lost & ~(OF | CF) : lost);
}

const CONDITIONS: readonly (readonly [RegExp, number])[] = [
  [/^(j|set|cmov)n?o$/, OF],
  [/^(j|set|cmov)(b|ae)$/, CF],
  [/^(j|set|cmov)n?e$/, ZF],
  [/^(j|set|cmov)(be|a)$/, CF | ZF],
  [/^(j|set|cmov)n?s$/, SF],
  [/^(j|set|cmov)n?p$/, PF],
  [/^(j|set|cmov)(l|ge)$/, SF | OF],
  [/^(j|set|cmov)(le|g)$/, SF | OF | ZF],
  [/^(adc|sbb|rcl|rcr|cmc|salc)$/, CF],
  [/^(loope|loopne)$/, ZF],
  [/^(daa|das|aaa|aas)$/, AF | CF],
  [/^into$/, OF],
  [/^fcmov/, CF | ZF | PF],
  [/^(lahf|pushf|pushfd|pushfq|syscall|int|int3|int1)$/, STATUS],
];

/** The status flags that the instruction reads. Jumps, calls and returns need all: what follows is reached from two sides. */
export function neededFlags(mnemonic: string): number {
  if (/^(j|loop|call|ret)/.test(mnemonic)) return STATUS;
  return CONDITIONS.find(([pattern]) => pattern.test(mnemonic))?.[1] ?? 0;
}

type Item = Pick<ProgramItem, "plan" | "operands" | "repeat">;

/** The status flags that are undefined before each item, and at the end. */
export function undefinedFlags(items: readonly Item[]): number[] {
  const masks = [0];
  for (const { plan, operands, repeat } of items)
    masks.push(undefinedAfter(plan.form.mnemonic, operands, repeat !== null, masks.at(-1)!));
  return masks;
}

/** Whether an item reads a flag that is undefined: what it does then means nothing. */
export function readsUndefined(items: readonly Item[]): boolean {
  const masks = undefinedFlags(items);
  return items.some(({ plan }, index) => (neededFlags(plan.form.mnemonic) & masks[index]!) !== 0);
}
