/** Which calls are replaced by the body of the callee. */
import type { Block, Instruction, IrFunction, IrProgram } from "./ir.ts";

/** A callee up to this size is no larger than the call around it. */
const SMALL = 14;
/** The limit for a callee that has no other caller, which disappears. */
const ONLY_CALLER = 120;
/** Beyond this size a caller takes in only what asks for it. */
const LARGE_CALLER = 1500;
/** How large a function may become by taking in itself. */
const UNROLLED = 120;
/** What code that hardly ever runs may take in. */
const SMALL_IN_COLD = 4;

export class InlinePolicy {
  private readonly references = new Map<string, number>();
  private readonly finished = new Map<string, IrFunction>();
  private readonly sizes = new Map<IrFunction, number>();

  constructor(program: IrProgram) {
    const count = (symbol: string, times: number): void => {
      this.references.set(symbol, (this.references.get(symbol) ?? 0) + times);
    };
    for (const f of program.functions) {
      for (const block of f.blocks) {
        for (const i of block.instructions) {
          if (i.kind === "call") count(i.symbol, 1);
          // A function whose address is taken stays.
          else if (i.kind === "symbol") count(i.symbol, 2);
        }
      }
    }
    for (const object of program.data) for (const relocation of object.relocations) count(relocation.symbol, 2);
    count(program.entry, 2);
  }

  /** The function has taken its final form and may be put into its callers. */
  finish(f: IrFunction): void {
    const size = sizeOfBody(f);
    this.sizes.set(f, size);
    if (canBeInlined(f, size)) this.finished.set(f.symbol, f);
  }

  /** Whether a recursive function shall take in itself once more. */
  chooseItself(f: IrFunction): boolean {
    const calls = f.blocks.flatMap((block) => (block.cold ? [] : block.instructions)).filter((i) => callsItself(i, f));
    const size = sizeOfBody(f);
    return calls.length > 0 && f.inline === "auto" && canBeInlined(f, size) && size * (calls.length + 1) <= UNROLLED;
  }

  /** The callee, if its body shall stand in `caller` instead of a call; `again`: the caller has taken in others already. */
  choose(symbol: string, caller: IrFunction, block: Block, again: boolean): IrFunction | null {
    const callee = this.finished.get(symbol);
    if (!callee) return null;
    if (callee.inline === "always") return callee;
    const size = this.sizes.get(callee)!;
    if (block.cold) return size <= SMALL_IN_COLD ? callee : null;
    if (size <= SMALL) return callee;
    if (again || this.references.get(symbol) !== 1 || size > ONLY_CALLER) return null;
    return sizeOfBody(caller) <= LARGE_CALLER ? callee : null;
  }
}

function callsItself(i: Instruction, f: IrFunction): boolean {
  return i.kind === "call" && i.symbol === f.symbol;
}

function canBeInlined(f: IrFunction, size: number): boolean {
  if (f.inline === "never" || f.convention !== "plain") return false;
  const instructions = f.blocks.flatMap((block) => block.instructions);
  // Labels in assembly text must not come twice.
  if (instructions.some((i) => i.kind === "asm" && /^\s*[\w.]+:/m.test(i.text))) return false;
  // What does not come back is called once at most: only the size of the call counts.
  const returns = f.blocks.some((block) => block.terminator.kind === "return");
  return f.inline === "always" || returns || size <= SMALL_IN_COLD;
}

/** Instructions that will be there in the end, roughly; code that hardly ever runs counts as one. */
function sizeOfBody(f: IrFunction): number {
  let size = 0;
  for (const block of f.blocks) {
    size += 1;
    if (block.cold) continue;
    for (const i of block.instructions) {
      if (i.kind === "constant" || i.kind === "symbol" || i.kind === "slot") continue;
      size += i.kind === "call" || i.kind === "callIndirect" ? 1 + i.arguments.length : 1;
    }
  }
  return size;
}
