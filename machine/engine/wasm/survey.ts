/** Semantics over nothing: runs a meaning only to see what sort of instruction it is. */
import type { Instruction } from "#isa/instruction.ts";
import { type Flag, STATUS } from "#machine/cpu/flags.ts";
import type { SystemOperation, Width } from "#machine/cpu/semantics.ts";
import { softwareInterrupt } from "#machine/cpu/software-interrupts.ts";
import type { Routine, VectorMeaning, VectorSemantics } from "#machine/cpu/vector-semantics.ts";
import { bookRoutine } from "./book-routines.ts";
import { INLINE_ROUTINES } from "./inline-routines.ts";
import { leadsAway, NATIVE, remaps } from "./operations.ts";
import { plainRoutine } from "./plain-routines.ts";

/** What the meaning of an instruction says about the way on. */
export interface Findings {
  /** Displacement from the next instruction and its width, where it jumps to a fixed place. */
  readonly relative: { readonly displacement: bigint; readonly width: Width } | null;
  /** It jumps to a place that it computes. */
  readonly computed: boolean;
  /** It may also go on with the next instruction. */
  readonly conditional: boolean;
  /** It may be done again. */
  readonly again: boolean;
  /** It acts on the whole processor in a way that only the evaluator can do. */
  readonly system: boolean;
  /** It changes what addresses mean. */
  readonly remaps: boolean;
  /** It goes through a gate, and comes back after the handler. */
  readonly interrupts: boolean;
  /** Something in it can leave the translated code. */
  readonly leaves: boolean;
  /** It reads a status flag, and had not set it. */
  readonly readsFlags: boolean;
  /** It sets all status flags, always. */
  readonly setsFlags: boolean;
}

type Nothing = 0;

class Survey implements VectorSemantics<Nothing, Nothing> {
  relativeJump: { displacement: bigint; width: Width } | null = null;
  computed = false;
  jumped = false;
  repeats = false;
  usesSystem = false;
  remaps = false;
  interrupts = false;
  #depth = 0;
  setsFlags = false;
  readsFlags = false;
  leaves = false;

  constructor(
    readonly stackWidth: 16 | 32 | 64,
    readonly instruction: Instruction,
  ) {}

  constant(): Nothing {
    return 0;
  }
  readRegister(): Nothing {
    return 0;
  }
  writeRegister(): void {}
  readHighByte(): Nothing {
    return 0;
  }
  writeHighByte(): void {}
  add(): Nothing {
    return 0;
  }
  subtract(): Nothing {
    return 0;
  }
  multiply(): Nothing {
    return 0;
  }
  multiplyHigh(): Nothing {
    return 0;
  }
  divide(): { quotient: Nothing; remainder: Nothing } {
    this.leaves = true;
    return { quotient: 0, remainder: 0 };
  }
  and(): Nothing {
    return 0;
  }
  or(): Nothing {
    return 0;
  }
  xor(): Nothing {
    return 0;
  }
  not(): Nothing {
    return 0;
  }
  shiftLeft(): Nothing {
    return 0;
  }
  shiftRight(): Nothing {
    return 0;
  }
  shiftRightSigned(): Nothing {
    return 0;
  }
  truncate(): Nothing {
    return 0;
  }
  signExtend(): Nothing {
    return 0;
  }
  countLeadingZeros(): Nothing {
    return 0;
  }
  countTrailingZeros(): Nothing {
    return 0;
  }
  countOnes(): Nothing {
    return 0;
  }
  isZero(): Nothing {
    return 0;
  }
  isNonZero(): Nothing {
    return 0;
  }
  equal(): Nothing {
    return 0;
  }
  less(): Nothing {
    return 0;
  }
  if(_condition: Nothing, then: () => void, otherwise?: () => void): void {
    this.#depth++;
    then();
    otherwise?.();
    this.#depth--;
  }
  select(): Nothing {
    return 0;
  }
  setFlags(): void {
    if (this.#depth === 0) this.setsFlags = true;
  }
  setFlag(): void {}
  flag(flag: Flag): Nothing {
    if (((STATUS >> flag) & 1) !== 0) this.condition();
    return 0;
  }
  condition(): Nothing {
    if (!this.setsFlags) this.readsFlags = true;
    return 0;
  }
  load(): Nothing {
    this.leaves = true;
    return 0;
  }
  store(): void {
    this.leaves = true;
  }
  update(_segment: number, _offset: Nothing, _width: Width, change: (old: Nothing) => Nothing): void {
    this.leaves = true;
    change(0);
  }
  nextInstruction(): Nothing {
    return 0;
  }
  jump(): void {
    this.computed = true;
    this.#jump();
  }
  relative(displacement: bigint, width: Width): void {
    this.relativeJump = { displacement, width };
    this.#jump();
  }
  #jump(): void {
    this.leaves = true;
    if (this.#depth === 0) this.jumped = true;
  }
  again(): void {
    this.repeats = true;
    this.leaves = true;
  }
  fault(): void {
    this.leaves = true;
  }
  system(operation: SystemOperation): Nothing {
    if (!NATIVE.has(operation)) this.usesSystem = true;
    if (remaps(operation, this.instruction)) this.remaps = true;
    if (operation === softwareInterrupt) this.interrupts = true;
    if (leadsAway(operation, this.instruction)) this.jump();
    this.leaves = true;
    return 0;
  }

  // Vectors and floating point

  readVector(): Nothing {
    return 0;
  }
  writeVector(): void {}
  loadVector(): Nothing {
    return this.load();
  }
  storeVector(): void {
    this.store();
  }
  loadVectors(_segment: number, _offset: Nothing, count: number): Nothing[] {
    return new Array(count).fill(this.load());
  }
  storeVectors(): void {
    this.store();
  }
  vector(): Nothing {
    return 0;
  }
  lane(): Nothing {
    return 0;
  }
  withLane(): Nothing {
    return 0;
  }
  signBits(): Nothing {
    return 0;
  }
  packed(): Nothing {
    return 0;
  }
  shiftLanes(): Nothing {
    return 0;
  }
  shuffle(): Nothing {
    return 0;
  }
  float(): Nothing {
    return this.load();
  }
  compareFloat(): Nothing {
    return this.load();
  }
  convert(): Nothing {
    return this.load();
  }
  require(): void {
    this.leaves = true;
  }
  readState(): Nothing {
    return 0;
  }
  writeState(): void {}
  call(routine: Routine): Nothing {
    const isKnown = INLINE_ROUTINES.has(routine) || plainRoutine(this.instruction, routine) !== null;
    if (!isKnown && bookRoutine(routine) === null) this.usesSystem = true;
    return this.load();
  }
  setStatus(): void {
    this.setFlags();
  }
}

/** Looks at one instruction. */
export function survey(meaning: VectorMeaning, instruction: Instruction, stackWidth: 16 | 32 | 64): Findings {
  const seen = new Survey(stackWidth, instruction);
  meaning(seen, instruction);
  return {
    relative: seen.relativeJump,
    computed: seen.computed,
    conditional: !seen.jumped,
    again: seen.repeats,
    system: seen.usesSystem,
    remaps: seen.remaps,
    interrupts: seen.interrupts,
    leaves: seen.leaves,
    readsFlags: seen.readsFlags,
    setsFlags: seen.setsFlags,
  };
}
