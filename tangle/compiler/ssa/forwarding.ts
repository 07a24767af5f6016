/** Loads of what was just stored, filled in or loaded become that value; stores of what is there already disappear. */
import { Aliases, covers, isQuiet, type Location } from "./alias.ts";
import { incomingEdges, reversePostorder } from "./flow.ts";
import { BITS, type Block, type Instruction, type IrFunction, type Value, type ValueType } from "./ir.ts";
import { Replacements } from "./replace.ts";

type Kind<K extends Instruction["kind"]> = Extract<Instruction, { kind: K }>;

/** That a value stands in memory. */
interface Fact {
  readonly location: Location;
  readonly value: Value;
}

/** That all bytes of a range are the same. */
interface Fill {
  readonly location: Location;
  readonly byte: bigint;
}

interface Known {
  readonly facts: Fact[];
  readonly fills: Fill[];
}

/** Says whether anything changed. */
export function forwardMemory(f: IrFunction): boolean {
  return new Forwarding(f).run();
}

class Forwarding {
  private readonly aliases: Aliases;
  private readonly replacements = new Replacements();
  private readonly atEnd = new Map<Block, Known>();
  private readonly newConstants: Instruction[] = [];
  private changed = false;
  private facts: Fact[] = [];
  private fills: Fill[] = [];

  constructor(private readonly f: IrFunction) {
    this.aliases = new Aliases(f);
  }

  run(): boolean {
    const incoming = incomingEdges(this.f);
    for (const block of reversePostorder(this.f)) {
      this.meet(incoming.get(block)!.map(({ from }) => this.atEnd.get(from)));
      const kept = block.instructions.filter((i) => this.keep(i));
      this.changed ||= kept.length < block.instructions.length;
      block.instructions = kept;
      this.atEnd.set(block, { facts: this.facts, fills: this.fills });
    }
    this.replacements.apply(this.f);
    const entry = this.f.blocks[0]!;
    entry.instructions = [...this.newConstants, ...entry.instructions];
    return this.changed;
  }

  /** What holds on all ways into a block; nothing where one of them comes from behind (a loop). */
  private meet(ways: readonly (Known | undefined)[]): void {
    const [first, ...others] = ways;
    const isKnown = first !== undefined && !others.includes(undefined);
    this.facts = isKnown ? first.facts.filter((a) => others.every((way) => way!.facts.some((b) => isSame(a, b)))) : [];
    this.fills = isKnown ? first.fills.filter((a) => others.every((way) => way!.fills.includes(a))) : [];
  }

  /** Takes the instruction into account; false where it can go. */
  private keep(i: Instruction): boolean {
    switch (i.kind) {
      case "load":
        return this.load(i, i.results[0]!);
      case "store":
        return this.store(i);
      case "call":
      case "callIndirect":
      case "asm":
        this.forgetShared();
        return true;
      case "intrinsic":
        return this.intrinsic(i);
      default:
        return true;
    }
  }

  private load(i: Kind<"load">, result: Value): boolean {
    if (i.volatile) {
      this.forgetShared();
      return true;
    }
    const location = this.aliases.accessed(i, this.replacements.resolve(i.address));
    const known = this.find(location, result.type) ?? this.filled(location, result.type);
    if (known) this.replacements.set(result, known);
    else this.facts.push({ location, value: result });
    return !known;
  }

  private store(i: Kind<"store">): boolean {
    const location = this.aliases.accessed(i, this.replacements.resolve(i.address));
    if (i.volatile) {
      this.forgetShared();
      this.forget(location);
      return true;
    }
    const value = this.replacements.resolve(i.value);
    if (this.find(location, value.type) === value) return false;
    const constant = this.aliases.constantOf(value);
    const fill = this.fillOf(location);
    if (fill && constant !== null && constant === patternOf(fill, value.type)) return false;
    this.forget(location);
    this.facts.push({ location, value });
    return true;
  }

  private intrinsic(i: Kind<"intrinsic">): boolean {
    if (isQuiet(i)) return true;
    if (i.name !== "copyMemory" && i.name !== "fillMemory") {
      this.forgetShared();
      return true;
    }
    const to = this.replacements.resolve(i.arguments[0]!);
    const written = this.aliases.range(to, 0, this.aliases.lengthOf(i));
    const byte = i.name === "fillMemory" ? this.aliases.constantOf(this.replacements.resolve(i.arguments[1]!)) : null;
    if (byte !== null && this.fillOf(written)?.byte === byte) return false;
    this.forget(written);
    if (byte !== null && Number.isFinite(written.bytes)) this.fills.push({ location: written, byte });
    return true;
  }

  private find(location: Location, type: ValueType): Value | undefined {
    return this.facts.find((fact) => fact.value.type === type && isSameLocation(fact.location, location))?.value;
  }

  private fillOf(location: Location): Fill | undefined {
    return this.fills.find((fill) => covers(fill.location, location));
  }

  /** The constant that stands in a filled range. */
  private filled(location: Location, type: ValueType): Value | null {
    const fill = this.fillOf(location);
    if (!fill) return null;
    const result = this.f.value(type);
    this.newConstants.push({ kind: "constant", value: patternOf(fill, type), results: [result], place: null });
    return result;
  }

  private forget(written: Location): void {
    this.facts = this.facts.filter((fact) => !this.aliases.mayOverlap(fact.location, written));
    this.fills = this.fills.filter((fill) => !this.aliases.mayOverlap(fill.location, written));
  }

  private forgetShared(): void {
    this.facts = this.facts.filter((fact) => !this.aliases.isShared(fact.location));
    this.fills = this.fills.filter((fill) => !this.aliases.isShared(fill.location));
  }
}

/** The byte, as often as the type has bytes. */
function patternOf({ byte }: Fill, type: ValueType): bigint {
  const bytes = Math.max(8, BITS[type]) / 8;
  return BigInt.asUintN(BITS[type], BigInt(`0x${byte.toString(16).padStart(2, "0").repeat(bytes)}`));
}

function isSame(a: Fact, b: Fact): boolean {
  return a.value === b.value && isSameLocation(a.location, b.location);
}

function isSameLocation(a: Location, b: Location): boolean {
  return a.base === b.base && a.offset === b.offset && a.bytes === b.bytes;
}
