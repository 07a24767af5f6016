/**
 * Debug information in DWARF 4 ("DWARF Debugging Information Format", version 4): which line of the book each
 * instruction comes from, where each function begins and ends, and who called it. Enough for gdb and `objdump -dl`.
 */
import type { LinkedProgram, LinkedSymbol } from "../compiler/object.ts";
import type { Place } from "../place.ts";
import { ByteBuffer } from "./bytes.ts";
import { frameTable } from "./dwarf-frames.ts";
import type { ExtraSection } from "./elf.ts";
import { sleb, uleb } from "./leb128.ts";

// Section 7.5.4, figure 18 ff.: tags, attributes, forms.
const DW_TAG_compile_unit = 0x11;
const DW_TAG_subprogram = 0x2e;
const DW_AT_name = 0x03;
const DW_AT_stmt_list = 0x10;
const DW_AT_low_pc = 0x11;
const DW_AT_high_pc = 0x12;
const DW_AT_language = 0x13;
const DW_AT_comp_dir = 0x1b;
const DW_AT_producer = 0x25;
const DW_AT_decl_file = 0x3a;
const DW_AT_decl_line = 0x3b;
const DW_FORM_addr = 0x01;
const DW_FORM_data2 = 0x05;
const DW_FORM_data8 = 0x07;
const DW_FORM_string = 0x08;
const DW_FORM_udata = 0x0f;
const DW_FORM_sec_offset = 0x17;
/** There is no number for TypeScript; C99 makes debuggers read expressions as C. */
const DW_LANG_C99 = 0x000c;

// Section 6.2.5: opcodes of the line number program.
const DW_LNS_copy = 1;
const DW_LNS_advance_pc = 2;
const DW_LNS_advance_line = 3;
const DW_LNS_set_file = 4;
const DW_LNS_set_column = 5;
const DW_LNE_end_sequence = 1;
const DW_LNE_set_address = 2;

const LINE_BASE = -5;
const LINE_RANGE = 14;
const OPCODE_BASE = 13;
/** How many operands each standard opcode has. */
const OPERAND_COUNTS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

interface Row {
  readonly address: bigint;
  readonly place: Place;
}

/** The sections for `writeElf`; `placeOf` maps a place in the tangled sources to one in the book. */
export function debugSections(program: LinkedProgram, placeOf: (place: Place) => Place): ExtraSection[] {
  const text = program.segments.find((segment) => segment.name === ".text");
  if (text === undefined) return [];
  const end = text.address + BigInt(text.size);
  const rows = rowsOf(program, placeOf);
  const files = [...new Set(rows.map((row) => row.place.file))];
  const functions = program.symbols.filter((symbol) => symbol.kind === "function");
  return [
    { name: ".debug_abbrev", bytes: abbreviations() },
    { name: ".debug_info", bytes: information(functions, rows, files, text.address, end) },
    { name: ".debug_line", bytes: lineTable(rows, files, end) },
    { name: ".debug_frame", bytes: frameTable(program.frames) },
  ];
}

/** One row an address, the last one said of it. */
function rowsOf(program: LinkedProgram, placeOf: (place: Place) => Place): Row[] {
  const rows: Row[] = [];
  for (const { address, place } of program.lines) {
    if (rows[rows.length - 1]?.address === address) rows.pop();
    rows.push({ address, place: placeOf(place) });
  }
  return rows;
}

const UNIT = 1;
const FUNCTION = 2;

function abbreviations(): Uint8Array {
  const out = new ByteBuffer();
  const declare = (
    code: number,
    tag: number,
    hasChildren: boolean,
    attributes: readonly (readonly [number, number])[],
  ) => {
    uleb(out, code);
    uleb(out, tag);
    out.u8(hasChildren ? 1 : 0);
    for (const pair of [...attributes, [0, 0] as const]) for (const number of pair) uleb(out, number);
  };
  declare(UNIT, DW_TAG_compile_unit, true, [
    [DW_AT_producer, DW_FORM_string],
    [DW_AT_language, DW_FORM_data2],
    [DW_AT_name, DW_FORM_string],
    [DW_AT_comp_dir, DW_FORM_string],
    [DW_AT_low_pc, DW_FORM_addr],
    [DW_AT_high_pc, DW_FORM_data8],
    [DW_AT_stmt_list, DW_FORM_sec_offset],
  ]);
  declare(FUNCTION, DW_TAG_subprogram, false, [
    [DW_AT_name, DW_FORM_string],
    [DW_AT_low_pc, DW_FORM_addr],
    [DW_AT_high_pc, DW_FORM_data8],
    [DW_AT_decl_file, DW_FORM_udata],
    [DW_AT_decl_line, DW_FORM_udata],
  ]);
  uleb(out, 0);
  return out.toBytes();
}

function information(
  functions: readonly LinkedSymbol[],
  rows: readonly Row[],
  files: readonly string[],
  start: bigint,
  end: bigint,
): Uint8Array {
  const out = new ByteBuffer();
  out.u32(0);
  out.u16(4);
  out.u32(0); // abbreviations begin at 0
  out.u8(8); // bytes of an address
  uleb(out, UNIT);
  out.text("TaijiOS kernel TypeScript");
  out.u16(DW_LANG_C99);
  out.text("kernel");
  out.text(".");
  out.u64(start);
  out.u64(end - start);
  out.u32(0); // the line table begins at 0
  const firstRow = new Map(rows.map((row) => [row.address, row.place] as const).reverse());
  for (const { name, address, size } of functions) {
    const place = firstRow.get(address);
    uleb(out, FUNCTION);
    out.text(name);
    out.u64(address);
    out.u64(size);
    uleb(out, place === undefined ? 0 : files.indexOf(place.file) + 1);
    uleb(out, place?.line ?? 0);
  }
  uleb(out, 0);
  out.patchU32(0, out.length - 4);
  return out.toBytes();
}

function lineTable(rows: readonly Row[], files: readonly string[], end: bigint): Uint8Array {
  const out = new ByteBuffer();
  out.u32(0);
  out.u16(4);
  out.u32(0);
  const headerStart = out.length;
  out.u8(1); // least bytes of an instruction
  out.u8(1); // operations of an instruction
  out.u8(1); // every row may begin a statement
  out.u8(LINE_BASE & 0xff);
  out.u8(LINE_RANGE);
  out.u8(OPCODE_BASE);
  out.put(Uint8Array.from(OPERAND_COUNTS));
  out.u8(0); // no directories but the unit's
  for (const file of files) {
    out.text(file);
    for (let i = 0; i < 3; i++) uleb(out, 0); // directory, time, length
  }
  out.u8(0);
  out.patchU32(6, out.length - headerStart);
  lineProgram(out, rows, files, end);
  out.patchU32(0, out.length - 4);
  return out.toBytes();
}

/** Rows as steps of a small machine with registers for address, file, line and column (section 6.2.2). */
function lineProgram(out: ByteBuffer, rows: readonly Row[], files: readonly string[], end: bigint): void {
  const first = rows[0];
  if (first === undefined) return;
  out.u8(0);
  uleb(out, 9);
  out.u8(DW_LNE_set_address);
  out.u64(first.address);
  let at = { address: first.address, file: 1, line: 1, column: 0 };
  for (const { address, place } of rows) {
    const file = files.indexOf(place.file) + 1;
    if (file !== at.file) {
      out.u8(DW_LNS_set_file);
      uleb(out, file);
    }
    if (place.column !== at.column) {
      out.u8(DW_LNS_set_column);
      uleb(out, place.column);
    }
    advance(out, Number(address - at.address), place.line - at.line);
    at = { address, file, line: place.line, column: place.column };
  }
  out.u8(DW_LNS_advance_pc);
  uleb(out, end - at.address);
  out.u8(0);
  uleb(out, 1);
  out.u8(DW_LNE_end_sequence);
}

/** Adds a row so much further on: one byte where both steps are small. */
function advance(out: ByteBuffer, bytes: number, lines: number): void {
  const isSmall = lines >= LINE_BASE && lines < LINE_BASE + LINE_RANGE;
  const opcode = lines - LINE_BASE + LINE_RANGE * bytes + OPCODE_BASE;
  if (isSmall && opcode <= 255) {
    out.u8(opcode);
    return;
  }
  if (bytes !== 0) {
    out.u8(DW_LNS_advance_pc);
    uleb(out, bytes);
  }
  if (lines !== 0) {
    out.u8(DW_LNS_advance_line);
    sleb(out, lines);
  }
  out.u8(DW_LNS_copy);
}
