/**
 * The evaluator's memory: separate regions of bytes, each with room around it, so that an access outside of every object
 * is noticed. Little-endian, as the machine.
 */
import type { Global, Function as TreeFunction } from "../tree.ts";

/** What a region holds. */
export type Origin =
  | { readonly kind: "global"; readonly global: Global }
  | { readonly kind: "text" }
  | { readonly kind: "code"; readonly target: TreeFunction }
  | { readonly kind: "frame" }
  | { readonly kind: "mapped" };

export interface Region {
  readonly base: bigint;
  readonly bytes: Uint8Array;
  readonly origin: Origin;
}

/** Regions stand this far apart, in a range of addresses that no program writes as a number. */
const SPACING_BITS = 32n;
const FIRST = 0x7a1f_0000_0000_0000n;
const END = 0x7a20_0000_0000_0000n;

/** Whether a number is an address that the evaluator made up. */
export function isMadeUp(value: bigint): boolean {
  return FIRST <= value && value < END;
}

/** An access outside of every region. */
export class MemoryFault extends Error {
  constructor(readonly address: bigint) {
    super(`access to ${address.toString(16)}, where nothing lies`);
  }
}

export class Memory {
  private readonly regions = new Map<bigint, Region>();
  private readonly mapped: Region[] = [];
  private next = FIRST >> SPACING_BITS;
  /** Called before each write; may throw. */
  beforeWrite: ((region: Region) => void) | null = null;
  /** Called before each read; may throw. */
  beforeRead: ((region: Region) => void) | null = null;

  /** A new region of zeros, or of the bytes given. */
  allocate(origin: Origin, content: number | Uint8Array): bigint {
    const bytes = typeof content === "number" ? new Uint8Array(content) : content;
    const key = this.next++;
    const base = key << SPACING_BITS;
    this.regions.set(key, { base, bytes, origin });
    return base;
  }

  release(address: bigint): void {
    this.regions.delete(address >> SPACING_BITS);
  }

  /** Memory at an address of the caller's choice, such as a screen's. */
  map(base: bigint, bytes: Uint8Array): void {
    this.mapped.push({ base, bytes, origin: { kind: "mapped" } });
  }

  /** The region that an address lies in, its end included; null where there is none. */
  regionAt(address: bigint): Region | null {
    const region = this.regions.get(address >> SPACING_BITS);
    return (
      region ?? this.mapped.find(({ base, bytes }) => base <= address && address < base + BigInt(bytes.length)) ?? null
    );
  }

  private locate(address: bigint, size: number): { readonly region: Region; readonly at: number } {
    const region = this.regionAt(address);
    const at = region === null ? -1 : Number(address - region.base);
    if (region === null || at < 0 || at + size > region.bytes.length) {
      throw new MemoryFault(address);
    }
    return { region, at };
  }

  /** An unsigned number of `size` bytes. */
  read(address: bigint, size: number): bigint {
    const { region, at } = this.locate(address, size);
    this.beforeRead?.(region);
    let value = 0n;
    for (let index = size - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(region.bytes[at + index]!);
    }
    return value;
  }

  write(address: bigint, size: number, value: bigint): void {
    const { region, at } = this.locate(address, size);
    this.beforeWrite?.(region);
    for (let index = 0; index < size; index++) {
      region.bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
    }
  }

  readBytes(address: bigint, length: number): Uint8Array {
    if (length === 0) {
      return new Uint8Array(0);
    }
    const { region, at } = this.locate(address, length);
    this.beforeRead?.(region);
    return region.bytes.slice(at, at + length);
  }

  writeBytes(address: bigint, bytes: Uint8Array): void {
    if (bytes.length === 0) {
      return;
    }
    const { region, at } = this.locate(address, bytes.length);
    this.beforeWrite?.(region);
    region.bytes.set(bytes, at);
  }
}
