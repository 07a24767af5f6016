/** Places statements at addresses: repeated passes until nothing moves, then one that writes the bytes. */
import type { Relocation } from "../compiler/object.ts";
import { type Expression, evaluate, isScalar, numberValue, type Surroundings, type Value } from "./expression.ts";
import { SyntaxProblem } from "./lexer.ts";
import { type Field, selectInstruction } from "./select.ts";
import type { Emission, Statement } from "./statement.ts";

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
const MOST_BYTES = 1 << 26;
/** nasm's name for uninitialised data; it takes no room in the image. */
const NOBITS = ".bss";
const NOP: Emission = { kind: "data", unit: 1, data: [{ kind: "text", bytes: Uint8Array.of(0x90) }] };

interface Section {
  readonly name: string;
  base: bigint;
  align: bigint;
  size: number;
}

/** Where a byte field's value comes from, in a section. */
interface PlacedField extends Field {
  readonly section: Section;
  readonly line: number;
  /** Address of the end of the instruction. */
  readonly end: bigint;
}

/** Lays out a program. Mistakes are among `problems`, one a statement. */
export function layOut(statements: readonly Statement[], options: LayoutOptions): Layout {
  const program = new Program(statements, options);
  let passes = 0;
  while (program.pass(false)) {
    if (++passes < MOST_PASSES) continue;
    const problem = new SyntaxProblem("AS2018", "the sizes in this file depend on each other without end", 1);
    program.problems.push({ line: 1, problem });
    break;
  }
  program.pass(true);
  return program.result();
}

class Program {
  readonly problems: { line: number; problem: SyntaxProblem }[] = [];
  private origin: bigint;
  private readonly sections = new Map<string, Section>();
  private readonly defined = new Set<string>();
  private symbols = new Map<string, Value>();
  private previousSymbols = new Map<string, Value>();
  /** The length each instruction has reached, so that it never shrinks again. */
  private readonly lengths: number[] = [];
  private bytes = new Map<string, number[]>();
  private starts: { section: string; offset: number; statement: Statement }[] = [];
  private fields: PlacedField[] = [];

  constructor(
    private readonly statements: readonly Statement[],
    private readonly options: LayoutOptions,
  ) {
    this.origin = options.origin;
    for (const name of [".text", ...statements.map((statement) => statement.section)]) {
      if (this.sections.has(name)) continue;
      this.sections.set(name, { name, base: 0n, align: LEAST_SECTION_ALIGNMENT, size: 0 });
    }
    for (const statement of statements) {
      if (statement.kind !== "label" && statement.kind !== "constant") continue;
      if (this.defined.has(statement.name)) {
        const problem = new SyntaxProblem("AS2009", `${statement.name} is defined twice`, statement.column);
        this.problems.push({ line: statement.line, problem });
      }
      this.defined.add(statement.name);
    }
  }

  /** Goes through all statements; true where something lies elsewhere than in the pass before. */
  pass(final: boolean): boolean {
    const before = this.summary();
    this.previousSymbols = this.symbols;
    this.symbols = new Map();
    this.bytes = new Map([...this.sections.keys()].map((name) => [name, []]));
    this.starts = [];
    this.fields = [];
    for (const section of this.sections.values()) section.size = 0;
    for (const [index, statement] of this.statements.entries()) {
      const section = this.sections.get(statement.section)!;
      const start = section.size;
      try {
        this.place(statement, index, section);
      } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) throw problem;
        if (final) this.problems.push({ line: statement.line, problem });
      }
      if (section.size > start) this.starts.push({ section: section.name, offset: start, statement });
    }
    this.placeSections();
    return this.summary() !== before;
  }

  private summary(): string {
    const sections = [...this.sections.values()].map((section) => `${section.base}+${section.size}`);
    const symbols = [...this.symbols].map(([name, value]) => `${name}=${value.number}${value.pending ? "?" : ""}`);
    return [...sections, ...symbols].join();
  }

  private placeSections(): void {
    let address = this.origin;
    const inImage = [...this.sections.values()].filter((section) => section.name !== NOBITS);
    for (const section of [...inImage, this.sections.get(NOBITS)]) {
      if (!section) continue;
      if (section !== inImage[0]) address = address + ((section.align - (address % section.align)) % section.align);
      section.base = address;
      address += BigInt(section.size);
    }
  }

  private around(section: Section, offset: number): Surroundings {
    const bases = new Map([[`section ${section.name}`, 1]]);
    const at = (number: bigint): Value => ({ number, bases, registers: [], pending: false });
    return {
      here: () => at(section.base + BigInt(offset)),
      sectionStart: () => at(section.base),
      symbol: (name) => {
        const known = this.symbols.get(name) ?? this.previousSymbols.get(name);
        if (known) return known;
        if (this.defined.has(name)) return numberValue(0n, true);
        if (!this.options.externals) return null;
        return { number: 0n, bases: new Map([[`symbol ${name}`, 1]]), registers: [], pending: false };
      },
    };
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
    const around = this.around(section, section.size);
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
      case "times": {
        const times = this.count(statement.count, around, "the count of times", 1);
        for (let i = 0; i < times; i++) this.emit(statement.body, statement, index, section, around);
        return;
      }
      case "align": {
        const boundary = this.boundary(statement.boundary, around);
        this.alignSection(section, boundary);
        const padding = Number((boundary - (BigInt(section.size) % boundary)) % boundary);
        for (let i = 0; i < padding; i++) this.emit(statement.fill ?? NOP, statement, index, section, around);
        return;
      }
      default:
        this.emit(statement, statement, index, section, around);
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

  private emit(body: Emission, statement: Statement, index: number, section: Section, around: Surroundings): void {
    switch (body.kind) {
      case "instruction": {
        const least = this.lengths[index] ?? 0;
        const address = section.base + BigInt(section.size);
        const { bytes, fields } = selectInstruction(body, statement.column, around, address, least);
        this.lengths[index] = Math.max(least, bytes.length);
        const end = section.base + BigInt(section.size + bytes.length);
        for (const field of fields) this.addField(field, section, statement.line, end);
        this.append(section, bytes, statement.column);
        return;
      }
      case "reserve": {
        const size = body.unit * this.count(body.count, around, "the count", body.unit);
        if (section.name === NOBITS) section.size += size;
        else this.append(section, new Uint8Array(size), statement.column);
        return;
      }
      case "data":
        for (const datum of body.data) {
          if (datum.kind === "text") this.append(section, datum.bytes, statement.column);
          else {
            const value = evaluate(datum.value, around);
            if (value.registers.length > 0)
              throw new SyntaxProblem("AS2012", "data is no place for registers", datum.value.column);
            const field = { at: 0, size: body.unit, value, relative: false, column: datum.value.column };
            this.addField(field, section, statement.line, 0n);
            this.append(section, new Uint8Array(body.unit), statement.column);
          }
        }
    }
  }

  private addField(field: Field, section: Section, line: number, end: bigint): void {
    this.fields.push({ ...field, at: section.size + field.at, section, line, end });
  }

  private append(section: Section, bytes: Uint8Array, column: number): void {
    if (section.name === NOBITS) {
      throw new SyntaxProblem("AS2020", ".bss holds no bytes", column, "reserve room with resb, or use section .data");
    }
    const list = this.bytes.get(section.name)!;
    for (const byte of bytes) list.push(byte);
    section.size += bytes.length;
  }

  result(): Layout {
    const relocations: Relocation[] = [];
    for (const field of this.fields) {
      try {
        const relocation = this.fill(field);
        if (relocation) relocations.push(relocation);
      } catch (problem) {
        if (!(problem instanceof SyntaxProblem)) throw problem;
        this.problems.push({ line: field.line, problem });
      }
    }
    const sections = [...this.sections.values()].map(({ name, base, size }) => {
      return { name, address: base, size, bytes: Uint8Array.from(this.bytes.get(name)!) };
    });
    sections.sort((a, b) => Number(a.address - b.address) || a.size - b.size);
    const { origin, symbols, starts, problems } = this;
    return { origin, sections, symbols, starts, relocations, problems };
  }

  /** Writes a field's value into the bytes, or gives the relocation that will. */
  private fill(field: PlacedField): Relocation | null {
    const { value, size, column } = field;
    const bases = new Map(value.bases);
    if (field.relative && this.isMovable()) subtractBase(bases, `section ${field.section.name}`);
    const open = [...bases].filter(([base]) => base.startsWith("symbol ") || this.isMovable());
    if (open.length > 0) return relocationOf(field, open);
    const sum = [...value.bases.values()].reduce((total, count) => total + count, 0);
    if (value.bases.size > 0 && sum !== 0 && sum !== 1) {
      throw new SyntaxProblem(
        "AS2008",
        "the sum of addresses is no address",
        column,
        "subtract labels, or add numbers to them",
      );
    }
    const number = field.relative ? value.number - field.end : value.number;
    const width = BigInt(size * 8);
    const fits = field.relative
      ? BigInt.asIntN(size * 8, number) === number || size === 2
      : number >> width === 0n || number >> width === -1n;
    if (!fits) {
      throw new SyntaxProblem(
        "AS2013",
        `${number} does not fit into ${size === 1 ? "a byte" : `${size} bytes`}`,
        column,
      );
    }
    const bytes = this.bytes.get(field.section.name)!;
    for (let i = 0; i < size; i++) bytes[field.at + i] = Number((number >> BigInt(8 * i)) & 0xffn);
    return null;
  }

  /** Code that the linker will place: even its own labels have no address yet. */
  private isMovable(): boolean {
    return this.options.externals;
  }
}

function subtractBase(bases: Map<string, number>, name: string): void {
  const count = (bases.get(name) ?? 0) - 1;
  if (count === 0) bases.delete(name);
  else bases.set(name, count);
}

function relocationOf(field: PlacedField, open: readonly (readonly [string, number])[]): Relocation {
  const symbols = open.filter(([base]) => base.startsWith("symbol "));
  const [name, count] = symbols[0] ?? ["", 0];
  const expected = field.relative ? 2 : 1;
  const sizeFits = field.size === 4 || (field.size === 8 && !field.relative);
  if (symbols.length !== 1 || count !== 1 || open.length !== expected || !sizeFits) {
    const hint =
      symbols.length === 0 ? "the address of a label here is known only relative: lea rax, [rel label]" : undefined;
    throw new SyntaxProblem("AS2008", "this address cannot be left to the linker", field.column, hint);
  }
  const end = Number(field.end - field.section.base) - field.at;
  return {
    at: field.at,
    kind: field.relative ? "relative32" : field.size === 4 ? "absolute32" : "absolute64",
    symbol: name.slice("symbol ".length),
    addend: Number(field.value.number) - (field.relative ? end - field.size : 0),
  };
}
