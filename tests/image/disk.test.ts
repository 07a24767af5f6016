import { describe, expect, test } from "vitest";
import { buildDisk, DiskError } from "../../tangle/image/disk.ts";
import fc from "../properties.ts";

const sector = (): Uint8Array => {
  const bytes = new Uint8Array(512);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
};

const parts = fc.record({
  secondStage: fc.uint8Array({ minLength: 16, maxLength: 16384, size: "max" }),
  kernel: fc.uint8Array({ minLength: 1, maxLength: 3000, size: "max" }),
  padding: fc.nat(2_500_000),
});

describe("the boot disk", () => {
  test("holds its three parts at their sectors, and says in the header where the kernel is", () => {
    fc.assert(
      fc.property(parts, ({ secondStage, kernel: head, padding }) => {
        const kernel = new Uint8Array(head.length + padding);
        kernel.set(head);
        const image = buildDisk({ bootSector: sector(), secondStage, kernel });
        const view = new DataView(image.buffer);
        const start = view.getUint32(512 + 4, true) * 512;
        expect(image.length % (1024 * 1024)).toBe(0);
        expect(image.slice(start, start + head.length)).toEqual(head);
        expect(view.getUint32(512 + 12, true)).toBe(kernel.length);
        expect(view.getUint32(512 + 8, true)).toBe(Math.ceil(kernel.length / 512));
        expect(start).toBeGreaterThanOrEqual(512 + 16384);
        expect(start + kernel.length).toBeLessThanOrEqual(image.length);
        expect(image.slice(512 + 16, 512 + secondStage.length)).toEqual(secondStage.slice(16));
        expect(view.getUint32(458, true)).toBe(image.length / 512 - 1);
        expect([image[510], image[511]]).toEqual([0x55, 0xaa]);
      }),
      { numRuns: 30 },
    );
  });

  test("refuses a boot sector without a signature, and parts that do not fit", () => {
    const good = { bootSector: sector(), secondStage: new Uint8Array(16), kernel: new Uint8Array(1) };
    expect(() => buildDisk({ ...good, bootSector: new Uint8Array(512) })).toThrow(DiskError);
    expect(() => buildDisk({ ...good, bootSector: new Uint8Array(511) })).toThrow(/511 bytes/);
    expect(() => buildDisk({ ...good, secondStage: new Uint8Array(16385) })).toThrow(/16385 bytes/);
  });
});
