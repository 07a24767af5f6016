/**
 * Runs compiled code on the host's own processor: many programs linked, with a small harness, into one static Linux
 * executable that calls one function after the other and writes what came back.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode, encodeWithFields } from "../../machine/isa/encode.ts";
import type { Operand } from "../../machine/isa/instruction.ts";
import { generalRegister, immediate, memory, RIP } from "../../machine/isa/registers.ts";
import { link } from "../../tangle/compiler/link.ts";
import type { ObjectFunction, ObjectProgram, Relocation } from "../../tangle/compiler/object.ts";
import type { DataObject } from "../../tangle/compiler/ssa/ir.ts";
import { writeElf } from "../../tangle/image/elf.ts";

/** Compiled code runs here: where not, tests that need it are skipped. */
export const RUNS_NATIVELY = process.platform === "linux" && process.arch === "x64";

/** One call of a function; at most six arguments. */
export interface NativeCall {
  readonly symbol: string;
  readonly arguments: readonly bigint[];
}

export interface NativeProgram {
  readonly object: ObjectProgram;
  /** Calls of the panic handler end a call as `panic`; null where the program cannot panic. */
  readonly panicHandler: string | null;
  readonly calls: readonly NativeCall[];
}

export type NativeOutcome =
  /** What rax and rdx held at the return. */
  | { readonly kind: "returned"; readonly rax: bigint; readonly rdx: bigint }
  /** The place that the panic information holds. */
  | { readonly kind: "panicked"; readonly line: number; readonly column: number }
  /** The function came back with another value in a register that it must keep. */
  | { readonly kind: "clobbered" }
  /** The process died in this call. */
  | { readonly kind: "crashed"; readonly signal: string };

const ENTRY_SIZE = 64;
const RECORD_SIZE = 24;
const KEPT = [13, 14, 15];
const SENTINEL = 0x5a5a_1234_8765_a5a5n;

/** The outcome of every call of every program. A crash in one costs a second run of each call by itself. */
export function runNatively(programs: readonly NativeProgram[], milliseconds = 60_000): NativeOutcome[][] {
  const renamed = programs.map((program, i) => rename(program, `${i}/`));
  const calls = renamed.flatMap((program) => program.calls);
  const data = run(renamed, calls, milliseconds);
  const flat =
    data.outcomes ??
    calls.map((call) => run(renamed, [call], 5_000).outcomes?.[0] ?? { kind: "crashed", signal: data.signal });
  let end = 0;
  return programs.map(({ calls: own }) => {
    end += own.length;
    return flat.slice(end - own.length, end);
  });
}

function run(programs: readonly NativeProgram[], calls: readonly NativeCall[], milliseconds: number) {
  const table = new DataView(new ArrayBuffer(8 + calls.length * ENTRY_SIZE));
  table.setBigUint64(0, BigInt(calls.length), true);
  const relocations = calls.map((call, i) => ({ at: 8 + i * ENTRY_SIZE, symbol: call.symbol, offset: 0 }));
  calls.forEach((call, i) => {
    call.arguments.forEach((argument, k) => {
      table.setBigUint64(8 + i * ENTRY_SIZE + 8 + k * 8, argument, true);
    });
  });
  const bytes = new Uint8Array(table.buffer);
  const outputSize = Math.max(1, calls.length) * RECORD_SIZE;
  const place = null;
  const harnessData: DataObject[] = [
    { symbol: "harness:table", section: "rodata", align: 8, size: bytes.length, bytes, relocations, place },
    zeros("harness:output", outputSize),
    zeros("harness:saved", 32),
  ];
  const object: ObjectProgram = {
    functions: [...programs.flatMap((p) => p.object.functions), ...harness(outputSize)],
    data: [...programs.flatMap((p) => p.object.data), ...harnessData],
    entry: "harness:start",
  };
  const directory = mkdtempSync(join(tmpdir(), "native-"));
  try {
    const path = join(directory, "program");
    writeFileSync(path, writeElf(link(object, { base: 0x40_0000n })), { mode: 0o755 });
    const done = spawnSync(path, [], { timeout: milliseconds, maxBuffer: 1 << 30 });
    if (done.status !== 0) return { outcomes: null, signal: done.signal ?? `status ${done.status}` };
    return { outcomes: read(done.stdout, calls.length), signal: "" };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function zeros(symbol: string, size: number): DataObject {
  return { symbol, section: "bss", align: 8, size, bytes: new Uint8Array(0), relocations: [], place: null };
}

function read(output: Buffer, count: number): NativeOutcome[] {
  return Array.from({ length: count }, (_, i): NativeOutcome => {
    const at = i * RECORD_SIZE;
    const status = output.readBigUInt64LE(at);
    if (status === 2n) return { kind: "clobbered" };
    if (status === 1n)
      return { kind: "panicked", line: output.readUInt32LE(at + 8), column: output.readUInt32LE(at + 12) };
    return { kind: "returned", rax: output.readBigUInt64LE(at + 8), rdx: output.readBigUInt64LE(at + 16) };
  });
}

/** Puts a prefix before every symbol, and the harness's handler in the place of the program's. */
function rename(program: NativeProgram, prefix: string): NativeProgram {
  const name = (symbol: string) => (symbol === program.panicHandler ? "harness:panic" : prefix + symbol);
  const renameAll = <T extends { readonly symbol: string }>(items: readonly T[]): T[] =>
    items.map((item) => ({ ...item, symbol: name(item.symbol) }));
  const { object } = program;
  const functions = object.functions
    .filter((fn) => fn.symbol !== program.panicHandler)
    .map((fn) => ({ ...fn, symbol: name(fn.symbol), relocations: renameAll(fn.relocations) }));
  const data = object.data.map((d) => ({ ...d, symbol: name(d.symbol), relocations: renameAll(d.relocations) }));
  return {
    object: { functions, data, entry: name(object.entry) },
    panicHandler: null,
    calls: program.calls.map((call) => ({ ...call, symbol: name(call.symbol) })),
  };
}

// ── The harness ────────────────────────────────────────────────────────────────────────────────────────────────────

const [RAX, RDX, RBX, RSP, RBP, RSI, RDI, R12] = [0, 2, 3, 4, 5, 6, 7, 12];
const r = (number: number) => generalRegister(number, 64);
const at = (base: number, displacement = 0) => memory(64, { base, displacement: BigInt(displacement) });

/** Machine code put together by hand: instructions, references to symbols, labels. */
class Writer {
  private readonly bytes: number[] = [];
  private readonly relocations: Relocation[] = [];
  private readonly labels = new Map<string, number>();
  private readonly jumps: { at: number; label: string }[] = [];

  put(mnemonic: string, ...operands: Operand[]): void {
    this.bytes.push(...encode(mnemonic, operands, { mode: 64 }));
  }
  /** An instruction with one operand `[rip + symbol + offset]`, the one that is null. */
  reference(symbol: string, offset: number, mnemonic: string, ...operands: (Operand | null)[]): void {
    const full = operands.map((o) => o ?? memory(mnemonic === "lea" ? 0 : 64, { base: RIP }));
    const { bytes, displacementAt } = encodeWithFields(mnemonic, full, { mode: 64, displacementSize: 4 });
    const tail = bytes.length - displacementAt - 4;
    this.relocations.push({
      at: this.bytes.length + displacementAt,
      kind: "relative32",
      symbol,
      addend: offset - tail,
    });
    this.bytes.push(...bytes);
  }
  label(name: string): void {
    this.labels.set(name, this.bytes.length);
  }
  jump(mnemonic: string, label: string): void {
    const near = mnemonic === "jmp" ? [0xe9] : [0x0f, mnemonic === "je" ? 0x84 : 0x85];
    this.bytes.push(...near, 0, 0, 0, 0);
    this.jumps.push({ at: this.bytes.length - 4, label });
  }
  /** A jump to another function's code. */
  jumpTo(symbol: string, offset: number): void {
    this.bytes.push(0xe9, 0, 0, 0, 0);
    this.relocations.push({ at: this.bytes.length - 4, kind: "relative32", symbol, addend: offset });
  }
  offsetOf(label: string): number {
    return this.labels.get(label)!;
  }
  finish(symbol: string): ObjectFunction {
    const code = Uint8Array.from(this.bytes);
    for (const { at: hole, label } of this.jumps) {
      new DataView(code.buffer).setInt32(hole, this.labels.get(label)! - (hole + 4), true);
    }
    return { symbol, code, relocations: this.relocations, lines: [] };
  }
}

/** `start` walks the table; `panic` is jumped to by whoever panics and goes on with the next entry. */
function harness(outputSize: number): ObjectFunction[] {
  const start = new Writer();
  start.reference("harness:table", 8, "lea", r(RBX), null);
  start.reference("harness:output", 0, "lea", r(RBP), null);
  start.reference("harness:table", 0, "mov", r(R12), null);
  start.label("next");
  start.put("test", r(R12), r(R12));
  start.jump("je", "done");
  [RSP, RBX, RBP, R12].forEach((register, i) => {
    start.reference("harness:saved", i * 8, "mov", null, r(register));
  });
  for (const register of KEPT) start.put("mov", r(register), immediate(SENTINEL + BigInt(register), 64));
  [RDI, RSI, RDX, 1, 8, 9].forEach((register, i) => {
    start.put("mov", r(register), at(RBX, 8 + i * 8));
  });
  start.put("call", at(RBX));
  start.put("mov", at(RBP, 8), r(RAX));
  start.put("mov", at(RBP, 16), r(RDX));
  for (const register of KEPT) {
    start.put("mov", r(RAX), immediate(SENTINEL + BigInt(register), 64));
    start.put("cmp", r(RAX), r(register));
    start.jump("jne", "clobbered");
  }
  [RSP, RBX, RBP, R12].forEach((register, i) => {
    start.reference("harness:saved", i * 8, "cmp", r(register), null);
    start.jump("jne", "clobbered");
  });
  start.label("advance");
  start.put("add", r(RBX), immediate(ENTRY_SIZE, 64));
  start.put("add", r(RBP), immediate(RECORD_SIZE, 64));
  start.put("dec", r(R12));
  start.jump("jmp", "next");
  start.label("clobbered");
  restore(start);
  start.put("mov", at(RBP), immediate(2, 64));
  start.jump("jmp", "advance");
  start.label("done");
  // write(1, output, size) until all is written, then exit(0).
  start.reference("harness:output", 0, "lea", r(RBX), null);
  start.put("mov", r(R12), immediate(outputSize, 64));
  start.label("write");
  start.put("mov", r(RAX), immediate(1, 64));
  start.put("mov", r(RDI), immediate(1, 64));
  start.put("mov", r(RSI), r(RBX));
  start.put("mov", r(RDX), r(R12));
  start.put("syscall");
  start.put("add", r(RBX), r(RAX));
  start.put("sub", r(R12), r(RAX));
  start.jump("jne", "write");
  start.put("mov", r(RAX), immediate(60, 64));
  start.put("xor", r(RDI), r(RDI));
  start.put("syscall");

  const panic = new Writer();
  // PanicInfo: line and column at 32 and 36.
  panic.put("mov", r(RAX), at(RDI, 32));
  restore(panic);
  panic.put("mov", at(RBP, 8), r(RAX));
  panic.put("mov", at(RBP), immediate(1, 64));
  const entry = start.finish("harness:start");
  const advance = start.offsetOf("advance");
  panic.jumpTo("harness:start", advance);
  return [entry, panic.finish("harness:panic")];
}

function restore(writer: Writer): void {
  [RSP, RBX, RBP, R12].forEach((register, i) => {
    writer.reference("harness:saved", i * 8, "mov", r(register), null);
  });
}
