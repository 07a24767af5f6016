/** The bus and the small chips: what a guest reads and writes there, and what the host hears of it. */
import { describe, expect, test } from "vitest";
import type { MachineEvent } from "#machine/machine.ts";
import { Machine } from "#machine/machine.ts";
import { evaluatorEngine } from "../../machine/engine/evaluator-engine.ts";
import { bootImage, said } from "./boot-image.ts";

/** Runs a boot sector to its end. */
function run(body: string, disk: Uint8Array | null = bootImage(body)) {
  const machine = new Machine({ disk, engine: evaluatorEngine });
  const serial: number[] = [];
  const events: MachineEvent[] = [];
  machine.onSerial = (byte) => serial.push(byte);
  machine.onEvent = (event) => events.push(event);
  const stop = machine.run(1_000_000);
  return { machine, stop, serial, words: said(serial), events };
}

describe("the bus", () => {
  test("gives all ones where no device is, and says so once per port and direction", () => {
    const { words, events, stop } = run(`
      mov cx, 3
    .again:
      mov dx, 0x0300
      in al, dx
      xor ah, ah
      call say
      out dx, al
      loop .again
      in ax, dx
      call say
      jmp exit`);
    expect(words).toEqual([0xff, 0xff, 0xff, 0xffff]);
    expect(stop).toEqual({ kind: "exit", status: 33 });
    const ports = events.map((event) => (event.kind === "unknownPort" ? [event.port, event.write] : event.kind));
    expect(ports).toEqual([
      [0x300, false],
      [0x300, true],
      [0x301, false],
    ]);
    expect(events[0]!.message).toBe("something was read from port 0x300, where no device is, near 0x7c1c");
  });

  test("splits a wide write into bytes at consecutive ports: index and data of the CRT controller", () => {
    const { machine, stop } = run(`
      mov dx, 0x3d4
      mov ax, 0x050f
      out dx, ax
      mov ax, 0x000e
      out dx, ax
      jmp stop`);
    expect(stop).toEqual({ kind: "halted" });
    expect(machine.screen.cursor).toEqual({ row: 0, column: 5, visible: true });
  });

  test("reads 32 bits as an unsigned number, lowest port first", () => {
    const { words } = run(`
      mov dx, 0x3d4
      mov ax, 0x050f
      out dx, ax
      in eax, dx
      call say
      shr eax, 16
      call say
      jmp exit`);
    expect(words).toEqual([0x050f, 0xffff]);
  });
});

describe("the serial port", () => {
  test("is always ready to send", () => {
    expect(run("mov dx, 0x3fd\nin al, dx\nxor ah, ah\ncall say\njmp exit").words).toEqual([0x60]);
  });

  test("keeps the divisor behind the data port while the latch bit is set, and sends none of it", () => {
    const { serial } = run(`
      mov dx, 0x3fb
      mov al, 0x83
      out dx, al
      mov dx, 0x3f8
      mov al, 0x42
      out dx, al
      in al, dx
      mov bl, al
      mov dx, 0x3fb
      mov al, 0x03
      out dx, al
      mov dx, 0x3f8
      mov al, bl
      out dx, al
      jmp exit`);
    expect(serial).toEqual([0x42]);
  });
});

describe("the debug exit", () => {
  test("ends the run with twice the value and one; an ended machine stays so until it is reset", () => {
    const { machine, stop } = run("mov al, 0x11\nout 0xf4, al\njmp stop");
    expect(stop).toEqual({ kind: "exit", status: 35 });
    const before = machine.instructions;
    expect(machine.run(100)).toEqual({ kind: "exit", status: 35 });
    expect(machine.instructions).toBe(before);
    machine.reset();
    expect(machine.run(1_000_000)).toEqual({ kind: "exit", status: 35 });
  });
});

describe("the A20 gate", () => {
  /** Sends what address 0x100500 shows, after 0x1111 was written to 0x500 and 0x2222 to 0x100500 with the gate open. */
  const look = `
      mov word [0x500], 0x1111
      mov ax, 0xffff
      mov fs, ax
      mov ax, 0x2401
      int 0x15
      mov word [fs:0x510], 0x2222
      call close
      mov ax, [fs:0x510]
      call say
      call open
      mov ax, [fs:0x510]
      call say
      jmp exit`;
  const ways = {
    "int 0x15": "close:\nmov ax, 0x2400\nint 0x15\nret\nopen:\nmov ax, 0x2401\nint 0x15\nret",
    "port 0x92": "close:\nmov al, 0\nout 0x92, al\nret\nopen:\nmov al, 2\nout 0x92, al\nret",
    "the keyboard controller": `
      close:
        mov al, 0xd1
        out 0x64, al
        mov al, 0xdd
        out 0x60, al
        ret
      open:
        mov al, 0xd1
        out 0x64, al
        mov al, 0xdf
        out 0x60, al
        ret`,
  };
  test.each(Object.entries(ways))("is closed and opened by %s", (_, routines) => {
    expect(run(`${look}\n${routines}`).words).toEqual([0x1111, 0x2222]);
  });

  test("is closed when the boot sector starts", () => {
    expect(run("mov ax, 0x2402\nint 0x15\ncall say\nin al, 0x92\nxor ah, ah\ncall say\njmp exit").words).toEqual([
      0, 0,
    ]);
  });
});

describe("reset", () => {
  const ways = {
    "port 0x92": "mov al, 1\nout 0x92, al\njmp stop",
    "the keyboard controller": "mov al, 0xfe\nout 0x64, al\njmp stop",
  };
  test.each(Object.entries(ways))("by %s starts the machine anew", (_, body) => {
    const machine = new Machine({ disk: bootImage(`mov ax, 0x4242\ncall say\n${body}`), engine: evaluatorEngine });
    const serial: number[] = [];
    machine.onSerial = (byte) => serial.push(byte);
    while (serial.length < 6) expect(machine.run(1000).kind).toBe("budget");
    expect(said(serial).slice(0, 3)).toEqual([0x4242, 0x4242, 0x4242]);
  });

  test("by the host gives the same run again, byte for byte and instruction for instruction", () => {
    const { machine, serial } = run("mov ax, 0x0e41\nint 0x10\ncall say\njmp stop");
    const first = { count: machine.instructions, text: machine.screen.text(), serial: [...serial] };
    serial.length = 0;
    machine.reset();
    expect(machine.run(1_000_000)).toEqual({ kind: "halted" });
    expect({ count: machine.instructions, text: machine.screen.text(), serial }).toEqual(first);
  });
});

describe("the keyboard controller", () => {
  test("answers its self-test, its configuration and the keyboard's own commands", () => {
    const { serial } = run(`
      mov al, 0xaa
      call ask
      mov al, 0x20
      call ask
      mov al, 0xff
      out 0x60, al
      call take
      call take
      in al, 0x64
      mov dx, 0x3f8
      out dx, al
      jmp exit
    ask:
      out 0x64, al
    take:
      in al, 0x64
      test al, 1
      jz take
      in al, 0x60
      mov dx, 0x3f8
      out dx, al
      ret`);
    expect(serial).toEqual([0x55, 0x61, 0xfa, 0xaa, 0x14]);
  });

  test("gives typed keys as scan codes, pressed and released, with shift around capitals", () => {
    const machine = new Machine({
      engine: evaluatorEngine,
      disk: bootImage(`
        mov cx, 6
      .wait:
        in al, 0x64
        test al, 1
        jz .wait
        in al, 0x60
        mov dx, 0x3f8
        out dx, al
        loop .wait
        jmp exit`),
    });
    const serial: number[] = [];
    machine.onSerial = (byte) => serial.push(byte);
    expect(machine.run(10_000)).toEqual({ kind: "budget" });
    machine.type("aB");
    expect(machine.run(10_000)).toEqual({ kind: "exit", status: 33 });
    expect(serial).toEqual([0x1e, 0x9e, 0x2a, 0x30, 0xb0, 0xaa]);
  });
});

describe("what a host can look at", () => {
  test("registers, memory and the base of the running code", () => {
    const { machine } = run("mov eax, 0x12345678\nmov bx, 0xf000\nmov fs, bx\njmp stop");
    const registers = machine.registers();
    expect(registers.rax & 0xffffffffn).toBe(0x12345678n);
    expect(registers.fs).toBe(0xf000n);
    expect(registers.mode).toBe(16);
    expect(Object.keys(registers).slice(0, 2)).toEqual(["rax", "rcx"]);
    expect(machine.codeBase()).toBe(0n);
    expect(machine.readMemory(0x7dfen, 2)).toEqual(Uint8Array.of(0x55, 0xaa));
    expect(machine.readPhysical(0xffff0, 1)).toEqual(Uint8Array.of(0xea));
  });

  test("breakpoints end a run before their instruction", () => {
    const machine = new Machine({ disk: bootImage("jmp stop"), engine: evaluatorEngine });
    expect(machine.registers()).toMatchObject({ cs: 0xf000n, rip: 0xfff0n, mode: 16 });
    machine.breakpoints.add(0x7c00n);
    expect(machine.run(1000)).toEqual({ kind: "breakpoint", address: 0x7c00n });
    expect(machine.registers()).toMatchObject({ cs: 0n, rip: 0x7c00n });
    expect(machine.step()).toEqual({ kind: "budget" });
    expect(machine.registers().rip).toBe(0x7c04n);
  });

  test("a triple fault, with its whole chain", () => {
    const { stop, events, machine } = run("lidt [zero]\nint3\njmp stop\nalign 4\nzero: dw 0\ndd 0");
    expect(stop.kind).toBe("stopped");
    const event = events.at(-1)!;
    expect(event.kind).toBe("tripleFault");
    expect(event.message).toMatch(/^Triple fault: /);
    expect(structuredClone(event)).toEqual(event);
    expect(machine.run(10)).toEqual(stop);
  });

  test("bytes that are no instruction, once, however often the guest comes back to them", () => {
    const machine = new Machine({ disk: bootImage("db 0x0f, 0xff\njmp stop"), engine: evaluatorEngine });
    const events: MachineEvent[] = [];
    machine.onEvent = (event) => events.push(event);
    expect(machine.run(1000)).toEqual({ kind: "budget" });
    expect(events).toMatchObject([{ kind: "unknownOpcode", address: 0x7c15n }]);
    expect(events[0]!.message).toMatch(/^no instruction begins with the bytes 0f ff/);
  });

  test("memory of a size that no machine has is refused", () => {
    expect(() => new Machine({ memory: 12345, engine: evaluatorEngine })).toThrow(RangeError);
  });
});
