/** The boot disk: boot sector, second stage and kernel file in one reproducible image. Chapter 2 explains each part. */

const SECTOR = 512;
/** Sectors 1 to 32 are the second stage's. */
const SECOND_STAGE_SECTORS = 32;
const KERNEL_SECTOR = 1 + SECOND_STAGE_SECTORS;
/** Images are whole mebibytes: the size that disk geometries like. */
const GRANULE = 1024 * 1024;

/** The second stage's header, in bytes from its start: three 32-bit little-endian numbers. */
const HEADER = { kernelSector: 4, kernelSectors: 8, kernelBytes: 12 } as const;
/** The first partition entry's number of sectors, in the boot sector. */
const PARTITION_LENGTH = 446 + 12;
const SIGNATURE = 510;

export interface DiskParts {
  /** Exactly 512 bytes, the last two 55 aa. */
  readonly bootSector: Uint8Array;
  /** At most 16 KiB. */
  readonly secondStage: Uint8Array;
  /** The ELF file, unchanged. */
  readonly kernel: Uint8Array;
}

/** A part that does not fit its place on the disk: `part` says which, the message how. */
export class DiskError extends Error {
  constructor(
    readonly part: keyof DiskParts,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Lays out the image: the same parts always give the same bytes. Its size is a multiple of 1 MiB.
 * @throws DiskError where a part has the wrong size or the boot sector no signature.
 */
export function buildDisk({ bootSector, secondStage, kernel }: DiskParts): Uint8Array {
  if (bootSector.length !== SECTOR) {
    throw new DiskError("bootSector", `the boot sector has ${bootSector.length} bytes; it must have ${SECTOR}`);
  }
  if (bootSector[SIGNATURE] !== 0x55 || bootSector[SIGNATURE + 1] !== 0xaa) {
    throw new DiskError("bootSector", "the boot sector does not end in the bytes 55 aa, so no firmware will start it");
  }
  const room = SECOND_STAGE_SECTORS * SECTOR;
  if (secondStage.length > room) {
    throw new DiskError("secondStage", `the second stage has ${secondStage.length} bytes; there is room for ${room}`);
  }
  const kernelSectors = Math.ceil(kernel.length / SECTOR);
  const size = Math.ceil(((KERNEL_SECTOR + kernelSectors) * SECTOR) / GRANULE) * GRANULE;

  const image = new Uint8Array(size);
  image.set(bootSector, 0);
  image.set(secondStage, SECTOR);
  image.set(kernel, KERNEL_SECTOR * SECTOR);

  const view = new DataView(image.buffer);
  view.setUint32(PARTITION_LENGTH, size / SECTOR - 1, true);
  view.setUint32(SECTOR + HEADER.kernelSector, KERNEL_SECTOR, true);
  view.setUint32(SECTOR + HEADER.kernelSectors, kernelSectors, true);
  view.setUint32(SECTOR + HEADER.kernelBytes, kernel.length, true);
  return image;
}
