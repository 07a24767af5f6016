/** Sections, and the program as an expression at one place in it sees it. */
import type { Surroundings, Value } from "./expression.ts";

export interface SymbolTable {
  /** A symbol's value as far as it is known; null for names that nothing defines. */
  lookUp(name: string): Value | null;
}

export interface Section {
  readonly name: string;
  base: bigint;
  align: bigint;
  size: number;
  /** In the pass before. */
  formerSize: number;
  /** Written in the last pass only. */
  bytes: Uint8Array;
  /** What addresses in this section are relative to. */
  readonly bases: ReadonlyMap<string, number>;
}

/** The program as seen from one place in it, which remembers what it was asked. */
export class Viewpoint implements Surroundings {
  readonly asked: { readonly name: string; readonly value: Value | null }[] = [];

  constructor(
    private readonly program: SymbolTable,
    private readonly section: Section,
    private readonly offset: number,
  ) {}

  private answer(name: string): Value | null {
    if (name !== "$" && name !== "$$") return this.program.lookUp(name);
    const { base, bases } = this.section;
    return { number: name === "$" ? base + BigInt(this.offset) : base, bases, registers: [], pending: false };
  }

  symbol(name: string): Value | null {
    const value = this.answer(name);
    this.asked.push({ name, value });
    return value;
  }

  here(): Value {
    return this.symbol("$")!;
  }

  sectionStart(): Value {
    return this.symbol("$$")!;
  }

  /** Whether it would answer as another viewpoint did. */
  agreesWith(asked: Viewpoint["asked"]): boolean {
    return asked.every(({ name, value }) => {
      const now = this.answer(name);
      return now?.number === value?.number && now?.pending === value?.pending;
    });
  }
}
