/** All forms of instructions met so far: made in batches, then found by the bytes that an instruction begins with. */
import { decode } from "#isa/decode.ts";
import type { Instruction } from "#isa/instruction.ts";
import type { Cpu } from "#machine/cpu/cpu.ts";
import { meaningOf } from "#machine/cpu/instruction-set.ts";
import { type DecodedInstruction, withMeaning } from "../code-cache.ts";
import { EDGE_SHIFT, EDGES, FORM_TYPE } from "./arrival.ts";
import { NotEmitted } from "./branch-emitter.ts";
import { type CodeRecords, ENDS, RECORD } from "./code-records.ts";
import type { Context } from "./context.ts";
import { encodeModule, type FunctionBody } from "./encoder.ts";
import { type Form, makeForm } from "./form-function.ts";
import { type Field, Heads, LONGEST_HEAD } from "./heads.ts";
import { type OpenInstruction, openInstruction } from "./open-instruction.ts";
import { ModuleImports, TYPES } from "./runtime.ts";
import { Shapes } from "./shapes.ts";
import { survey } from "./survey.ts";
import type { Translations } from "./translations.ts";

const FORM_TYPES = [...TYPES, FORM_TYPE];

/** Instructions that the evaluator does for want of forms before these are made, and forms that wait at most. */
const PATIENCE = 60;
const MOST_WAITING = 48;
/** Forms that are known: some cannot be made. */
export const MOST_FORMS = 4096;
/** Modules with forms: the more there are, the longer the next one waits. Tests that make each form at once have more. */
const MOST_MODULES = 200;
const STEP = 16;

interface KnownForm {
  readonly closed: boolean;
  /** In the table of functions; -1 before the form is made, and where only the evaluator can do the instruction. */
  slot: number;
  /** What it does to registers, once it is made. */
  effects: Effects | null;
}

type Effects = Omit<Form, "body">;

/** A form that is to be made from one of its instructions. */
interface WaitingForm {
  readonly form: KnownForm;
  readonly decoded: DecodedInstruction;
  readonly context: Context;
  readonly closed: boolean;
  readonly isLast: boolean;
}

interface Found {
  readonly form: KnownForm;
  readonly open: OpenInstruction;
}

export interface FormRules {
  /** Each form is made when it is first met. */
  readonly isEager: boolean;
  /** Forms that may be known. */
  readonly most: number;
  /** Blocks of a shape that are met before it gets a function. */
  readonly shape: number;
  /** Whether enough is known of where the computed jump at a place in RAM leads. */
  hasLearned(place: number): boolean;
}

export class Forms {
  readonly #forms = new Map<string, KnownForm>();
  readonly heads: Heads;
  readonly shapes: Shapes;
  #waiting: WaitingForm[] = [];
  #missed = 0;
  #modules = 0;
  readonly #view: DataView;

  constructor(
    readonly cpu: Cpu,
    readonly records: CodeRecords,
    readonly translations: Translations,
    readonly rules: FormRules,
  ) {
    this.#view = new DataView(cpu.state.memory.buffer);
    this.heads = new Heads(cpu.state.memory, cpu.memory.size);
    this.shapes = new Shapes(cpu, this.heads, translations, rules.shape);
  }

  /**
   * Makes records from a place on: `some`, or none, because the form of the instruction is not made yet or `never` will
   * be.
   */
  enter(place: number, rip: bigint, context: Context): "some" | "later" | "never" {
    this.records.use();
    if (isFarFromEdges(rip) && this.translations.arrivals.lay(place, context.id) !== 0) return "some";
    const end = (place | 0xfff) + 1;
    const bytes = this.cpu.memory.readBytes(place, Math.min(15, end - place));
    const instruction = decode(bytes, 0, context.mode);
    const decoded = instruction.mnemonic === null ? null : withMeaning(instruction);
    if (decoded === null) return "never";
    if (isComputed(decoded.instruction) && !this.rules.hasLearned(place)) return "later";
    const isLast = place + decoded.length === end;
    const found = this.#formOf(decoded, context, isLast);
    if (typeof found === "string") return found;
    if (isRelative(decoded.instruction) && !isFarFromEdges(rip)) return "later";
    const { registers, immediate, displacement } = found.open;
    const record = this.records.enter(place, context.id, found.form.slot, decoded.length, registers);
    this.#view.setBigUint64(record + RECORD.immediate, BigInt.asUintN(64, immediate), true);
    this.#view.setInt32(record + RECORD.displacement, Number(BigInt.asIntN(32, displacement)), true);
    if (!isLast && bytes.length === 15 && !this.heads.isFull) this.#learn(found.form, bytes, decoded, context);
    return "some";
  }

  /** The form of an instruction, once it has been made, and what the form leaves open. */
  #formOf(decoded: DecodedInstruction, context: Context, isLast: boolean): Found | "later" | "never" {
    for (const closed of [false, true]) {
      const open = openInstruction(decoded.instruction, context, closed);
      if (open === null) return "never";
      if (open.registers.length > MOST_REGISTERS) continue;
      const key = `${tiesOf(decoded, context)} ${closed} ${isLast} ${open.key}`;
      const form = this.#known(key, { decoded, context, closed, isLast });
      if (form.slot < 0) return this.#waiting.some((one) => one.form === form) ? "later" : "never";
      if (closed || !isAliased(form.effects!, open.registers)) return { form, open };
    }
    return "never";
  }

  /** There is no room for another form: whoever goes on so should clear all. */
  get isFull(): boolean {
    return this.#forms.size >= this.rules.most || (this.#modules >= MOST_MODULES && !this.rules.isEager);
  }

  #known(key: string, parts: Omit<WaitingForm, "form">): KnownForm {
    const { isEager } = this.rules;
    let form = this.#forms.get(key);
    if (form === undefined) {
      form = { closed: parts.closed, slot: -1, effects: null };
      this.#forms.set(key, form);
      this.#waiting.push({ form, ...parts });
    }
    if (form.slot < 0 && this.#waiting.length > 0) {
      this.#missed++;
      const patience = PATIENCE * (1 + Math.floor(this.#modules / STEP));
      if (isEager || this.#missed >= patience || this.#waiting.length >= MOST_WAITING) this.#make();
    }
    return form;
  }

  /** Makes all forms that wait, in one module. */
  #make(): void {
    const imports = new ModuleImports();
    const made: KnownForm[] = [];
    const functions: FunctionBody[] = [];
    for (const waiting of this.#waiting) {
      const { form, decoded, context } = waiting;
      try {
        const name = `f${made.length}`;
        const { body, ...effects } = makeForm(decoded, context, this.cpu, imports, TYPES.length, waiting, name);
        form.effects = effects;
        functions.push(body);
        made.push(form);
      } catch (reason) {
        if (!(reason instanceof NotEmitted)) throw reason;
      }
    }
    this.#waiting = [];
    this.#missed = 0;
    if (made.length === 0) return;
    const bytes = encodeModule({ types: FORM_TYPES, tables: ["forms"], imports: imports.list, functions });
    const engine = this.translations.importsOf(imports);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { engine });
    const first = this.translations.addForms(functions.map(({ name }) => exports[name]));
    for (const [index, form] of made.entries()) form.slot = first + index;
    this.#modules++;
  }

  /** Finds out which of the bytes are only numbers, by changing one after the other. */
  #learn(form: KnownForm, bytes: Uint8Array, decoded: DecodedInstruction, context: Context): void {
    const { instruction, length } = decoded;
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
    if (Object.values(fields).some(({ count }) => !NUMBER_BYTES.includes(count)) || fields.displacement.count > 4)
      return;
    const field = (name: "immediate" | "displacement"): Field | null => {
      const { first, count } = fields[name];
      if (count === 0) return open[name] === 0n ? { at: 0, bytes: 0, width: 64 } : null;
      const width = name === "immediate" ? immediateWidth(instruction) : 64;
      return { at: first, bytes: count, width };
    };
    const [immediate, displacement] = [field("immediate"), field("displacement")];
    if (immediate === null || displacement === null) return;
    const { registers } = open;
    const ends = endOf(instruction);
    this.heads.add(bytes.subarray(0, head), {
      length,
      context,
      slot: form.slot,
      ends,
      registers,
      immediate,
      displacement,
    });
  }

  /** What has been translated, and the memory, have been cleared. */
  clear(): void {
    this.#modules = 0;
    this.#forms.clear();
    this.heads.clear();
    this.shapes.clear();
    this.#waiting = [];
    this.#missed = 0;
  }
}

/** Registers that a record has room for. */
const MOST_REGISTERS = 3;
/** Bytes that a number has in an instruction. */
const NUMBER_BYTES: readonly number[] = [0, 1, 2, 4, 8];

/** What the code of an instruction's form takes for granted of the context: contexts share it where that is the same. */
function tiesOf({ instruction, meaning }: DecodedInstruction, context: Context): string {
  const { id, mode, stackWidth, key, ownKey, privilege } = context;
  const usesUnits = meaningOf(instruction.mnemonic) === null;
  if (usesUnits) return `#${id}`;
  if (!survey(meaning, instruction, stackWidth).leaves) return `${mode}`;
  return mode === 64 ? `${mode}/${key}/${ownKey}/${privilege}` : `#${id}`;
}

/** Whether an open register of an instruction that changes registers is one that it uses without naming it. */
function isAliased({ written, implied }: Effects, registers: readonly number[]): boolean {
  if (written.size === 0) return false;
  return new Set([...registers, ...implied]).size < registers.length + implied.length;
}

function isRelative({ operands }: Instruction): boolean {
  return operands[0]?.kind === "relative";
}

/** Whether no relative jump from here can lead to an address that is not canonical. */
function isFarFromEdges(rip: bigint): boolean {
  return !EDGES.includes(rip >> EDGE_SHIFT);
}

function isComputed({ mnemonic, operands }: Instruction): boolean {
  return (mnemonic === "jmp" || mnemonic === "call") && operands[0]!.kind !== "relative";
}

const ENDING = new Set(["jmp", "call", "ret"]);

function endOf(instruction: Instruction): number {
  if (ENDING.has(instruction.mnemonic)) return ENDS.always;
  return isRelative(instruction) ? ENDS.maybe : ENDS.no;
}

function immediateWidth({ operands }: Instruction): number {
  return operands.find(({ kind }) => kind === "immediate")?.width ?? 0;
}
