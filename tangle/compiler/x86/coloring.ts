/**
 * Register allocation by graph colouring with iterated coalescing (George and Appel, "Iterated Register Coalescing",
 * TOPLAS 18(3), 1996): simplify, coalesce, freeze and choose spills until every virtual register is on a stack, then give
 * hardware registers in reverse.
 */
import type { InterferenceGraph } from "./interference.ts";
import { CALLEE_SAVED, FIRST_VIRTUAL, type Register, RSP } from "./registers.ts";

export interface Coloring {
  /** By virtual register: the hardware register, or -1 where it must live in memory. */
  readonly color: Int8Array;
  /** Registers (representatives of what was coalesced) that found no colour. */
  readonly spilled: readonly Register[];
  /** By register: the one it was coalesced with, itself otherwise. */
  representative(register: Register): Register;
}

/** Where a virtual register is at the moment. */
enum State {
  Hardware,
  Simplify,
  Freeze,
  Spill,
  Stacked,
  Coalesced,
}

/** What became of a copy. */
enum Fate {
  Ready,
  Waiting,
  Done,
}

/**
 * Colours the graph with these hardware registers, the first ones first. Registers in `unspillable` are only spilled
 * where nothing else is left.
 */
export function color(
  graph: InterferenceGraph,
  unspillable: ReadonlySet<Register>,
  hardware: readonly Register[],
): Coloring {
  return new Allocator(graph, unspillable, hardware).run();
}

class Allocator {
  private readonly state: Uint8Array;
  private readonly alias: Int32Array;
  private readonly movesOf: number[][];
  private readonly fate: Uint8Array;
  private readonly ready: number[];
  private readonly simplifiable: Register[] = [];
  private readonly freezable: Register[] = [];
  private readonly spillable: Register[] = [];
  private readonly stack: Register[] = [];
  private readonly degree: Int32Array;
  /** How many hardware registers there are to give. */
  private readonly colors: number;

  constructor(
    private readonly graph: InterferenceGraph,
    private readonly unspillable: ReadonlySet<Register>,
    private readonly hardware: readonly Register[],
  ) {
    const { count } = graph;
    this.colors = hardware.length;
    this.state = new Uint8Array(count);
    this.alias = Int32Array.from({ length: count }, (_, i) => i);
    this.degree = graph.degree;
    this.movesOf = Array.from({ length: count }, () => []);
    this.fate = new Uint8Array(graph.moves.length);
    graph.moves.forEach(({ to, from }, i) => {
      this.movesOf[to]!.push(i);
      if (from !== to) this.movesOf[from]!.push(i);
      if (graph.moves[i]!.isWish) this.fate[i] = Fate.Done;
    });
    // Taken from the end: the dearest copies first, and among equals those from and to hardware registers, whose other
    // end then has the right register without a move, while a copy between two others may become part of a lea.
    const rank = (i: number) => Number(graph.moves[i]!.to < FIRST_VIRTUAL || graph.moves[i]!.from < FIRST_VIRTUAL);
    this.ready = graph.moves
      .map((_, i) => i)
      .filter((i) => this.fate[i] === Fate.Ready)
      .sort((a, b) => graph.moves[a]!.weight - graph.moves[b]!.weight || rank(a) - rank(b));
  }

  run(): Coloring {
    for (let r = FIRST_VIRTUAL; r < this.graph.count; r++) this.enlist(r);
    for (;;) {
      if (this.simplify() || this.coalesce() || this.freeze() || this.chooseSpill()) continue;
      break;
    }
    return this.assign();
  }

  /** Puts a register on the list that its degree and its copies ask for. */
  private enlist(register: Register): void {
    if (this.degree[register]! >= this.colors) {
      this.state[register] = State.Spill;
      this.spillable.push(register);
    } else if (this.hasMoves(register)) {
      this.state[register] = State.Freeze;
      this.freezable.push(register);
    } else {
      this.state[register] = State.Simplify;
      this.simplifiable.push(register);
    }
  }

  private hasMoves(register: Register): boolean {
    return this.movesOf[register]!.some((move) => this.fate[move] !== Fate.Done);
  }

  private isPresent(register: Register): boolean {
    const state = this.state[register]!;
    return state !== State.Stacked && state !== State.Coalesced;
  }

  /** Takes a register with few neighbours out of the graph: whatever they get, there will be one for it. */
  private simplify(): boolean {
    while (this.simplifiable.length > 0) {
      const register = this.simplifiable.pop()!;
      if (this.state[register] !== State.Simplify) continue;
      this.push(register);
      return true;
    }
    return false;
  }

  private push(register: Register): void {
    this.state[register] = State.Stacked;
    this.stack.push(register);
    for (const neighbour of this.graph.neighbours[register]!) {
      if (neighbour >= FIRST_VIRTUAL && this.isPresent(neighbour)) this.decrement(neighbour);
    }
  }

  private decrement(register: Register): void {
    const before = this.degree[register]!--;
    if (before !== this.colors) return;
    // It has just become easy to colour: its copies, and its neighbours', may have become safe to coalesce.
    this.enableMoves(register);
    for (const neighbour of this.graph.neighbours[register]!) {
      if (neighbour >= FIRST_VIRTUAL && this.isPresent(neighbour)) this.enableMoves(neighbour);
    }
    if (this.state[register] === State.Spill) this.enlist(register);
  }

  private enableMoves(register: Register): void {
    for (const move of this.movesOf[register]!) {
      if (this.fate[move] !== Fate.Waiting) continue;
      this.fate[move] = Fate.Ready;
      this.ready.push(move);
    }
  }

  private find(register: Register): Register {
    let r = register;
    while (this.alias[r] !== r) r = this.alias[r]!;
    return r;
  }

  private coalesce(): boolean {
    const index = this.ready.pop();
    if (index === undefined) return false;
    if (this.fate[index] !== Fate.Ready) return true;
    const move = this.graph.moves[index]!;
    let a = this.find(move.to);
    let b = this.find(move.from);
    if (b < FIRST_VIRTUAL) [a, b] = [b, a];
    if (a === b) {
      this.fate[index] = Fate.Done;
      this.relax(a);
    } else if (b < FIRST_VIRTUAL || a === RSP || this.graph.interfere(a, b)) {
      this.fate[index] = Fate.Done;
      this.relax(a);
      this.relax(b);
    } else if (a < FIRST_VIRTUAL ? this.fitsHardware(a, b) : this.fitsTogether(a, b)) {
      this.fate[index] = Fate.Done;
      this.combine(a, b);
      this.relax(a);
    } else {
      this.fate[index] = Fate.Waiting;
    }
    return true;
  }

  /** A register with few neighbours and no copies left can be simplified. */
  private relax(register: Register): void {
    if (register < FIRST_VIRTUAL || this.state[register] !== State.Freeze) return;
    if (this.degree[register]! >= this.colors || this.hasMoves(register)) return;
    this.state[register] = State.Simplify;
    this.simplifiable.push(register);
  }

  /** George's test: every neighbour of b is easy, or interferes with the hardware register already. */
  private fitsHardware(hardware: Register, b: Register): boolean {
    return this.graph.neighbours[b]!.every(
      (n) =>
        n < FIRST_VIRTUAL || !this.isPresent(n) || this.degree[n]! < this.colors || this.graph.interfere(n, hardware),
    );
  }

  /** Briggs's test: together they have fewer than this.colors neighbours that are hard to colour. */
  private fitsTogether(a: Register, b: Register): boolean {
    let hard = 0;
    const { neighbours } = this.graph;
    for (const n of neighbours[a]!) {
      if (n >= FIRST_VIRTUAL && !this.isPresent(n)) continue;
      const degree = this.degree[n]! - (this.graph.interfere(n, b) && n >= FIRST_VIRTUAL ? 1 : 0);
      if (degree >= this.colors && ++hard >= this.colors) return false;
    }
    for (const n of neighbours[b]!) {
      if (n >= FIRST_VIRTUAL && !this.isPresent(n)) continue;
      if (this.graph.interfere(n, a)) continue;
      if (this.degree[n]! >= this.colors && ++hard >= this.colors) return false;
    }
    return true;
  }

  private combine(a: Register, b: Register): void {
    this.state[b] = State.Coalesced;
    this.alias[b] = a;
    this.graph.cost[a]! += this.graph.cost[b]!;
    for (const move of this.movesOf[b]!) this.movesOf[a]!.push(move);
    this.enableMoves(b);
    for (const n of this.graph.neighbours[b]!) {
      if (n >= FIRST_VIRTUAL && !this.isPresent(n)) continue;
      this.graph.connect(n, a);
      if (n >= FIRST_VIRTUAL) this.decrement(n);
    }
    if (a >= FIRST_VIRTUAL && this.degree[a]! >= this.colors && this.state[a] === State.Freeze) {
      this.state[a] = State.Spill;
      this.spillable.push(a);
    }
  }

  /** Gives up the copies of a register with few neighbours, so that it can be simplified. */
  private freeze(): boolean {
    while (this.freezable.length > 0) {
      const register = this.freezable.pop()!;
      if (this.state[register] !== State.Freeze) continue;
      this.state[register] = State.Simplify;
      this.simplifiable.push(register);
      this.freezeMoves(register);
      return true;
    }
    return false;
  }

  private freezeMoves(register: Register): void {
    for (const index of this.movesOf[register]!) {
      if (this.fate[index] === Fate.Done) continue;
      this.fate[index] = Fate.Done;
      const { to, from } = this.graph.moves[index]!;
      const [a, b] = [this.find(to), this.find(from)];
      this.relax(a === register ? b : a);
    }
  }

  /** Takes out the register that is cheapest to keep in memory; it may still find a colour in the end. */
  private chooseSpill(): boolean {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    let kept = 0;
    for (const register of this.spillable) {
      if (this.state[register] !== State.Spill) continue;
      this.spillable[kept++] = register;
      const penalty = this.unspillable.has(register) ? 1e12 : 0;
      const price = (this.graph.cost[register]! + penalty) / this.degree[register]!;
      if (price < least) [best, least] = [register, price];
    }
    this.spillable.length = kept;
    if (best === -1) return false;
    this.state[best] = State.Simplify;
    this.simplifiable.push(best);
    this.freezeMoves(best);
    return true;
  }

  private assign(): Coloring {
    const { count, neighbours } = this.graph;
    const chosen = new Int8Array(count).fill(-1);
    for (let r = 0; r < FIRST_VIRTUAL; r++) chosen[r] = r;
    const spilled: Register[] = [];
    let saved = 0;
    while (this.stack.length > 0) {
      const register = this.stack.pop()!;
      let taken = 1 << RSP;
      for (const n of neighbours[register]!) {
        const hardware = chosen[this.find(n)]!;
        if (hardware >= 0) taken |= 1 << hardware;
      }
      const hardware = this.pick(register, taken, saved, chosen);
      chosen[register] = hardware;
      if (hardware < 0) spilled.push(register);
      else if (CALLEE_SAVED.includes(hardware)) saved |= 1 << hardware;
    }
    for (let r = FIRST_VIRTUAL; r < count; r++) chosen[r] = chosen[this.find(r)]!;
    return { color: chosen, spilled, representative: (register) => this.find(register) };
  }

  /** A free hardware register: that of a copy's other end if it can be, else one that needs no saving if it can be. */
  private pick(register: Register, taken: number, saved: number, chosen: Int8Array): number {
    let best = -1;
    let weight = 0;
    for (const index of this.movesOf[register]!) {
      const move = this.graph.moves[index]!;
      const [a, b] = [this.find(move.to), this.find(move.from)];
      const hardware = chosen[a === register ? b : a]!;
      if (hardware < 0 || (taken >> hardware) & 1 || move.weight <= weight) continue;
      [best, weight] = [hardware, move.weight];
    }
    if (best !== -1) return best;
    const isFree = (hardware: Register) => ((taken >> hardware) & 1) === 0;
    const isNew = (hardware: Register) => CALLEE_SAVED.includes(hardware) && ((saved >> hardware) & 1) === 0;
    return this.hardware.find((h) => isFree(h) && !isNew(h)) ?? this.hardware.find(isFree) ?? -1;
  }
}
