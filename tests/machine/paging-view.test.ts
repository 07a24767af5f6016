/** The page tables as inspectors show them: a walk says what the machine itself does, and the tree holds every page. */

import { beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "#machine/machine.ts";
import { type Access, walk } from "#machine/memory/paging.ts";
import { registersOf } from "#machine/registers.ts";
import { parseAddress } from "../../machine/debug/address.ts";
import { findBootInfo } from "../../machine/debug/boot-info.ts";
import { AddressMap } from "../../machine/debug/map.ts";
import { type MemoryMapView, viewMemory } from "../../machine/debug/memory-map.ts";
import { pagesOf, readPageTree } from "../../machine/debug/page-tables.ts";
import { type Paged, walkAddress } from "../../machine/debug/paging.ts";
import { KernelMemory } from "../../machine/debug/structures.ts";
import { createMachine } from "../../machine/hosts/pc.ts";
import { readMap, readOutput } from "../chapters/images.ts";
import fc from "../properties.ts";
import { bareCpu } from "./processor.ts";

/** Tables at 0x1000 to 0x4000, one a level, and the entry of each that the address below takes. */
const ADDRESS = 0x0000_1234_5678_9abcn;
const INDEXES = [39n, 30n, 21n, 12n].map((shift) => Number((ADDRESS >> shift) & 511n));

/** Bits that decide: present, write, user, a large page, no execute, and one that is reserved. */
const ENTRY = fc
  .record({
    low: fc.constantFrom(0b111n, 0b111n, 0b011n, 0b101n, 0b001n, 0b110n, 0n),
    large: fc.constantFrom(0n, 0n, 0x80n),
    high: fc.constantFrom(0n, 0n, 0n, 1n << 63n, 1n << 51n),
  })
  .map(({ low, large, high }) => low | large | high);

/** Error code of an access to a page that is there but does not allow it: present, and no reserved bit. */
const isProtection = (errorCode: number): boolean => (errorCode & 9) === 1;

/** An entry that stands in the way of an access lacks what the access needs. */
function expectRefusing(entry: bigint, { write, user, fetch }: Access): void {
  const lacks = [user && (entry & 4n) === 0n, write && (entry & 2n) === 0n, fetch && entry >> 63n === 1n];
  expect(lacks).toContain(true);
}

describe("the walk of an address", () => {
  test("refuses what the machine refuses, at an entry that stands in the way, and leads where the machine goes", () => {
    const cpu = bareCpu();
    const { state, memory } = cpu;
    const paged: Paged = {
      registers: () => registersOf(state),
      readPhysical: (at, length) => memory.readBytes(at, length),
    };
    const settings = fc.record({
      entries: fc.tuple(ENTRY, ENTRY, ENTRY, ENTRY),
      writeProtect: fc.boolean(),
      noExecute: fc.boolean(),
    });
    fc.assert(
      fc.property(settings, ({ entries, writeProtect, noExecute }) => {
        for (const [depth, entry] of entries.entries()) {
          memory.write64(0x1000 * (depth + 1) + INDEXES[depth]! * 8, entry | BigInt(0x1000 * (depth + 2)));
        }
        state.cr0 = 0x8000_0011n | (writeProtect ? 1n << 16n : 0n);
        state.cr3 = 0x1000n;
        state.cr4 = 0x20n;
        state.efer = 0x500n | (noExecute ? 0x800n : 0n);
        const seen = walkAddress(paged, ADDRESS)!;
        for (const { act, user, refusal } of seen.verdicts) {
          const access = { write: act === "write", user, fetch: act === "run" };
          const found = walk(state, memory, ADDRESS, access, false);
          expect(refusal === null).toBe(found.ok);
          if (found.ok) expect(seen).toMatchObject({ physical: found.physical, pageBytes: BigInt(found.pageBytes) });
          else if (isProtection(found.errorCode)) expectRefusing(seen.steps[refusal!.step!]!.entry, access);
          else expect(found.detail).toContain(`physical 0x${seen.steps[refusal!.step!]!.at.toString(16)} `);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("is none where paging is off, and ends at once where the address is not canonical", () => {
    const machine = createMachine({ image: readOutput(2, null, "disk.img") });
    expect(walkAddress(machine, 0x7c00n)).toBeNull();
    machine.run(30_000_000);
    const seen = walkAddress(machine, 0x8000_0000_0000_0000n)!;
    expect(seen).toMatchObject({ canonical: false, steps: [], physical: null });
    expect(seen.verdicts.every(({ refusal }) => refusal !== null)).toBe(true);
  });
});

describe("chapter 7's memory", () => {
  let machine: Machine;
  let map: AddressMap;
  let seen: MemoryMapView;
  beforeAll(() => {
    machine = createMachine({ image: readOutput(7, null, "disk.img"), clock: "host" });
    machine.run(30_000_000);
    map = new AddressMap(readMap(7, null));
    seen = viewMemory(machine, new KernelMemory(machine, map.layout()));
  });

  test("has every page in the tree that reading finds mapped", () => {
    const { root, cut, tables } = readPageTree(machine);
    expect(cut).toBe(false);
    expect(tables).toContain(Number(machine.registers().cr3));
    for (const { address, bytes, target } of pagesOf(root)) {
      expect(machine.readMemory(address, 1)).not.toBeNull();
      const last = walkAddress(machine, address + bytes - 1n)!;
      expect(last.physical).toBe(target + Number(bytes) - 1);
    }
    const stack = pagesOf(root).find(({ address }) => address === 0xffff_ffff_bfff_0000n)!;
    expect(stack).toMatchObject({ bytes: 0x10000n, permissions: { writable: true, executable: false, user: false } });
    expect(machine.readMemory(stack.address - 1n, 1)).toBeNull();
  });

  test("is described as the loader described it to the kernel", () => {
    const boot = findBootInfo(machine)!;
    expect(boot.physicalOffset).toBe(0xffff_8000_0000_0000n);
    expect(boot.ranges.filter(({ kind }) => kind === "usable")).toHaveLength(2);
    expect(boot.kernelStart).toBeLessThan(boot.kernelEnd);
  });

  test("is divided without gaps, by what it is for", () => {
    let at = 0;
    for (const { base, bytes } of seen.physical) {
      expect(base).toBe(at);
      at += bytes;
    }
    expect(at).toBe(32 * 1024 * 1024);
    const sum = (purpose: string) =>
      seen.physical.filter((range) => range.purpose === purpose).reduce((total, { bytes }) => total + bytes, 0);
    expect(sum("stack")).toBe(0x10000);
    expect(sum("screen")).toBe(0x8000);
    expect(sum("page tables")).toBe(readPageTree(machine).tables.length * 4096);
  });

  test("says of what is mapped what it is, merged into ranges", () => {
    const { rip, rsp } = machine.registers();
    const at = (address: bigint) =>
      seen.virtual!.find((range) => address >= range.address && address < range.address + range.bytes);
    expect(at(rip)).toMatchObject({ purpose: "kernel", executable: true, writable: false });
    expect(at(rsp)).toMatchObject({ purpose: "stack", executable: false, writable: true });
    expect(at(0xffff_8000_000b_8000n)).toMatchObject({ purpose: "window", bytes: 1n << 32n, physical: 0 });
    expect(at(0n)).toBeUndefined();
    expect(seen.virtual!.length).toBeLessThan(12);
  });

  test("is asked for by number, register or name", () => {
    expect(parseAddress("0xffff_8000_000b_8000", map)).toBe(0xffff_8000_000b_8000n);
    expect(parseAddress(" b8000 ", map)).toBe(0xb8000n);
    expect(parseAddress("RSP", map)).toBe("rsp");
    expect(parseAddress("kernel/timer:ticks", map)).toBe(map.addressOf("kernel/timer:ticks")!.address);
    expect(parseAddress("0x1_0000_0000_0000_0000_0", map)).toBeNull();
    expect(parseAddress("nothing", map)).toBeNull();
  });
});

test("tables that lead back to themselves are not followed for ever", () => {
  const cpu = bareCpu();
  const { state, memory } = cpu;
  // Every entry of the page map is the page map itself.
  for (let index = 0; index < 512; index++) memory.write64(0x1000 + index * 8, 0x1003n);
  state.cr0 = 0x8000_0011n;
  state.cr3 = 0x1000n;
  state.cr4 = 0x20n;
  state.efer = 0x500n;
  const paged: Paged = {
    registers: () => registersOf(state),
    readPhysical: (at, length) => memory.readBytes(at, length),
  };
  const { cut, tables } = readPageTree(paged);
  expect(cut).toBe(true);
  expect(tables).toEqual([0x1000]);
});
