/** All forms of instructions met so far: made in batches, then found by the bytes that an instruction begins with. */
import { decode } from "#isa/decode.ts";
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { meaningOf, vectorMeaningOf } from "#machine/cpu/instruction-set.ts";
import { RAM } from "#machine/cpu/layout.ts";
import type { DecodedInstruction } from "../code-cache.ts";
import { FORM_TYPE } from "./arrival.ts";
import { NotEmitted } from "./branch-emitter.ts";
import { type CodeRecords, RECORD } from "./code-records.ts";
import type { Context } from "./context.ts";
import { encodeModule } from "./encoder.ts";
import { type Form, makeForm } from "./form-function.ts";
import { type OpenInstruction, openInstruction } from "./open-instruction.ts";
import { ModuleImports, TYPES } from "./runtime.ts";
import type { Translations } from "./translations.ts";

const FORM_TYPES = [...TYPES, FORM_TYPE];

/** Instructions that the evaluator does for want of forms before these are made, and forms that wait at most. */
const PATIENCE = 400;
const MOST_WAITING = 48;
const MOST_FORMS = 4096;

interface KnownForm {
  readonly decoded: DecodedInstruction;
  readonly context: Context;
  readonly closed: boolean;
  readonly isLast: boolean;
  /** In the table of functions; -1 before the form is made, and where only the evaluator can do the instruction. */
  slot: number;
  made: Form | null;
}

/** What bytes at the beginning of an instruction say about the rest. */
interface Head {
  readonly form: KnownForm;
  readonly length: number;
  readonly isRelative: boolean;
  /** Control may go elsewhere. */
  readonly ends: boolean;
  readonly registers: readonly number[];
  readonly immediate: Field;
  readonly displacement: Field;
}

/** A number in an instruction's bytes: sign-extended, cut to `width`, and `plus` added. */
interface Field {
  readonly at: number;
  readonly bytes: number;
  readonly width: number;
  readonly plus: number;
}

interface Found {
  readonly form: KnownForm;
  readonly open: OpenInstruction;
}

export interface FormRules {
  /** Each form is made when it is first met. */
  readonly isEager: boolean;
  /** Whether enough is known of where the computed jump at a place in RAM leads. */
  hasLearned(place: number): boolean;
}

export class Forms {
  readonly #forms = new Map<string, KnownForm>();
  /** By context, then by number of bytes, then by these bytes. */
  readonly #heads = new Map<number, Map<number, Head>[]>();
  #waiting: KnownForm[] = [];
  #missed = 0;
  #slots = 0;
  readonly #view: DataView;

  constructor(
    readonly cpu: Cpu,
    readonly records: CodeRecords,
    readonly translations: Translations,
    readonly rules: FormRules,
  ) {
    this.#view = new DataView(cpu.state.memory.buffer);
  }

  /**
   * Makes records from a place on, as far as control goes straight on and the page goes: `some`, or none, because the
   * form of the instruction is not made yet or `never` will be.
   */
  enter(place: number, rip: bigint, context: Context): "some" | "later" | "never" {
    const end = (place | 0xfff) + 1;
    let at = place;
    for (let count = 0; count < LONGEST_RUN && at < end; count++) {
      if (at !== place && this.records.has(at, context.id)) break;
      const length = this.#enterOne(at, rip + BigInt(at - place), context, end);
      if (typeof length === "string") return at !== place ? "some" : length;
      if (length < 0) break;
      at += length;
    }
    return "some";
  }

  /** Gives the instruction's length, its negative where control goes elsewhere. */
  #enterOne(place: number, rip: bigint, context: Context, end: number): number | "later" | "never" {
    const head = end - place > 16 ? this.#findHead(place, context) : null;
    if (head !== null) {
      if (head.isRelative && !isFarFromEdges(rip)) return "later";
      this.#enterHead(head, place, context);
      return head.ends ? -head.length : head.length;
    }
    const bytes = this.cpu.memory.readBytes(place, Math.min(15, end - place));
    const decoded = decodeAt(bytes, context);
    if (decoded === null) return "never";
    if (isComputed(decoded.instruction) && !this.rules.hasLearned(place)) return "later";
    const isLast = place + decoded.length === end;
    const found = this.#formOf(decoded, context, isLast);
    if (typeof found === "string") return found;
    if (isRelative(decoded.instruction) && !isFarFromEdges(rip)) return "later";
    const { registers, immediate, displacement } = found.open;
    const record = this.records.enter(place, context.id, found.form.slot, decoded.length, registers);
    this.#view.setBigUint64(record + RECORD.immediate, BigInt.asUintN(64, immediate), true);
    this.#view.setBigUint64(record + RECORD.displacement, BigInt.asUintN(64, displacement), true);
    if (!isLast && bytes.length === 15) this.#learn(found.form, bytes, decoded.instruction, context);
    return endsBlock(decoded.instruction) ? -decoded.length : decoded.length;
  }

  /** The form of an instruction, once it has been made, and what the form leaves open. */
  #formOf(decoded: DecodedInstruction, context: Context, isLast: boolean): Found | "later" | "never" {
    for (const closed of [false, true]) {
      const open = openInstruction(decoded.instruction, context, closed);
      if (open === null) return "never";
      if (open.registers.length > MOST_REGISTERS) continue;
      const form = this.#known(`${context.id} ${closed} ${isLast} ${open.key}`, { decoded, context, closed, isLast });
      if (form.slot < 0) return this.#waiting.includes(form) ? "later" : "never";
      if (closed || !isAliased(form.made!, open.registers)) return { form, open };
    }
    return "never";
  }

  #known(key: string, parts: Omit<KnownForm, "slot" | "made">): KnownForm {
    let form = this.#forms.get(key);
    if (form === undefined) {
      form = { ...parts, slot: -1, made: null };
      this.#forms.set(key, form);
      this.#waiting.push(form);
    }
    if (form.slot < 0 && this.#waiting.length > 0) {
      this.#missed++;
      if (this.rules.isEager || this.#missed >= PATIENCE || this.#waiting.length >= MOST_WAITING) this.#make();
    }
    return form;
  }

  /** Makes all forms that wait, in one module. */
  #make(): void {
    const imports = new ModuleImports();
    const made: KnownForm[] = [];
    for (const form of this.#waiting) {
      if (this.#slots + made.length >= MOST_FORMS) break;
      try {
        form.made = makeForm(form.decoded, form.context, this.cpu, imports, TYPES.length, form, `f${made.length}`);
        made.push(form);
      } catch (reason) {
        if (!(reason instanceof NotEmitted)) throw reason;
      }
    }
    this.#waiting = [];
    this.#missed = 0;
    if (made.length === 0) return;
    const functions = made.map((form) => form.made!.body);
    const bytes = encodeModule({ types: FORM_TYPES, tables: ["forms"], imports: imports.list, functions });
    const { forms } = this.translations;
    const engine = this.translations.importsOf(imports);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { engine });
    if (this.#slots + made.length > forms.length) forms.grow(Math.max(made.length, forms.length));
    for (const [index, form] of made.entries()) {
      form.slot = this.#slots++;
      forms.set(form.slot, exports[`f${index}`]);
    }
  }

  // Heads

  #findHead(place: number, { id }: Context): Head | null {
    const maps = this.#heads.get(id);
    if (maps === undefined) return null;
    let key = 0;
    let factor = 1;
    for (let length = 1; length < maps.length; length++) {
      key += this.#view.getUint8(RAM + place + length - 1) * factor;
      factor *= 256;
      const found = maps[length]!.get(key);
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Makes the record of an instruction whose head is known. */
  #enterHead({ form, length, registers, immediate, displacement }: Head, place: number, context: Context): void {
    const record = this.records.enter(place, context.id, form.slot, length, registers);
    this.#copy(place, immediate, record + RECORD.immediate);
    this.#copy(place, displacement, record + RECORD.displacement);
  }

  /** Puts a number of an instruction into its record. */
  #copy(place: number, { at, bytes, width, plus }: Field, to: number): void {
    const view = this.#view;
    const start = RAM + place + at;
    if (bytes === 8) {
      view.setBigUint64(to, view.getBigUint64(start, true), true);
      return;
    }
    let value = plus;
    if (bytes === 1) value += view.getInt8(start);
    else if (bytes === 2) value += view.getInt16(start, true);
    else if (bytes === 4) value += view.getInt32(start, true);
    view.setInt32(to, width < 32 ? value & (2 ** width - 1) : value, true);
    view.setInt32(to + 4, width === 64 && value < 0 ? -1 : 0, true);
  }

  /** Finds out which of the bytes are only numbers, by changing one after the other. */
  #learn(form: KnownForm, bytes: Uint8Array, instruction: Instruction, context: Context): void {
    const { length } = instruction;
    const open = openInstruction(instruction, context, form.closed)!;
    const fields = { immediate: { first: length, count: 0 }, displacement: { first: length, count: 0 } };
    let head = length;
    for (; head > 1; head--) {
      const changed = bytes.slice();
      changed[head - 1]! ^= 0x81;
      const other = decode(changed, 0, context.mode);
      if (other.mnemonic === null || other.length !== length) break;
      const opened = openInstruction(other, context, form.closed);
      if (opened?.key !== open.key || `${opened.registers}` !== `${open.registers}`) break;
      const name = opened.immediate !== open.immediate ? "immediate" : "displacement";
      if (opened[name] === open[name]) break;
      fields[name].first = head - 1;
      fields[name].count++;
    }
    if (head > LONGEST_HEAD || isComputed(instruction)) return;
    if (Object.values(fields).some(({ count }) => !NUMBER_BYTES.includes(count))) return;
    const field = (name: "immediate" | "displacement"): Field | null => {
      const { first, count } = fields[name];
      if (count === 0) return open[name] === 0n ? { at: 0, bytes: 0, width: 64, plus: 0 } : null;
      if (isRelative(instruction)) return { at: first, bytes: count, width: 64, plus: length };
      const width = name === "immediate" ? immediateWidth(instruction) : displacementWidth(instruction);
      return { at: first, bytes: count, width, plus: 0 };
    };
    const [immediate, displacement] = [field("immediate"), field("displacement")];
    if (immediate === null || displacement === null) return;
    const maps = this.#heads.get(context.id) ?? Array.from({ length: LONGEST_HEAD + 1 }, () => new Map<number, Head>());
    this.#heads.set(context.id, maps);
    let key = 0;
    for (let index = head - 1; index >= 0; index--) key = key * 256 + bytes[index]!;
    const { registers } = open;
    const ways = { isRelative: isRelative(instruction), ends: endsBlock(instruction) };
    maps[head]!.set(key, { form, length, registers, ...ways, immediate, displacement });
  }

  clear(): void {
    for (let slot = 0; slot < this.#slots; slot++) this.translations.forms.set(slot, null);
    this.#slots = 0;
    this.#forms.clear();
    this.#heads.clear();
    this.#waiting = [];
    this.#missed = 0;
  }
}

/** Registers that a record has room for. */
const MOST_REGISTERS = 3;
/** Records made at a time. */
const LONGEST_RUN = 48;
/** Bytes that a number has in an instruction. */
const NUMBER_BYTES: readonly number[] = [0, 1, 2, 4, 8];
/** Bytes of a head; their number must fit in a double. */
const LONGEST_HEAD = 6;

function decodeAt(bytes: Uint8Array, { mode }: Context): DecodedInstruction | null {
  const instruction = decode(bytes, 0, mode);
  if (instruction.mnemonic === null) return null;
  const meaning = meaningOf(instruction.mnemonic) ?? vectorMeaningOf(instruction.mnemonic);
  return meaning === null ? null : { instruction, meaning, length: instruction.length };
}

/** Whether two names of an instruction that changes registers mean the same one. */
function isAliased({ written, implied }: Form, registers: readonly number[]): boolean {
  if (written.size === 0) return false;
  return new Set([...registers, ...implied]).size < registers.length + implied.length;
}

function isRelative({ operands }: Instruction): boolean {
  return operands[0]?.kind === "relative";
}

/** Whether no relative jump from here can lead to an address that is not canonical. */
function isFarFromEdges(rip: bigint): boolean {
  const page = (rip >> 40n) & 0xffffn;
  return page !== 0x7fn && page !== 0xff80n;
}

function isComputed({ mnemonic, operands }: Instruction): boolean {
  return (mnemonic === "jmp" || mnemonic === "call") && operands[0]!.kind !== "relative";
}

const ENDING = new Set(["jmp", "call", "ret"]);

function endsBlock(instruction: Instruction): boolean {
  return isRelative(instruction) || ENDING.has(instruction.mnemonic);
}

function immediateWidth({ operands }: Instruction): number {
  return operands.find(({ kind }) => kind === "immediate")?.width ?? 0;
}

function displacementWidth({ operands }: Instruction): number {
  const memory = operands.find(({ kind }) => kind === "memory");
  return memory?.kind === "memory" ? memory.addressWidth : 0;
}
