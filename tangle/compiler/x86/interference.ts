/** The interference graph: which registers are live at the same time and so cannot share a hardware register. */
import type { Flow } from "./flow.ts";
import { type LiveSets, liveOut } from "./liveness.ts";
import type { MachineFunction } from "./machine.ts";
import { FIRST_VIRTUAL, type Register, RSP } from "./registers.ts";

/** A copy that vanishes where both ends get the same register; or a wish only, that they may get the same one. */
export interface CopyMove {
  readonly to: Register;
  readonly from: Register;
  readonly weight: number;
  readonly isWish: boolean;
}

/** A wish weighs less than any copy. */
const WISH = 1e-6;

export class InterferenceGraph {
  /** Neighbours of virtual registers; hardware registers keep no list, they interfere with all of their kind. */
  readonly neighbours: Register[][];
  readonly degree: Int32Array;
  /** Weighted number of reads and writes: what it costs to keep the register in memory. */
  readonly cost: Float64Array;
  readonly moves: CopyMove[] = [];
  private readonly bits: Uint32Array;

  constructor(readonly count: number) {
    this.neighbours = Array.from({ length: count }, () => []);
    this.degree = new Int32Array(count);
    this.cost = new Float64Array(count);
    this.bits = new Uint32Array((((count * (count - 1)) / 2) >> 5) + 1);
    this.degree.fill(0x3fff_ffff, 0, FIRST_VIRTUAL);
  }

  interfere(a: Register, b: Register): boolean {
    if (a === b) return false;
    const index = a > b ? (a * (a - 1)) / 2 + b : (b * (b - 1)) / 2 + a;
    return ((this.bits[index >>> 5]! >>> (index & 31)) & 1) === 1;
  }

  connect(a: Register, b: Register): void {
    if (a === b || this.interfere(a, b)) return;
    const index = a > b ? (a * (a - 1)) / 2 + b : (b * (b - 1)) / 2 + a;
    this.bits[index >>> 5]! |= 1 << (index & 31);
    if (a >= FIRST_VIRTUAL) {
      this.neighbours[a]!.push(b);
      this.degree[a]!++;
    }
    if (b >= FIRST_VIRTUAL) {
      this.neighbours[b]!.push(a);
      this.degree[b]!++;
    }
  }
}

/** A set of small numbers that can be walked and changed in constant time a step. */
class SparseSet {
  readonly members: Int32Array;
  private readonly at: Int32Array;
  size = 0;
  constructor(count: number) {
    this.members = new Int32Array(count);
    this.at = new Int32Array(count).fill(-1);
  }
  add(value: number): void {
    if (this.at[value] !== -1) return;
    this.at[value] = this.size;
    this.members[this.size++] = value;
  }
  remove(value: number): void {
    const at = this.at[value]!;
    if (at === -1) return;
    const last = this.members[--this.size]!;
    this.members[at] = last;
    this.at[last] = at;
    this.at[value] = -1;
  }
  clear(): void {
    for (let i = 0; i < this.size; i++) this.at[this.members[i]!] = -1;
    this.size = 0;
  }
}

export function buildInterference(fn: MachineFunction, flow: Flow): InterferenceGraph {
  const graph = new InterferenceGraph(fn.registerCount);
  const out: LiveSets = liveOut(fn, flow.order);
  const live = new SparseSet(fn.registerCount);
  for (const block of flow.order) {
    live.clear();
    out.forEach(block.id, (register) => live.add(register));
    if (block.terminator.kind === "return") for (const register of block.terminator.reads) live.add(register);
    for (let i = block.instructions.length - 1; i >= 0; i--) {
      const instruction = block.instructions[i]!;
      const { uses, definitions } = instruction;
      if (instruction.mnemonic === "copy") {
        // The two ends hold the same value here: this alone does not make them interfere.
        const [from, to] = [uses[0]!, definitions[0]!];
        live.remove(from);
        graph.moves.push({ to, from, weight: block.weight, isWish: false });
      } else if (instruction.mnemonic === "lea") {
        // With a term as its destination it is an add, which is shorter.
        const to = definitions[0]!;
        for (const from of uses) graph.moves.push({ to, from, weight: block.weight * WISH, isWish: true });
      }
      for (const register of definitions) {
        if (register === RSP) continue;
        live.add(register);
      }
      for (const register of definitions) {
        if (register === RSP) continue;
        graph.cost[register]! += block.weight;
        for (let k = 0; k < live.size; k++) graph.connect(register, live.members[k]!);
      }
      for (const register of definitions) live.remove(register);
      for (const register of uses) {
        if (register === RSP) continue;
        graph.cost[register]! += block.weight;
        live.add(register);
      }
    }
  }
  return graph;
}
