/** What code generation hands to the linker, and the linker to the image writers. */
import type { Place } from "../place.ts";
import type { DataObject } from "./ssa/ir.ts";

/** A hole in code, 4 or 8 bytes wide, for an address known only after layout. */
export interface Relocation {
  /** Byte offset of the hole in the code. */
  readonly at: number;
  /** `relative32`: target - (address of the hole + 4) + addend; `absolute32`: sign-extended; `absolute64`. */
  readonly kind: "relative32" | "absolute32" | "absolute64";
  readonly symbol: string;
  readonly addend: number;
}

/**
 * What a debugger needs to get from a function to its caller: where the frame ends, and what of the caller's registers
 * lies in it. Registers by hardware number, 16 for rip.
 */
export interface FrameState {
  /** From rsp up to the end of what was on the stack when the function began: its return address or interrupt frame. */
  readonly height: number;
  /** Where registers of the caller were saved, in bytes below that end. */
  readonly saved: readonly { readonly register: number; readonly below: number }[];
}

/** Machine code of one function. */
export interface ObjectFunction {
  readonly symbol: string;
  readonly code: Uint8Array;
  readonly relocations: readonly Relocation[];
  /** From this code offset on, instructions come from this place in the tangled source; ascending. */
  readonly lines: readonly { readonly offset: number; readonly place: Place }[];
  /** From this code offset on the frame looks so; ascending. Left out where the compiler does not know (naked functions). */
  readonly frames?: readonly { readonly offset: number; readonly state: FrameState }[];
}

export interface ObjectProgram {
  readonly functions: readonly ObjectFunction[];
  readonly data: readonly DataObject[];
  readonly entry: string;
}

/** A loadable range of the linked kernel: one ELF program header. */
export interface Segment {
  readonly name: ".text" | ".rodata" | ".data" | ".bss";
  /** Virtual address, page aligned. */
  readonly address: bigint;
  /** Bytes in memory; `bytes` may be shorter (bss has none). */
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly flags: { readonly write: boolean; readonly execute: boolean };
}

export interface LinkedSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: number;
  readonly kind: "function" | "object";
}

export interface LinkedProgram {
  readonly segments: readonly Segment[];
  readonly symbols: readonly LinkedSymbol[];
  /** Ascending by address; places in the tangled sources (`kernel/vga.ts`), not yet in Markdown. */
  readonly lines: readonly { readonly address: bigint; readonly place: Place }[];
  /** One for each function whose frame is known; offsets from its address. */
  readonly frames: readonly {
    readonly address: bigint;
    readonly size: number;
    readonly states: NonNullable<ObjectFunction["frames"]>;
  }[];
  readonly entry: bigint;
}

/** Where the kernel is linked: the top 2 GiB, so addresses fit sign-extended 32-bit immediates (System V "kernel" model). */
export const KERNEL_BASE = 0xffff_ffff_8000_0000n;
/** Where the boot loader maps all physical memory. */
export const PHYSICAL_OFFSET = 0xffff_8000_0000_0000n;
