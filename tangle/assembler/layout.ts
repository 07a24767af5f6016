/** Places statements at addresses: repeated passes until nothing moves, then one that writes the bytes. */
import type { Relocation } from "../compiler/object.ts";
import { type Expression, evaluate, isScalar, numberValue, type Surroundings, type Value } from "./expression.ts";
import { type Field, fillField, type PlacedField } from "./fields.ts";
import { SyntaxProblem } from "./lexer.ts";
import { type Selection, selectInstruction } from "./select.ts";
import type { Emission, InstructionSyntax, Statement } from "./statement.ts";
import { type Section, type SymbolTable, Viewpoint } from "./viewpoint.ts";

export interface LayoutOptions {
  /** Where the first section lies unless `org` says otherwise. */
  readonly origin: bigint;
  /** Names that are defined nowhere are symbols of other objects, and give relocations; else they are mistakes. */
  readonly externals: boolean;
}

export interface SectionBytes {
  readonly name: string;
  readonly address: bigint;
  /** Bytes in memory. */
  readonly size: number;
  /** Empty for sections without contents. */
  readonly bytes: Uint8Array;
}

export interface Layout {
  readonly origin: bigint;
  readonly sections: readonly SectionBytes[];
  readonly symbols: ReadonlyMap<string, Value>;
  /** Where each statement that gives bytes begins: section, offset in it. */
  readonly starts: readonly { readonly section: string; readonly offset: number; readonly statement: Statement }[];
  /** `at` counts from the start of the first section. */
  readonly relocations: readonly Relocation[];
  readonly problems: readonly { readonly line: number; readonly problem: SyntaxProblem }[];
}

const MOST_PASSES = 100;
const LEAST_SECTION_ALIGNMENT = 4n;
const MOST_BYTES = 1 << 25;
/** nasm's name for uninitialised data; it takes no room in the image. */
const NOBITS = ".bss";
const UNKNOWN = numberValue(0n, true);
const NOP: Emission = { kind: "data", unit: 1, data: [{ kind: "text", bytes: Uint8Array.of(0x90) }] };

/** The bytes chosen for an instruction, and what they were chosen upon. */
interface Choice {
  readonly selection: Selection;
  readonly address: bigint;
  readonly asked: Viewpoint["asked"];
}

/** Lays out a program. Mistakes are among `problems`, one a statement. */
export function layOut(statements: readonly Statement[], options: LayoutOptions): Layout {
  const program = new Program(statements, options);
  for (let passes = 0; program.pass(false); passes++) {
    if (passes < MOST_PASSES) continue;
    const problem = new SyntaxProblem("AS2018", "the sizes in this file depend on each other without end", 1);
    program.problems.push({ line: 1, problem });
    return program.result();
  }
  program.pass(true);
  return program.result();
}

class Program implements SymbolTable {
  readonly problems: { line: number; problem: SyntaxProblem }[] = [];
  private origin: bigint;
  private readonly sections = new Map<string, Section>();
  private readonly defined = new Map<string, Statement>();
  private symbols = new Map<string, Value>();
  private previousSymbols = new Map<string, Value>();
  /** Section addresses that `previousSymbols` were computed with. */
  private previousBases = new Map<string, bigint>();
  /** The length each instruction has reached, so that it never shrinks again. */
  private readonly lengths: number[] = [];
  private readonly choices: (Choice | undefined)[] = [];
  private final = false;
  private starts: { section: string; offset: number; statement: Statement }[] = [];
  private fields: PlacedField[] = [];

  constructor(
    private readonly statements: readonly Statement[],
    private readonly options: LayoutOptions,
  ) {
    this.origin = options.origin;
    for (const name of [".text", ...statements.map((statement) => statement.section)]) {
      if (this.sections.has(name)) continue;
      const bases = new Map([[`section ${name}`, 1]]);
      const section = {
        name,
        base: 0n,
        align: LEAST_SECTION_ALIGNMENT,
        size: 0,
        formerSize: 0,
        bytes: new Uint8Array(),
        bases,
      };
      this.sections.set(name, section);
    }
    for (const statement of statements) {
      if (statement.kind !== "label" && statement.kind !== "constant") continue;
      const first = this.defined.get(statement.name);
      if (first) {
        const related = { line: first.line, column: first.column, message: "the first definition" };
        const message = `${statement.name} is defined twice`;
        const problem = new SyntaxProblem("AS2009", message, statement.column, undefined, related);
        this.problems.push({ line: statement.line, problem });
      } else this.defined.set(statement.name, statement);
    }
  }

  /** Goes through all statements; true where something lies elsewhere than in the pass before. */
  pass(final: boolean): boolean {
    const before = this.symbols;
    if (this.symbols.size === 0) this.findOrigin();
    this.symbols = new Map();
    this.final = final;
    this.starts = [];
    this.fields = [];
    for (const section of this.sections.values()) {
      if (final) section.bytes = new Uint8Array(section.name === NOBITS ? 0 : section.size);
      section.size = 0;
    }
    for (const [index, statement] of this.statements.entries()) {
      const section = this.sections.get(statement.section)!;
      const start = section.size;
      try {
        this.place(statement, index, section);
      } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) throw problem;
        if (final) this.problems.push({ line: statement.line, problem });
        // What cannot be encoded keeps its room, so that it makes no mistakes of others.
        section.size = Math.max(section.size, start + (this.lengths[index] ?? 0));
      }
      if (section.size > start) this.starts.push({ section: section.name, offset: start, statement });
    }
    this.previousSymbols = this.symbols;
    this.previousBases = new Map([...this.sections.values()].map(({ name, base }) => [`section ${name}`, base]));
    const moved = this.placeSections();
    return moved || !sameValues(before, this.symbols);
  }

  /** The origin must be known before the first pass: jumps to absolute addresses take their size from it. */
  private findOrigin(): void {
    const section = this.sections.get(".text")!;
    for (const [index, statement] of this.statements.entries()) {
      if (statement.kind !== "constant" && statement.kind !== "origin") continue;
      try {
        this.place(statement, index, section);
      } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) throw problem; // the last pass reports it
      }
    }
    this.previousSymbols = this.symbols;
    this.placeSections();
  }

  /** Gives every section its address; true where one has moved or changed its size. */
  private placeSections(): boolean {
    let address = this.origin;
    let moved = false;
    const inImage = [...this.sections.values()].filter((section) => section.name !== NOBITS);
    for (const section of [...inImage, this.sections.get(NOBITS)]) {
      if (!section) continue;
      if (section !== inImage[0]) address = address + ((section.align - (address % section.align)) % section.align);
      moved ||= section.base !== address || section.size !== section.formerSize;
      section.base = address;
      section.formerSize = section.size;
      address += BigInt(section.size);
    }
    return moved;
  }

  /** A symbol's value in this pass, or else in the pass before; null for names that nothing defines. */
  lookUp(name: string): Value | null {
    const known = this.symbols.get(name);
    if (known) return known;
    const former = this.previousSymbols.get(name);
    if (former) return this.moved(former);
    if (this.defined.has(name)) return UNKNOWN;
    if (!this.options.externals) return null;
    return { number: 0n, bases: new Map([[`symbol ${name}`, 1]]), registers: [], pending: false };
  }

  /** A value of the pass before, with the sections where they are now. */
  private moved(value: Value): Value {
    let { number } = value;
    for (const [base, count] of value.bases) {
      const section = this.sections.get(base.slice("section ".length));
      const former = this.previousBases.get(base);
      if (section && former !== undefined) number += (section.base - former) * BigInt(count);
    }
    return number === value.number ? value : { ...value, number };
  }

  private scalar(expression: Expression, around: Surroundings, what: string): bigint {
    const value = evaluate(expression, around);
    if (value.pending) return 0n;
    if (!isScalar(value)) {
      throw new SyntaxProblem(
        "AS2008",
        `${what} must be a plain number`,
        expression.column,
        "subtract $$ from a label",
      );
    }
    return value.number;
  }

  private count(expression: Expression, around: Surroundings, what: string, unit: number): number {
    const number = this.scalar(expression, around, what);
    if (number < 0n) {
      throw new SyntaxProblem(
        "AS2019",
        `${what} is ${number}: what stands before is too long by that`,
        expression.column,
      );
    }
    if (number * BigInt(unit) > MOST_BYTES) {
      throw new SyntaxProblem("AS2019", `${what} is ${number}, more than an image can hold`, expression.column);
    }
    return Number(number);
  }

  private place(statement: Statement, index: number, section: Section): void {
    const around = new Viewpoint(this, section, section.size);
    switch (statement.kind) {
      case "label":
        this.symbols.set(statement.name, around.here());
        return;
      case "constant":
        this.symbols.set(statement.name, evaluate(statement.value, around));
        return;
      case "origin":
        this.origin = this.scalar(statement.value, around, "the origin");
        return;
      case "section":
        if (statement.align) this.alignSection(section, this.boundary(statement.align, around));
        return;
      case "times":
        this.emit(
          statement.body,
          statement,
          index,
          section,
          this.count(statement.count, around, "the count of times", 1),
        );
        return;
      case "align": {
        const boundary = this.boundary(statement.boundary, around);
        this.alignSection(section, boundary);
        const padding = Number((boundary - (BigInt(section.size) % boundary)) % boundary);
        this.emit(statement.fill ?? NOP, statement, index, section, padding);
        return;
      }
      default:
        this.emit(statement, statement, index, section, 1);
    }
  }

  private alignSection(section: Section, boundary: bigint): void {
    if (boundary > section.align) section.align = boundary;
  }

  private boundary(expression: Expression, around: Surroundings): bigint {
    const boundary = this.scalar(expression, around, "an alignment");
    if (boundary > 0n && (boundary & (boundary - 1n)) === 0n && boundary <= 1n << 20n) return boundary;
    throw new SyntaxProblem("AS2019", `${boundary} is no alignment`, expression.column, "alignments are powers of two");
  }

  private emit(body: Emission, statement: Statement, index: number, section: Section, times: number): void {
    const { line, column } = statement;
    // `$` is where the statement begins, for all of its repetitions.
    const around = new Viewpoint(this, section, section.size);
    if (body.kind === "reserve") {
      const size = times * body.unit * this.count(body.count, around, "the count", body.unit);
      if (section.name === NOBITS) section.size += size;
      else this.append(section, Uint8Array.of(0), column, size);
      return;
    }
    for (let done = 0; done < times; ) {
      const address = section.base + BigInt(section.size);
      const { bytes, fields, isBranch } =
        body.kind === "data" ? this.data(body, around) : this.choose(body, column, index, around, address);
      const end = address + BigInt(bytes.length);
      if (this.final) for (const field of fields) this.addField(field, section, line, end);
      const repeats = isBranch || fields.length > 0 ? 1 : times - done;
      this.append(section, bytes, column, repeats);
      done += repeats;
    }
  }

  /** The instruction's bytes: as in the pass before, where nothing that they were chosen upon has changed. */
  private choose(
    body: InstructionSyntax,
    column: number,
    index: number,
    around: Viewpoint,
    address: bigint,
  ): Selection {
    const known = this.choices[index];
    if (known && (known.address === address || !known.selection.isBranch) && around.agreesWith(known.asked)) {
      return known.selection;
    }
    const least = this.lengths[index] ?? 0;
    const selection = selectInstruction(body, column, around, address, least);
    this.lengths[index] = Math.max(least, selection.bytes.length);
    this.choices[index] = { selection, address, asked: [...around.asked] };
    return selection;
  }

  /** Data as bytes; plain numbers are in them, addresses are fields. */
  private data(body: Emission & { kind: "data" }, around: Surroundings): Selection {
    const sizes = body.data.map((datum) => (datum.kind === "text" ? datum.bytes.length : body.unit));
    const bytes = new Uint8Array(sizes.reduce((total, size) => total + size, 0));
    const fields: Field[] = [];
    let at = 0;
    for (const [index, datum] of body.data.entries()) {
      if (datum.kind === "text") bytes.set(datum.bytes, at);
      else {
        const value = evaluate(datum.value, around);
        const { column } = datum.value;
        if (value.registers.length > 0) throw new SyntaxProblem("AS2012", "data is no place for registers", column);
        const field = { at, size: body.unit, value, relative: false, column };
        if (value.bases.size > 0) fields.push(field);
        else if (this.final) fillField({ ...field, section: "", sectionAddress: 0n, line: 0, end: 0n }, bytes, false);
      }
      at += sizes[index]!;
    }
    return { bytes, fields, isBranch: false };
  }

  private addField(field: Field, section: Section, line: number, end: bigint): void {
    const { name, base, size } = section;
    this.fields.push({ ...field, at: size + field.at, section: name, sectionAddress: base, line, end });
  }

  /** `bytes`, so many times. */
  private append(section: Section, bytes: Uint8Array, column: number, times: number): void {
    if (section.name === NOBITS) {
      throw new SyntaxProblem("AS2020", ".bss holds no bytes", column, "reserve room with resb, or use section .data");
    }
    const end = section.size + bytes.length * times;
    if (end > MOST_BYTES)
      throw new SyntaxProblem("AS2019", `this makes ${end} bytes, more than an image can hold`, column);
    if (this.final) {
      if (bytes.length === 1) section.bytes.fill(bytes[0]!, section.size, end);
      else for (let at = section.size; at < end; at += bytes.length) section.bytes.set(bytes, at);
    }
    section.size = end;
  }

  result(): Layout {
    const relocations: Relocation[] = [];
    for (const field of this.fields) {
      try {
        const { bytes } = this.sections.get(field.section)!;
        const relocation = fillField(field, bytes, this.options.externals);
        if (relocation) relocations.push(relocation);
      } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) throw problem;
        this.problems.push({ line: field.line, problem });
      }
    }
    const sections = [...this.sections.values()].map(({ name, base, size, bytes }) => {
      return { name, address: base, size, bytes };
    });
    sections.sort((a, b) => Number(a.address - b.address) || a.size - b.size);
    const { origin, symbols, starts, problems } = this;
    return { origin, sections, symbols, starts, relocations, problems };
  }
}

function sameValues(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other?.number !== value.number || other.pending !== value.pending) return false;
  }
  return true;
}
