/** The run loop: budgets, stops, interrupts, halting; and that every instruction of the table has a meaning. */
import { describe, expect, it } from "vitest";
import { Cpu } from "#machine/cpu/cpu.ts";
import { mnemonics } from "#machine/cpu/instruction-set.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { FORMS } from "../../machine/isa/index.ts";
import { assemble } from "../../tangle/assembler/assembler.ts";
import { bareCpu, enterUserMode, MEBIBYTE } from "./processor.ts";

it("knows the meaning of exactly the instructions in the table", () => {
  const table = new Set(FORMS.map((form) => form.mnemonic));
  expect([...mnemonics].sort()).toEqual([...table].sort());
});

/** A processor in real mode at 0:7c00 with the program there, and an interrupt line that tests pull. */
function realMode(text: string) {
  const requests: number[] = [];
  const written: [number, number][] = [];
  const cpu = new Cpu(
    MEBIBYTE,
    { portIn: (port) => port & 0xff, portOut: (port, _, value) => void written.push([port, value]) },
    { pending: () => requests.length > 0, acknowledge: () => requests.shift()! },
  );
  const { bytes, diagnostics } = assemble({ path: "test.asm", text: `bits 16\norg 0x7c00\n${text}\n` });
  expect(diagnostics).toEqual([]);
  cpu.memory.writeBytes(0x7c00, bytes);
  cpu.state.setSegment(1, { ...cpu.state.segment(1), selector: 0, base: 0n });
  cpu.state.rip = 0x7c00n;
  cpu.state.setGeneral(4, 0x7000n);
  return { cpu, engine: evaluatorEngine(cpu), requests, written };
}

describe("a run", () => {
  it("ends when its instructions are done, and goes on from there", () => {
    const { cpu, engine } = realMode("again: inc ax\n jmp again");
    expect(engine.run(5)).toEqual({ kind: "budget" });
    expect(cpu.state.general(0)).toBe(3n);
    expect(cpu.retired).toBe(5);
    engine.run(1);
    expect(cpu.state.rip).toBe(0x7c00n);
  });

  it("ends sooner where it costs more than its host has time for", () => {
    const { cpu, engine } = realMode("ud2");
    cpu.memory.write32(6 * 4, 0x7c00);
    engine.effort = 100;
    expect(engine.run(1000)).toEqual({ kind: "budget" });
    expect(cpu.retired).toBeGreaterThan(0);
    expect(cpu.retired).toBeLessThan(100);
  });

  it("stops before a breakpoint, and can leave it", () => {
    const { cpu, engine } = realMode("again: inc ax\n inc bx\n jmp again");
    engine.breakpoints.add(0x7c01n);
    expect(engine.run(100)).toEqual({ kind: "breakpoint", address: 0x7c01n });
    expect(cpu.retired).toBe(1);
    expect(engine.run(100)).toEqual({ kind: "breakpoint", address: 0x7c01n });
    expect(cpu.retired).toBe(4);
  });

  it("sees a breakpoint at the first instruction of a further slice", () => {
    const { cpu, engine } = realMode("again: inc ax\n inc bx\n jmp again");
    engine.breakpoints.add(0x7c01n);
    expect(engine.run(1)).toEqual({ kind: "budget" });
    expect(engine.run(1, true)).toEqual({ kind: "breakpoint", address: 0x7c01n });
    expect(cpu.retired).toBe(1);
    expect(engine.run(1)).toEqual({ kind: "budget" });
  });

  it("ends after the instruction during which somebody asked", () => {
    const { cpu, engine, written } = realMode("mov al, 5\n out 0x80, al\n inc ax\n hlt");
    cpu.ports.portOut = (port, _, value) => {
      written.push([port, value]);
      engine.requestStop();
    };
    expect(engine.run(100)).toEqual({ kind: "requested" });
    expect(written).toEqual([[0x80, 5]]);
    expect(cpu.state.rip).toBe(0x7c04n);
    expect(engine.run(100)).toEqual({ kind: "halted" });
    expect(cpu.state.general(0)).toBe(6n);
  });

  it("follows a port handler that changes registers and rip", () => {
    const { cpu, engine } = realMode("out 0x80, al\n hlt\n times 0x100 db 0\n");
    cpu.memory.writeBytes(0x8000, Uint8Array.of(0x40, 0xf4));
    cpu.ports.portOut = () => {
      expect(cpu.state.rip).toBe(0x7c02n);
      cpu.state.setGeneral(0, 0x41n);
      cpu.state.rip = 0x8000n;
    };
    expect(engine.run(100)).toEqual({ kind: "halted" });
    expect(cpu.state.general(0)).toBe(0x42n);
    expect(cpu.state.rip).toBe(0x8002n);
  });

  it("reports bytes that are no instruction, and goes on in the guest's handler", () => {
    const { cpu, engine } = realMode("db 0x0f, 0x0a");
    cpu.memory.write32(6 * 4, 0x7000);
    cpu.memory.write8(0x7000, 0xf4);
    const seen: bigint[] = [];
    engine.onUnknownOpcode = (address) => void seen.push(address);
    expect(engine.run(100)).toEqual({ kind: "halted" });
    expect(seen).toEqual([0x7c00n]);
  });

  it("cannot be held up by a handler that faults for ever", () => {
    const { engine } = realMode("ud2");
    expect(engine.run(1000)).toEqual({ kind: "budget" });
  });

  it("can interrupt a long copy", () => {
    const { cpu, engine } = realMode("mov cx, 0xffff\n std\n mov si, 0xfff0\n mov di, 0xfff0\n rep movsb");
    engine.run(104);
    expect(cpu.state.general(1)).toBe(0xffffn - 100n);
    expect(cpu.state.rip).toBe(0x7c0an);
  });
});

describe("a triple fault", () => {
  it("tells how it came about", () => {
    const cpu = bareCpu();
    enterUserMode(cpu);
    cpu.memory.writeBytes(0x100000, Uint8Array.of(0xa1, 0, 0, 0, 0, 0x10, 0, 0, 0));
    cpu.state.rip = 0x100000n;
    const stop = evaluatorEngine(cpu).run(10);
    const chain = stop.kind === "tripleFault" ? stop.story.chain : [];
    expect(chain.map(({ name, errorCode }) => `${name} ${errorCode}`)).toEqual([
      "page fault 4",
      "general protection 115",
      "double fault 0",
      "general protection 67",
    ]);
    expect(chain[0]).toMatchObject({ rip: 0x100000n, detail: expect.stringContaining("PDPTE at physical 0x2200") });
    expect(chain[1]).toMatchObject({ detail: "gate 0xe lies beyond the interrupt descriptor table" });
  });
});

describe("interrupts", () => {
  const HANDLER = "mov word [0x84], handler\n mov word [0x86], 0\n";
  const SET = `${HANDLER} sti\n`;

  it("stop at a breakpoint on the handler's first instruction", () => {
    const { engine, requests } = realMode(`${SET} again: jmp again\n handler: iret`);
    engine.run(5);
    requests.push(0x21);
    engine.breakpoints.add(0x7c0fn);
    expect(engine.run(100)).toEqual({ kind: "breakpoint", address: 0x7c0fn });
  });

  it("come between instructions when IF is set", () => {
    const { cpu, engine, requests } = realMode(`${SET} nop\n again: jmp again\n handler: inc cx\n iret`);
    engine.run(6);
    requests.push(0x21);
    engine.run(4);
    expect(cpu.state.general(1)).toBe(1n);
    expect(cpu.state.flag(9)).toBe(true);
    expect(requests).toEqual([]);
  });

  it("wait while IF is clear", () => {
    const { cpu, engine, requests } = realMode(`${HANDLER} again: jmp again\n handler: inc cx\n iret`);
    requests.push(0x21);
    engine.run(50);
    expect(cpu.state.general(1)).toBe(0n);
  });

  it("wait one instruction after sti, so that sti and hlt lose nothing", () => {
    const { cpu, engine, requests } = realMode(
      `${HANDLER} mov dx, 1\n sti\n hlt\n cli\n hlt\n handler: mov cx, dx\n iret`,
    );
    requests.push(0x21);
    expect(engine.run(100)).toEqual({ kind: "halted" });
    expect(cpu.state.general(1)).toBe(1n);
    expect(cpu.state.flag(9)).toBe(false);
  });

  it("wait one instruction after a load of ss, so that sp can follow", () => {
    const text = `${SET} nop\n mov ss, ax\n mov sp, 0x6000\n done: jmp done\n handler: mov cx, sp\n hlt`;
    const { cpu, engine, requests } = realMode(text);
    engine.run(5);
    requests.push(0x21);
    engine.run(1);
    expect(cpu.state.general(4)).toBe(0x6000n);
    engine.run(1);
    expect(cpu.state.general(1)).toBe(0x6000n - 6n);
  });

  it("wake a halted processor, with the address after hlt on the stack", () => {
    const { cpu, engine, requests } = realMode(
      `${SET} hlt\n mov bx, 7\n again: jmp again\n handler: pop dx\n push dx\n iret`,
    );
    expect(engine.run(100)).toEqual({ kind: "halted" });
    const halted = cpu.state.rip;
    expect(engine.run(100)).toEqual({ kind: "halted" });
    expect(cpu.state.rip).toBe(halted);
    requests.push(0x21);
    engine.run(5);
    expect(cpu.state.general(2)).toBe(halted);
    expect(cpu.state.general(3)).toBe(7n);
  });
});
