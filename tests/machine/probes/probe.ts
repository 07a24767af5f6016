/** Probe images: small programs that provoke exceptions and print what arrives, run by our machine and by QEMU. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Machine } from "#machine/machine.ts";
import { evaluatorEngine } from "../../../machine/engine/evaluator-engine.ts";
import { assemble } from "../../../tangle/assembler/assembler.ts";
import { DONE, runInQemu } from "./qemu.ts";

/** A few instructions that are meant to fault, or to end. */
export interface Probe {
  readonly name: string;
  readonly code: string;
  /** Why QEMU 7.2 does otherwise than the manual says; such probes run in our machine alone. */
  readonly differs?: string;
}

/** A probe in which QEMU is not the model, and why. */
export const ours = (differs: string, name: string, code: string): Probe => ({ name, code, differs });

/**
 * All probes, one after the other. `source` is the register of `lodsb`; `prepare` runs once the name is printed, and
 * tells the exception handler to go on at `.end`.
 */
export function probesText(probes: readonly Probe[], source: "si" | "esi" | "rsi", prepare: string): string {
  const text = ({ name, code }: Probe, index: number) => `
probe_${index}:
    mov ${source}, .name
    call print_text
${prepare}
    jmp .start
.name: db "${name}:", 0
.start:
${code}
    call finished
.end:
    cld`;
  return probes.map(text).join("\n");
}

function assembled(path: string, text: string): Uint8Array {
  const { bytes, diagnostics } = assemble({ path, text });
  if (diagnostics.length > 0) {
    const lines = text.split("\n");
    throw new Error(diagnostics.map((d) => `${d.place.line}: ${d.message}: ${lines[d.place.line - 1]}`).join("\n"));
  }
  return bytes;
}

const read = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");
const WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17]);
export const GATES = 64;

/** The entries of the gates, 16 bytes each. */
export function stubs(pushSize: string, errorCodes = true): string {
  const stub = (vector: number) => {
    const dummy = !errorCodes || WITH_ERROR_CODE.has(vector) ? "" : `    push ${pushSize} 0\n`;
    return `align 16\nstub_${vector}:\n${dummy}    push ${pushSize} ${vector}\n    jmp handler\n`;
  };
  return Array.from({ length: GATES }, (_, vector) => stub(vector)).join("");
}

/** A disk image: boot sector, then `program` at 0x8000. */
export function image(program: string): Uint8Array {
  const bytes = new Uint8Array(0x100000);
  bytes.set(assembled("boot.asm", read("boot.asm")));
  bytes.set(assembled("probe.asm", program), 512);
  return bytes;
}

export function prelude(name: string): string {
  return read(name);
}

/** What our machine prints on the serial line until it ends or has run 20 million instructions. */
export function printedByMachine(disk: Uint8Array): string {
  const machine = new Machine({ disk, memory: 0x800000, engine: evaluatorEngine });
  const bytes: number[] = [];
  machine.onSerial = (byte) => bytes.push(byte);
  const stop = machine.run(20_000_000);
  const text = Buffer.from(bytes).toString("latin1");
  return stop.kind === "exit"
    ? text
    : `${text}\n[${stop.kind}${stop.kind === "stopped" ? `: ${stop.event.message}` : ""}]`;
}

/** The same from QEMU. `cpu` is a model that it knows. */
export function printedByQemu(disk: Uint8Array, cpu?: string): string {
  const { status, serial } = runInQemu(disk, cpu === undefined ? {} : { cpu });
  const text = Buffer.from(serial).toString("latin1");
  return status === DONE ? text : `${text}\n[status ${status}]`;
}
