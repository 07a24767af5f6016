/** An address as a reader types it: a number, a register, or a name of the kernel. */
import type { Registers } from "#machine/machine.ts";
import type { AddressMap } from "./map.ts";

const REGISTERS = ["rip", "rsp", "cr2", "cr3", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp"] as const;

/** A linear address, or the register that holds it, which may hold another one later. */
export type AskedAddress = bigint | (typeof REGISTERS)[number];

/** `0xffff_8000_000b_8000`, `b8000`, `rsp`, `kernel/print:writer`; null for what is none of these. */
export function parseAddress(text: string, map: AddressMap | null): AskedAddress | null {
  const asked = text.trim();
  const register = REGISTERS.find((name) => name === asked.toLowerCase());
  if (register !== undefined) return register;
  const digits = /^(?:0x)?([0-9a-f_]+)$/i.exec(asked)?.[1]?.replaceAll("_", "") ?? "";
  if (digits !== "") return digits.length <= 16 ? BigInt(`0x${digits}`) : null;
  return map?.addressOf(asked)?.address ?? null;
}

export function addressOf(asked: AskedAddress, registers: Registers): bigint {
  return typeof asked === "bigint" ? asked : registers[asked];
}
