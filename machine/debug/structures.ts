/** The kernel's own structures, read from memory by the names that the compiler's layout gives their fields. */
import type { Machine } from "#machine/machine.ts";

/**
 * The module-level variables of a kernel, and the layout of the types that they lead to. Types are written as `u8` …
 * `i64`, `bool`, `string` and `[]T` (address and number), `*T` (an address or 0), `[n]T`, or the name of a shape.
 */
export interface KernelLayout {
  readonly objects: readonly { readonly name: string; readonly address: bigint; readonly type: string }[];
  readonly shapes: Readonly<Record<string, Shape>>;
  /** What the async functions keep: the first byte of a frame is the number of its state. */
  readonly frames: readonly AsyncFrame[];
}

/** An async function, and for each of its states the line of the book at which it waits. */
export interface AsyncFrame {
  readonly function: string;
  readonly states: readonly { readonly line: number }[];
}

type Shape =
  | { readonly size: number; readonly fields: readonly (readonly [name: string, offset: number, type: string])[] }
  | { readonly repr: string; readonly members: Readonly<Record<string, number>> };

export const NO_LAYOUT: KernelLayout = { objects: [], shapes: {}, frames: [] };

const INTEGER_BYTES: Readonly<Record<string, number>> = {
  u8: 1,
  i8: 1,
  bool: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  function: 8,
};
const PAIR_BYTES = 16;
const POINTER_BYTES = 8;

const ARRAY = /^\[(\d+)\](.*)$/;

/** A value of some type at some address. All its questions are answered with null where memory or names are missing. */
export class Structure {
  constructor(
    private readonly memory: KernelMemory,
    readonly address: bigint,
    readonly type: string,
  ) {}

  /** The field of an object, or of the object that a pointer leads to. */
  field(name: string): Structure | null {
    const object = this.type.startsWith("*") ? this.target() : this;
    const shape = object === null ? undefined : this.memory.layout.shapes[object.type];
    if (object === null || shape === undefined || !("fields" in shape)) return null;
    const field = shape.fields.find(([given]) => given === name);
    return field === undefined ? null : new Structure(this.memory, object.address + BigInt(field[1]), field[2]);
  }

  /** All fields of an object, by name. */
  fields(): readonly (readonly [string, Structure])[] {
    const shape = this.memory.layout.shapes[this.type];
    if (shape === undefined || !("fields" in shape)) return [];
    return shape.fields.map(
      ([name, offset, type]) => [name, new Structure(this.memory, this.address + BigInt(offset), type)] as const,
    );
  }

  /** What a pointer leads to; null for the null pointer, and where this is none. */
  target(): Structure | null {
    if (!this.type.startsWith("*")) return null;
    const address = this.value();
    return address === null || address === 0n ? null : new Structure(this.memory, address, this.type.slice(1));
  }

  /** The value of an integer, bool, enum or pointer; signed ones as they count. */
  value(): bigint | null {
    const shape = this.memory.layout.shapes[this.type];
    const type = shape !== undefined && "repr" in shape ? shape.repr : this.type;
    const length = type.startsWith("*") ? POINTER_BYTES : INTEGER_BYTES[type];
    const bytes = length === undefined ? null : this.memory.read(this.address, length);
    if (bytes === null) return null;
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return type.startsWith("i") ? BigInt.asIntN(bytes.length * 8, value) : value;
  }

  /** The 64-bit word at so many words from the start of a value, whatever its type. */
  word(index: number): bigint | null {
    const bytes = this.memory.read(this.address + BigInt(index * POINTER_BYTES), POINTER_BYTES);
    return bytes === null ? null : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  }

  /** The member of an enum. */
  member(): string | null {
    const shape = this.memory.layout.shapes[this.type];
    const value = this.value();
    if (shape === undefined || !("members" in shape) || value === null) return null;
    return Object.entries(shape.members).find(([, number]) => BigInt(number) === value)?.[0] ?? null;
  }

  /** A string's text. */
  text(): string | null {
    const bytes = this.type === "string" ? this.pair("u8") : null;
    return bytes === null ? null : new TextDecoder().decode(this.memory.read(bytes.address, bytes.count) ?? undefined);
  }

  /** The elements of an array or a slice. */
  elements(): Structure[] {
    const array = ARRAY.exec(this.type);
    const slice = this.type.startsWith("[]") ? this.pair(this.type.slice(2)) : null;
    const [address, count, of] =
      array !== null
        ? [this.address, Number(array[1]), array[2]!]
        : slice !== null
          ? [slice.address, slice.count, this.type.slice(2)]
          : [0n, 0, ""];
    const size = this.memory.sizeOf(of);
    return Array.from({ length: size === 0 ? 0 : count }, (_, index) => {
      return new Structure(this.memory, address + BigInt(index * size), of);
    });
  }

  /** The raw bytes of an array of single bytes, all at once. */
  bytes(): Uint8Array | null {
    const count = Number(ARRAY.exec(this.type)?.[1] ?? 0);
    return this.memory.sizeOf(this.type) === count ? this.memory.read(this.address, count) : null;
  }

  private pair(of: string): { readonly address: bigint; readonly count: number } | null {
    const words = this.memory.read(this.address, PAIR_BYTES);
    if (words === null) return null;
    const view = new DataView(words.buffer, words.byteOffset, PAIR_BYTES);
    const count = view.getBigUint64(8, true);
    const fits = count * BigInt(this.memory.sizeOf(of)) <= MOST_BYTES;
    return fits ? { address: view.getBigUint64(0, true), count: Number(count) } : null;
  }
}

/** Longer slices have hardly been initialised. */
const MOST_BYTES = 1n << 20n;

/** The kernel's memory with the layout of what lies in it. */
export class KernelMemory {
  constructor(
    private readonly machine: Pick<Machine, "readMemory">,
    readonly layout: KernelLayout,
  ) {}

  read(address: bigint, length: number): Uint8Array | null {
    return this.machine.readMemory(address, length);
  }

  /** The module-level variable of this name: `kernel/ready:ready`. */
  named(name: string): Structure | null {
    const object = this.layout.objects.find((candidate) => candidate.name === name);
    return object === undefined ? null : new Structure(this, object.address, object.type);
  }

  /** The first module-level object of this class, or the first that lies inside one. */
  find(className: string): Structure | null {
    return this.search(({ type }) => type === className);
  }

  private search(fits: (candidate: Structure) => boolean): Structure | null {
    const inside = (candidate: Structure): Structure | null => {
      if (fits(candidate)) return candidate;
      for (const [, field] of candidate.fields()) {
        const found = inside(field);
        if (found !== null) return found;
      }
      return null;
    };
    for (const { address, type } of this.layout.objects) {
      const found = inside(new Structure(this, address, type));
      if (found !== null) return found;
    }
    return null;
  }

  /** Bytes of a value in memory; 0 where the type is not known. */
  sizeOf(type: string): number {
    const array = ARRAY.exec(type);
    if (array !== null) return Number(array[1]) * this.sizeOf(array[2]!);
    if (type.startsWith("*")) return POINTER_BYTES;
    if (type.startsWith("[]") || type === "string" || type === "interface") return PAIR_BYTES;
    const shape = this.layout.shapes[type];
    if (shape === undefined) return INTEGER_BYTES[type] ?? 0;
    return "size" in shape ? shape.size : (INTEGER_BYTES[shape.repr] ?? 0);
  }
}
