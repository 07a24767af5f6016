/** Regions: which blocks of guest code become one WebAssembly function. */
import type { Instruction } from "#isa/instruction.ts";
import type { VectorMeaning } from "#machine/cpu/vector-semantics.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import type { Context } from "./context.ts";
import type { Gates } from "./gates.ts";
import { type Findings, survey } from "./survey.ts";

/** Bounds of one region: larger ones take the WebAssembly compiler too long. */
const MOST_BLOCKS = 160;
const MOST_INSTRUCTIONS = 1500;
const LONGEST_BLOCK = 64;
/** Calls that are followed into each other. */
const DEEPEST_FRAME = 4;
/** Targets of a computed jump that are compared with one by one. */
const FEW_TARGETS = 2;

/** Guest code as a region sees it. Offsets are those of the code segment. */
export interface CodeSource {
  /** The instruction at `rip`; null where the region must not read, or where there is none. */
  fetch(rip: bigint): DecodedInstruction | null;
  /** Whether the evaluator has been at `rip`: what never ran is not worth translating. */
  seen(rip: bigint): boolean;
  /** Where the computed jump at `rip` has led so far. */
  targets(rip: bigint): readonly bigint[];
}

export interface Step {
  readonly start: bigint;
  readonly decoded: DecodedInstruction;
  readonly findings: Findings;
}

/** A call that a region follows: blocks inside belong to it, so that each return knows where it goes. */
interface Frame {
  readonly entry: bigint;
  readonly parent: Frame | null;
  readonly depth: number;
  /** Its blocks, by where they begin; the one that finds the targets of computed jumps under null. */
  readonly blocks: Map<bigint | null, number>;
  /** Where its `ret` leads. Several after recursion; none for the region's own function. */
  readonly returns: { readonly rip: bigint; readonly frame: Frame }[];
}

/** Where control goes: a block of the region, or guest code outside it. */
export type Way = { readonly block: number } | { readonly outside: bigint };

export interface Block {
  readonly start: bigint;
  readonly steps: Step[];
  /** Where the last instruction jumps to, if that is a fixed place. */
  taken: Way | null;
  /** Where control goes otherwise; null where it cannot. */
  next: Way | null;
  /** Computed jumps: places to compare with first. */
  readonly expected: { rip: bigint; block: number }[];
  /** The block that finds the target of its computed jump, where there are many. */
  dispatch: number | null;
  /** It has no instructions: it finds the target of computed jumps among those expected. */
  readonly finds: boolean;
  /** The instruction at this place must be done by the evaluator. */
  evaluate: bigint | null;
  readonly frame: Frame;
  /** Its last instruction is a return. */
  returns: boolean;
}

const FINDINGS = new WeakMap<DecodedInstruction, Findings>();

class Discovery {
  readonly blocks: Block[] = [];
  #instructions = 0;
  readonly #waiting: number[] = [];

  constructor(
    readonly source: CodeSource,
    readonly context: Context,
    readonly gates: Gates,
  ) {}

  run(entry: bigint): void {
    const root = this.#frame(entry, null);
    this.#block(entry, root);
    for (let index = this.#waiting.shift(); index !== undefined; index = this.#waiting.shift()) {
      this.#fill(this.blocks[index]!);
      if (this.#waiting.length === 0) this.#followReturns();
    }
  }

  #frame(entry: bigint, parent: Frame | null): Frame {
    return { entry, parent, depth: (parent?.depth ?? -1) + 1, blocks: new Map(), returns: [] };
  }

  /** The block at `rip`, to be filled later; null where the region is large enough. */
  #block(rip: bigint, frame: Frame): number | null {
    const known = frame.blocks.get(rip);
    if (known !== undefined) return known;
    const index = this.#append(rip, frame);
    if (index !== null) this.#waiting.push(index);
    return index;
  }

  #append(rip: bigint | null, frame: Frame): number | null {
    if (this.blocks.length >= MOST_BLOCKS || this.#instructions >= MOST_INSTRUCTIONS) return null;
    const index = this.blocks.length;
    const block = {
      start: rip ?? 0n,
      steps: [],
      taken: null,
      next: null,
      expected: [],
      dispatch: null,
      finds: rip === null,
      evaluate: null,
      frame,
      returns: false,
    };
    this.blocks.push(block);
    frame.blocks.set(rip, index);
    return index;
  }

  /** A block without instructions that finds the way to a computed place: shared by all jumps of a frame. */
  #dispatch(frame: Frame): number | null {
    return frame.blocks.get(null) ?? this.#append(null, frame);
  }

  /** Takes in the places that a computed jump has led to. */
  #expect(block: Block, targets: readonly bigint[]): void {
    const few = targets.length <= FEW_TARGETS;
    const dispatch = few ? null : this.#dispatch(block.frame);
    block.dispatch = dispatch;
    const { expected } = dispatch === null ? block : this.blocks[dispatch]!;
    for (const rip of few || dispatch !== null ? targets : []) {
      if (expected.some((known) => known.rip === rip)) continue;
      const way = this.#way(rip, block.frame);
      if ("block" in way) expected.push({ rip, block: way.block });
    }
  }

  /** The same for a computed call: each place is a function that comes back. */
  #expectCalls(block: Block, targets: readonly bigint[], back: bigint): void {
    for (const rip of targets.slice(0, FEW_TARGETS)) {
      const way = this.#call(rip, back, block.frame);
      if ("block" in way) block.expected.push({ rip, block: way.block });
    }
  }

  #way(rip: bigint, frame: Frame): Way {
    const block = this.source.seen(rip) ? this.#block(rip, frame) : null;
    return block === null ? { outside: rip } : { block };
  }

  /** The same where control will come for certain, though it may never have been there: after a repeated instruction. */
  #sureWay(rip: bigint, frame: Frame): Way {
    const block = this.source.fetch(rip) === null ? null : this.#block(rip, frame);
    return block === null ? { outside: rip } : { block };
  }

  #fill(block: Block): void {
    const { frame, steps } = block;
    let rip = block.start;
    for (;;) {
      const decoded = this.source.fetch(rip);
      if (decoded === null) {
        // It may lie in pages that the region has not both, and another region may begin there.
        block.next = { outside: rip };
        return;
      }
      const findings = this.#look(decoded);
      if (findings.system || this.#refuses(decoded, findings)) {
        block.evaluate = rip;
        return;
      }
      const ends = findings.again || steps.length === LONGEST_BLOCK || frame.blocks.has(rip);
      if (steps.length > 0 && (ends || !isInPageOf(block.start, rip, decoded))) {
        block.next = this.#way(rip, frame);
        return;
      }
      steps.push({ start: rip, decoded, findings });
      this.#instructions++;
      const start = rip;
      rip = this.#wrap(rip + BigInt(decoded.length));
      if (this.#endsHere(block, findings, decoded, start, rip)) return;
    }
  }

  /** Whether the tables have no plain way for an interrupt or a return from one. */
  #refuses({ instruction }: DecodedInstruction, { interrupts }: Findings): boolean {
    if (interrupts) {
      const vector = vectorOf(instruction);
      return this.gates.gate(vector) === null && (vector < 0 || this.gates.inner(vector) === null);
    }
    if (!instruction.mnemonic.startsWith("iret")) return false;
    return this.gates.plainReturn() === null && this.gates.outer(instruction) === null;
  }

  #look(decoded: DecodedInstruction): Findings {
    let findings = FINDINGS.get(decoded);
    if (findings === undefined) {
      findings = survey(decoded.meaning as VectorMeaning, decoded.instruction, this.context.stackWidth);
      FINDINGS.set(decoded, findings);
    }
    return findings;
  }

  #wrap(rip: bigint): bigint {
    return BigInt.asUintN(this.context.mode === 64 ? 64 : 32, rip);
  }

  /** Whether control may leave the straight line with this instruction; then the block's ways are set. */
  #endsHere(
    block: Block,
    findings: Findings,
    { instruction }: DecodedInstruction,
    start: bigint,
    next: bigint,
  ): boolean {
    const { frame } = block;
    if (findings.again) {
      block.taken = this.#way(start, frame);
      block.next = this.#sureWay(next, frame);
      return true;
    }
    if (findings.computed) {
      block.returns = /^i?ret/.test(instruction.mnemonic);
      if (instruction.mnemonic === "jmp") this.#expect(block, this.source.targets(start));
      if (instruction.mnemonic === "call") this.#expectCalls(block, this.source.targets(start), next);
      return true;
    }
    if (findings.interrupts) {
      const gate = this.gates.gate(vectorOf(instruction));
      if (gate !== null) block.taken = this.#call(gate.handler, next, frame);
      return true;
    }
    if (findings.relative === null) return false;
    const { displacement, width } = findings.relative;
    const target = BigInt.asUintN(width, next + displacement);
    if (instruction.mnemonic === "call") block.taken = this.#call(target, next, frame);
    else block.taken = this.#way(target, frame);
    if (findings.conditional) block.next = this.#way(next, frame);
    return true;
  }

  #call(target: bigint, back: bigint, frame: Frame): Way {
    for (let outer: Frame | null = frame; outer !== null; outer = outer.parent) {
      if (outer.entry !== target) continue;
      outer.returns.push({ rip: back, frame });
      return this.#way(target, outer);
    }
    if (frame.depth >= DEEPEST_FRAME || !this.source.seen(target)) return { outside: target };
    const inner = this.#frame(target, frame);
    inner.returns.push({ rip: back, frame });
    return this.#way(target, inner);
  }

  /** Gives returns the blocks that their calls expect. */
  #followReturns(): void {
    for (const block of this.blocks) {
      if (!block.returns) continue;
      for (const { rip, frame } of block.frame.returns.slice(block.expected.length)) {
        const index = this.#block(rip, frame);
        if (index !== null) block.expected.push({ rip, block: index });
      }
    }
  }
}

/** Whether all bytes of an instruction lie in the page of an address. A block leaves its page only where it begins at the end. */
function isInPageOf(address: bigint, rip: bigint, { length }: DecodedInstruction): boolean {
  return (((rip + BigInt(length - 1)) ^ address) & ~0xfffn) === 0n;
}

function vectorOf({ operands }: Instruction): number {
  const [number] = operands;
  return number?.kind === "immediate" ? Number(number.value) : -1;
}

/** The blocks that can be reached from `entry`, which the first of them begins at. */
export function discover(source: CodeSource, context: Context, gates: Gates, entry: bigint): readonly Block[] {
  const discovery = new Discovery(source, context, gates);
  discovery.run(entry);
  return discovery.blocks;
}

/** Numbers of the blocks that may follow one. */
export function successorsOf({ taken, next, expected, dispatch }: Block): number[] {
  const found = expected.map(({ block }) => block);
  if (dispatch !== null) found.push(dispatch);
  for (const way of [taken, next]) if (way !== null && "block" in way) found.push(way.block);
  return found;
}
