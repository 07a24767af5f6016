/** The fault matrix: images that try every combination of rights in page-table entries, and what they report. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { image, stubs } from "../probes/probe.ts";

/** A set of cases: those numbers whose bits under `mask` are `value`, each changed in one way (see matrix.asm). */
export interface Round {
  readonly change: number;
  readonly mask: number;
  readonly value: number;
}

const WP = 0x10;
const NXE = 0x20;
const SMEP = 0x40;
const SMAP = 0x80;
const AC = 0x08;

/** All cases as they are. */
const PLAIN: Round = { change: 0, mask: 0, value: 0 };
/** Reserved and ignored bits, and entries that were used before, with WP set and SMEP and SMAP clear. */
const CHANGED: readonly Round[] = [1, 2, 3, 4, 5, 6].map((change) => ({
  change,
  mask: AC | WP | SMEP | SMAP,
  value: WP,
}));
/** Rights that are missing in two places at once. */
const PAIRED: readonly Round[] = Array.from({ length: 16 }, (_, rights) => ({
  change: 16 + rights,
  mask: AC | NXE | SMEP | SMAP,
  value: NXE,
}));

export const ROUNDS: readonly Round[] = [PLAIN, ...CHANGED, ...PAIRED];

/** A disk that runs these rounds, then ends the machine. */
export function matrixImage(rounds: readonly Round[]): Uint8Array {
  const text = readFileSync(join(import.meta.dirname, "matrix.asm"), "utf8");
  const data = rounds.map(({ change, mask, value }) => `    db ${change}\n    dw ${mask}, ${value}\n`).join("");
  return image(`${text.replace("; <<rounds>>", data)}\n${stubs("qword")}`);
}

/** What one access did. */
export interface Report {
  readonly number: number;
  readonly change: number;
  /** The exception's vector and error code, or null. */
  readonly fault: { readonly vector: number; readonly code: number } | null;
  /** Accessed (bits 0 to 3) and dirty bits (4 to 7) of the four entries afterwards, from the last table up. */
  readonly traces: number;
  /** The byte that was read or written, or that the executed code left. */
  readonly data: number;
  readonly cr2: bigint;
}

const BYTES = 16;

export function reports(serial: Uint8Array): Report[] {
  const view = new DataView(serial.buffer, serial.byteOffset, serial.byteLength);
  return Array.from({ length: Math.floor(serial.length / BYTES) }, (_, index) => {
    const at = index * BYTES;
    const vector = serial[at + 4]!;
    return {
      number: view.getUint16(at, true),
      change: view.getUint16(at + 2, true),
      fault: vector === 0xff ? null : { vector, code: serial[at + 5]! },
      traces: serial[at + 6]!,
      data: serial[at + 7]!,
      cr2: view.getBigUint64(at + 8, true),
    };
  });
}

const ACCESSES = ["read", "write", "execute"];
const LEVELS = ["PTE", "PDE", "PDPTE", "PML4E"];
const SIZES = ["4 KiB", "2 MiB", "1 GiB"];
const CHANGES = ["", " bit 51", " bit 40", " bit 62", " bit 7", " bit 13", " used before"];
const bits = (value: number, names: string): string =>
  [...names].map((name, bit) => (((value >> bit) & 1) === 1 ? name : "-")).join("");

/** One line: the case, and what came of it. */
export function line({ number, change, fault, traces, data, cr2 }: Report): string {
  const has = (bit: number) => ((number >> bit) & 1) === 1;
  const switches = [
    has(3) ? "AC" : "",
    has(4) ? "WP" : "",
    has(5) ? "NXE" : "",
    has(6) ? "SMEP" : "",
    has(7) ? "SMAP" : "",
  ];
  const other = change < 16 ? CHANGES[change] : ` page ${bits(change, "pwux")}`;
  const entry = `${LEVELS[(number >> 12) & 3]} ${bits(number >> 8, "pwux")}${other}`;
  const who = has(2) ? "program" : "kernel";
  const result =
    fault === null ? `byte ${data.toString(16)}` : `vector ${fault.vector} code ${bits(fault.code, "pwurf")}`;
  const left = `accessed ${bits(traces, "0123")} dirty ${bits(traces >> 4, "0123")} cr2 ${cr2.toString(16)}`;
  return `${SIZES[number >> 14]} ${entry} [${switches.filter((name) => name !== "").join(" ")}] ${who} ${ACCESSES[number & 3]}: ${result} ${left}`;
}
