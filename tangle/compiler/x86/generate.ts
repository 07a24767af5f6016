/** SSA to x86-64 object code: selection, register allocation, layout, encoding, function by function. */
import type { Diagnostic } from "../../place.ts";
import type { ObjectFunction, ObjectProgram } from "../object.ts";
import type { DataObject, Instruction, IrFunction, IrProgram } from "../ssa/ir.ts";
import { allocate, OutOfRegisters } from "./allocate.ts";
import { type Emitted, emitFunction } from "./emission.ts";
import { layOutFrame } from "./frame.ts";
import { layOut, tidy } from "./layout.ts";
import type { MachineBlock } from "./machine.ts";
import { ALLOCATABLE, type Register } from "./registers.ts";
import { select } from "./select.ts";
import { JumpTables } from "./switches.ts";

type Assembly = Extract<Instruction, { kind: "asm" }>;

export interface Generated {
  readonly object: ObjectProgram;
  /** Mistakes in asm. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface GenerateOptions {
  /** The hardware registers to use where any will do; all but rsp unless given. Tests take some away. */
  readonly registers?: readonly Register[];
}

/** Machine code for every function of the program; the data passes through, with jump tables added. */
export function generate(program: IrProgram, { registers = ALLOCATABLE }: GenerateOptions = {}): Generated {
  const tables = new JumpTables();
  const functions: ObjectFunction[] = [];
  const data: DataObject[] = [...program.data];
  const diagnostics: Diagnostic[] = [];
  const defined = new Set([...program.functions, ...program.data].map(({ symbol }) => symbol));
  for (const fn of program.functions) {
    try {
      const made = generateFunction(fn, tables, registers);
      functions.push(made.emitted.object);
      data.push(...made.tables);
      diagnostics.push(...made.emitted.asm.diagnostics, ...undefinedSymbols(made.emitted, defined));
    } catch (error) {
      if (!(error instanceof OutOfRegisters)) throw error;
      diagnostics.push(outOfRegisters(fn, error));
    }
  }
  return { object: { functions, data, entry: program.entry }, diagnostics };
}

/** The names in asm that nothing defines. */
function undefinedSymbols({ asm }: Emitted, defined: ReadonlySet<string>): Diagnostic[] {
  return asm.symbols.flatMap(({ symbol, place }) => {
    if (place === null || defined.has(symbol)) return [];
    const message = `\`${symbol}\` is no register, no label of this text and no symbol of the kernel`;
    return [{ code: "AS2102", message, place, hint: "pass the address as an operand: `${…}`" }];
  });
}

/** Only asm can ask for more registers than there are: blames the one that asks for most. */
function outOfRegisters(fn: IrFunction, error: OutOfRegisters): Diagnostic {
  const greed = (asm: Assembly) => asm.clobbers.length + asm.operands.length;
  const texts = fn.blocks.flatMap((block) => block.instructions).filter((i): i is Assembly => i.kind === "asm");
  const place = texts.sort((a, b) => greed(b) - greed(a))[0]?.place;
  if (!place) throw error;
  return {
    code: "AS2101",
    message: "this asm leaves too few registers for its operands",
    place,
    hint: "pin and clobber fewer registers, or make it a naked function",
  };
}

function generateFunction(
  fn: IrFunction,
  tables: JumpTables,
  registers: readonly Register[],
): { emitted: Emitted; tables: DataObject[] } {
  const machine = select(fn, tables);
  const { written, flow } = allocate(machine, registers);
  tidy(machine);
  const frame = layOutFrame(machine, written);
  const order = layOut(machine, flow);
  const emitted = emitFunction(machine, order, frame);
  return { emitted, tables: order.flatMap((block) => tableData(fn, block, emitted)) };
}

/** The jump table that a block ends with, as data: the address of each target's code. */
function tableData(fn: IrFunction, { terminator }: MachineBlock, emitted: Emitted): DataObject[] {
  if (terminator.kind !== "table") return [];
  const size = terminator.targets.length * 8;
  const relocations = terminator.targets.map((target, i) => ({
    at: i * 8,
    symbol: fn.symbol,
    offset: emitted.offsets.get(target)!,
  }));
  const { symbol, place } = terminator;
  return [{ symbol, section: "rodata", align: 8, size, bytes: new Uint8Array(size), relocations, place }];
}
