/** What inspectors show of a machine: looked up in its registers and its memory, without changing anything. */
import type { DeviceStates, Machine, Registers } from "#machine/machine.ts";
import type { SegmentRegister, TableRegister } from "#machine/registers.ts";
import { type AskedAddress, addressOf } from "./address.ts";
import { type HeapView, viewHeap } from "./heap.ts";
import { countGates, decodeInterruptTable, GATE_SIZE, type Gate } from "./interrupt-table.ts";
import { disassemble, type ListedInstruction } from "./listing.ts";
import { type MemoryMapView, viewMemory } from "./memory-map.ts";
import { type PageTree, readPageTree } from "./page-tables.ts";
import { type Walk, walkAddress } from "./paging.ts";
import { decodeSegmentTable, type SegmentDescriptor } from "./segment-table.ts";
import { type KernelLayout, KernelMemory } from "./structures.ts";
import { type TableForm, tableForm } from "./table-form.ts";
import { decodeTaskState, TASK_STATE_SIZE, type TaskState } from "./task-state.ts";
import type { TasksView, TaskWatch } from "./tasks.ts";

/** The part of a machine that is looked at. */
export type Inspected = Pick<
  Machine,
  "registers" | "systemRegisters" | "codeBase" | "readMemory" | "readPhysical" | "devices" | "time" | "instructions"
>;

/** What is asked of a machine. */
export interface Questions {
  readonly wanted: ReadonlySet<InspectorName>;
  /** Ascending linear addresses at which instructions are known to begin: with them code can be shown from before rip. */
  readonly starts: BigUint64Array;
  /** Of the kernel that runs. */
  readonly layout: KernelLayout;
  /** Whose way through the page tables is shown. */
  readonly walk: AskedAddress;
}

/** An instruction in memory. `address` is linear. */
export type CodeLine = Pick<ListedInstruction, "address" | "bytes" | "text">;

export interface CodeView {
  /** Linear address of the next instruction. */
  readonly next: bigint;
  readonly mode: 16 | 32 | 64;
  /** Some instructions before the next one, where it is known where they begin, and some after it. */
  readonly lines: readonly CodeLine[];
}

export interface InterruptTableView {
  readonly register: TableRegister;
  readonly form: TableForm;
  /** They own some of the vectors. */
  readonly controllers: DeviceStates["interrupts"];
  /** Null where the table is not in mapped memory. */
  readonly gates: readonly Gate[] | null;
}

export interface SegmentTableView {
  readonly register: TableRegister;
  readonly form: TableForm;
  /** Null where the table is not in mapped memory, and in real mode, which has none. */
  readonly descriptors: readonly SegmentDescriptor[] | null;
}

export interface TaskStateView {
  readonly register: SegmentRegister;
  readonly form: TableForm;
  /** Null before `ltr`, where the segment is not in mapped memory, and outside long mode. */
  readonly state: TaskState | null;
}

export interface PagesView {
  readonly asked: AskedAddress;
  /** Null while paging is off. */
  readonly walk: Walk | null;
  readonly tree: PageTree;
}

/** What the inspectors of these names show. */
export interface Inspections {
  readonly registers: Registers;
  readonly disassembly: CodeView;
  readonly idt: InterruptTableView;
  readonly gdt: SegmentTableView;
  readonly tss: TaskStateView;
  readonly pages: PagesView;
  readonly memory: MemoryMapView;
  /** Null where there is no heap yet. */
  readonly heap: { readonly view: HeapView | null };
  /** Null where there are no tasks yet. */
  readonly tasks: { readonly view: TasksView | null };
  readonly pic: DeviceStates["interrupts"];
  readonly pit: DeviceStates["timer"];
  readonly keyboard: DeviceStates["keyboard"];
  readonly serial: DeviceStates["serial"];
}

export type InspectorName = keyof Inspections;

/** In the order in which a page shows them. */
export const INSPECTOR_NAMES: readonly InspectorName[] = [
  "registers",
  "disassembly",
  "idt",
  "gdt",
  "tss",
  "pages",
  "memory",
  "heap",
  "tasks",
  "pic",
  "pit",
  "keyboard",
  "serial",
];

export type Inspection = Partial<Inspections>;

/** Looks at what `wanted` names. `taskWatch` has looked at the tasks before. */
export function inspect(machine: Inspected, questions: Questions, taskWatch: TaskWatch): Inspection {
  const { wanted, starts, layout, walk } = questions;
  const kernel = new KernelMemory(machine, layout);
  const LOOKS: { readonly [Name in InspectorName]: () => Inspections[Name] } = {
    registers: () => machine.registers(),
    disassembly: () => viewCode(machine, starts),
    idt: () => viewInterruptTable(machine),
    gdt: () => viewSegmentTable(machine),
    tss: () => viewTaskState(machine),
    pages: () => viewPages(machine, walk),
    memory: () => viewMemory(machine, kernel),
    heap: () => ({ view: viewHeap(kernel) }),
    tasks: () => {
      taskWatch.look(machine, kernel);
      return { view: taskWatch.view() };
    },
    pic: () => machine.devices().interrupts,
    pit: () => machine.devices().timer,
    keyboard: () => machine.devices().keyboard,
    serial: () => machine.devices().serial,
  };
  return Object.fromEntries([...wanted].map((name) => [name, LOOKS[name]()]));
}

function viewInterruptTable(machine: Inspected): InterruptTableView {
  const form = tableForm(machine.registers());
  const register = machine.systemRegisters().idtr;
  const bytes = machine.readMemory(register.base, countGates(register.limit, form) * GATE_SIZE[form]);
  const controllers = machine.devices().interrupts;
  return { register, form, controllers, gates: bytes === null ? null : decodeInterruptTable(bytes, form) };
}

function viewSegmentTable(machine: Inspected): SegmentTableView {
  const form = tableForm(machine.registers());
  const register = machine.systemRegisters().gdtr;
  if (form === "real") return { register, form, descriptors: null };
  const bytes = machine.readMemory(register.base, Math.min(register.limit + 1, MOST_DESCRIPTOR_BYTES));
  return { register, form, descriptors: bytes === null ? null : decodeSegmentTable(bytes, form) };
}

function viewPages(machine: Inspected, asked: AskedAddress): PagesView {
  const walk = walkAddress(machine, addressOf(asked, machine.registers()));
  return { asked, walk, tree: readPageTree(machine) };
}

function viewTaskState(machine: Inspected): TaskStateView {
  const form = tableForm(machine.registers());
  const register = machine.systemRegisters().tr;
  const loaded = form === "long" && (register.selector & ~3) !== 0 && register.limit + 1 >= TASK_STATE_SIZE;
  const bytes = loaded ? machine.readMemory(register.base, TASK_STATE_SIZE) : null;
  return { register, form, state: bytes === null ? null : decodeTaskState(bytes) };
}

/** A table that is longer, as at power-on, has hardly been written by anyone. */
const MOST_DESCRIPTOR_BYTES = 1024;

/** Instructions shown before the next one, from it on, and the bytes that are searched for them. */
const LINES_BEFORE = 6;
const LINES_FROM = 14;
const LONGEST_INSTRUCTION = 15;
const BYTES_BEFORE = LINES_BEFORE * LONGEST_INSTRUCTION;

function viewCode(machine: Inspected, starts: BigUint64Array): CodeView {
  const { mode, rip } = machine.registers();
  const next = (mode === 64 ? 0n : machine.codeBase()) + rip;
  const before = codeBefore(machine, next, mode, starts);
  const after = disassemble(readUpTo(machine, next, LINES_FROM * LONGEST_INSTRUCTION), next, mode, null);
  return { next, mode, lines: [...before.slice(-LINES_BEFORE), ...after.slice(0, LINES_FROM)] };
}

/**
 * Machine code cannot be read backwards. So it is read forwards, from one place where an instruction begins for sure to
 * the next. Where what is read does not end there, it was data, or no code that anyone meant.
 */
function codeBefore(machine: Inspected, next: bigint, mode: 16 | 32 | 64, starts: BigUint64Array): CodeLine[] {
  const known = starts.filter((start) => start >= next - BigInt(BYTES_BEFORE) && start < next);
  let lines: CodeLine[] = [];
  for (const [index, start] of known.entries()) {
    const end = known[index + 1] ?? next;
    const bytes = machine.readMemory(start, Number(end - start));
    const piece = bytes === null ? [] : disassemble(bytes, start, mode, null);
    const last = piece.at(-1);
    const isCode = last !== undefined && last.address + BigInt(last.bytes.length) === end;
    lines = isCode ? [...lines, ...piece] : [];
  }
  return lines;
}

/** As many bytes as are mapped, from `address` on. */
function readUpTo(machine: Inspected, address: bigint, length: number): Uint8Array {
  for (let wanted = length; wanted > 0; wanted--) {
    const bytes = machine.readMemory(address, wanted);
    if (bytes !== null) return bytes;
  }
  return new Uint8Array(0);
}
