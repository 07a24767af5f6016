/** Decoders of the processor's tables and of the chips, on a machine that has them all, and on bytes made by hand. */
import { beforeAll, describe, expect, test } from "vitest";
import { Machine } from "#machine/machine.ts";
import { requestLines, serialReading, timerReadings } from "../../machine/debug/chips.ts";
import { pageFaultReason, tellErrorCode } from "../../machine/debug/error-codes.ts";
import { setFlags } from "../../machine/debug/flags.ts";
import { INSPECTOR_NAMES, type Inspection, inspect } from "../../machine/debug/inspection.ts";
import { countGates, decodeInterruptTable } from "../../machine/debug/interrupt-table.ts";
import { decodeSegmentTable } from "../../machine/debug/segment-table.ts";
import { NO_LAYOUT } from "../../machine/debug/structures.ts";
import { decodeTaskState } from "../../machine/debug/task-state.ts";
import { TaskWatch } from "../../machine/debug/tasks.ts";
import { nameVector } from "../../machine/debug/vectors.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { bootImage } from "./boot-image.ts";
import { longModeImage } from "./probes/long-mode.ts";

const ALL = new Set(INSPECTOR_NAMES);
const ASKED = { wanted: ALL, starts: new BigUint64Array(), layout: NO_LAYOUT, walk: "rip" } as const;

const CODE = { ...ASKED, wanted: new Set(["disassembly"] as const) };

/** A machine that has run `disk` until it ended or slept. */
function ran(disk: Uint8Array): Machine {
  const machine = new Machine({ disk, memory: 8 * 1024 * 1024, engine: evaluatorEngine, clock: "host" });
  machine.run(20_000_000);
  return machine;
}

describe("a machine in 64-bit mode", () => {
  let seen: Required<Inspection>;
  beforeAll(() => {
    seen = inspect(ran(longModeImage([])), ASKED, new TaskWatch()) as Required<Inspection>;
  });

  test("has its interrupt table decoded, gate by gate", () => {
    const gates = seen.idt.gates!;
    expect(gates).toHaveLength(64);
    expect(seen.idt.register).toEqual({ base: 0x60000n, limit: 64 * 16 - 1 });
    expect(gates[3]).toEqual({
      vector: 3,
      present: true,
      type: "interrupt gate",
      selector: 8,
      offset: gates[0]!.offset + 48n,
      stack: 0,
      privilege: 0,
    });
    expect(gates[8]).toMatchObject({ stack: 3 });
    expect(gates[0x21]).toMatchObject({ privilege: 3, present: true });
    expect(gates[0x22]).toMatchObject({ present: false });
    expect(gates[0x23]).toMatchObject({ type: "type 5, no gate" });
    expect(gates[0x29]).toMatchObject({ type: "trap gate" });
    expect(gates[0x2b]!.offset >> 48n).toBe(0x8000n);
  });

  test("has its descriptors decoded, with the TSS in the place of two", () => {
    const descriptors = seen.gdt.descriptors!;
    const at = (selector: number) => descriptors.find((descriptor) => descriptor.selector === selector);
    expect(at(0)).toMatchObject({ kind: "null", present: false });
    expect(at(0x08)).toMatchObject({ kind: "64-bit code", flat: true, flags: ["readable", "accessed"], privilege: 0 });
    expect(at(0x10)).toMatchObject({ kind: "data", flags: ["writable", "accessed"], limit: 0xffffffff });
    expect(at(0x18)).toMatchObject({ kind: "32-bit code", flat: false });
    expect(at(0x28)).toMatchObject({ kind: "64-bit code", privilege: 3 });
    expect(at(0x38)).toMatchObject({ kind: "64-bit TSS", flags: ["busy"], limit: 0x67, base: seen.tss.register.base });
    expect(at(0x40)).toBeUndefined();
    expect(at(0x48)).toMatchObject({ present: false });
    expect(at(0x78)).toMatchObject({ flags: ["readable", "conforming", "accessed"] });
    expect(seen.gdt.register.limit).toBe(16 * 8 - 1);
  });

  test("has its task state decoded", () => {
    expect(seen.tss.register).toMatchObject({ selector: 0x38, limit: 0x67 });
    expect(seen.tss.state).toEqual({
      privilegeStacks: [0x3e0000n, 0n, 0n],
      interruptStacks: [0x3d0008n, 0x402800n, 0x3c0000n, 0n, 0n, 0n, 0n],
      portBitmap: 0x68,
    });
  });

  test("shows its code from where it stands", () => {
    const { next, lines, mode } = seen.disassembly;
    expect(mode).toBe(64);
    expect(next).toBe(seen.registers.rip);
    expect(lines[0]).toMatchObject({ address: next, text: "hlt" });
  });

  test("shows the instructions before it where it is known where they begin", () => {
    const machine = ran(longModeImage([]));
    const { next } = seen.disassembly;
    // mov al, 0x10 · out 0xf4, al · hlt
    const { lines } = inspect(machine, { ...CODE, starts: BigUint64Array.of(next - 4n) }, new TaskWatch()).disassembly!;
    expect(lines.slice(0, 3).map(({ text }) => text)).toEqual(["mov al, 0x10", "out 0xf4, al", "hlt"]);
    // From here the instructions run past this one, so it is no place where one begins.
    const odd = inspect(machine, { ...CODE, starts: BigUint64Array.of(next - 5n) }, new TaskWatch()).disassembly!;
    expect(odd.lines[0]!.address).toBe(next);
  });

  test("is looked at without being changed", () => {
    const machine = ran(longModeImage([]));
    const before = machine.readPhysical(0, 0x400000);
    inspect(machine, ASKED, new TaskWatch());
    expect(Buffer.from(machine.readPhysical(0, 0x400000)).equals(before)).toBe(true);
  });
});

describe("a machine in real mode", () => {
  const seen = inspect(ran(bootImage("lea si, [stop]\n jmp stop")), ASKED, new TaskWatch()) as Required<Inspection>;

  test("has a table of far pointers at address 0", () => {
    expect(seen.idt).toMatchObject({ form: "real", register: { base: 0n } });
    expect(seen.idt.gates).toHaveLength(256);
    expect(seen.idt.gates![0x10]).toMatchObject({ selector: 0xf000, type: "far pointer", present: true });
  });

  test("has no descriptors and no task", () => {
    expect(seen.gdt.descriptors).toBeNull();
    expect(seen.tss.state).toBeNull();
  });

  test("has its controllers, timer and serial line as the firmware leaves them", () => {
    const lines = requestLines(seen.pic);
    expect(lines).toHaveLength(16);
    expect(lines[0]).toMatchObject({ device: "timer", vector: 8, masked: false });
    expect(lines[8]).toMatchObject({ device: "clock", vector: 0x70 });
    const [clock] = timerReadings(seen.pit);
    expect(clock).toMatchObject({ use: "IRQ 0", reload: 65536 });
    expect(clock!.hertz).toBeCloseTo(18.2065, 3);
    expect(serialReading(seen.serial)).toMatchObject({
      baud: 9600,
      interrupts: [],
      status: ["ready to send", "all sent"],
    });
  });
});

describe("decoders", () => {
  test("take only whole gates inside the table's limit", () => {
    expect(countGates(0xfff, "long")).toBe(256);
    expect(countGates(0xffff, "long")).toBe(256);
    expect(countGates(30, "long")).toBe(1);
    expect(countGates(0, "long")).toBe(0);
    expect(decodeInterruptTable(new Uint8Array(7), "protected")).toEqual([]);
  });

  test("read a gate of protected mode", () => {
    // Offset 0xc0de1234, selector 8, trap gate of privilege 3.
    const bytes = Uint8Array.of(0x34, 0x12, 0x08, 0, 0, 0xef, 0xde, 0xc0);
    expect(decodeInterruptTable(bytes, "protected")).toEqual([
      { vector: 0, present: true, type: "trap gate", selector: 8, offset: 0xc0de1234n, stack: 0, privilege: 3 },
    ]);
  });

  test("read descriptors of protected mode, with bases above 2 GiB and byte limits", () => {
    const bytes = Uint8Array.of(0x34, 0x12, 0, 0, 0xff, 0x92, 0x4f, 0xfe);
    expect(decodeSegmentTable(bytes, "protected")).toEqual([
      {
        selector: 0,
        kind: "data",
        base: 0xfeff0000n,
        limit: 0xf1234,
        privilege: 0,
        present: true,
        flags: ["writable"],
        flat: false,
      },
    ]);
    expect(decodeSegmentTable(bytes.subarray(0, 7), "protected")).toEqual([]);
  });

  test("take a TSS out of the middle of other bytes", () => {
    const bytes = new Uint8Array(120).fill(0xee);
    new DataView(bytes.buffer).setBigUint64(8 + 36 + 6 * 8, 0x1234n, true);
    expect(decodeTaskState(bytes.subarray(8)).interruptStacks[6]).toBe(0x1234n);
  });

  test("name vectors by exception, by line, by number", () => {
    const controllers = [32, 40].map((base) => ({ base, request: 0, inService: 0, mask: 0xff }));
    expect(nameVector(14, controllers)).toBe("#PF page fault");
    expect(nameVector(9, [])).toBe("coprocessor segment overrun");
    expect(nameVector(31, controllers)).toBe("reserved");
    expect(nameVector(33, controllers)).toBe("IRQ 1 keyboard");
    expect(nameVector(44, controllers)).toBe("IRQ 12 mouse");
    expect(nameVector(0x80, controllers)).toBe("vector 0x80");
  });

  test("name flags", () => {
    expect(setFlags(0x246n).map(({ name }) => name)).toEqual(["PF", "ZF", "IF"]);
    expect(setFlags(2n)).toEqual([]);
  });

  test("tell the state of request lines", () => {
    const lines = requestLines([{ base: 32, request: 0b10, inService: 0b1, mask: 0b11111100 }]);
    expect(lines[0]).toEqual({
      line: 0,
      device: "timer",
      vector: 32,
      masked: false,
      requested: false,
      inService: true,
    });
    expect(lines[1]).toMatchObject({ requested: true, masked: false, inService: false });
    expect(lines[7]).toMatchObject({ masked: true });
  });

  test("tell error codes", () => {
    expect(pageFaultReason(0b10101)).toBe("an instruction fetch in user mode, but the page does not allow it");
    expect(pageFaultReason(0b01011)).toBe("a write by the kernel, but a reserved bit is set");
    expect(tellErrorCode(13, 0x1a)).toBe("gate 3 of the interrupt table");
    expect(tellErrorCode(11, 0x43)).toBe("gate 8 of the interrupt table, on the way to a handler");
    expect(tellErrorCode(13, 0x28)).toBe("selector 0x28 of the global table");
    expect(tellErrorCode(10, 0x2c)).toBe("selector 0x28 of the local table");
    expect(tellErrorCode(13, 0)).toBeNull();
    expect(tellErrorCode(8, 0)).toBeNull();
  });
});
