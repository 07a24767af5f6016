/** A hard disk with GRUB on it, made of what Debian's packages bring: boot sector, core, and a file system. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECTOR = 512;
/** First sector of the partition; what lies between the boot sector and it is the core's. */
const PARTITION = 2048;
const MODULES = "/usr/lib/grub/i386-pc";
/** Built into the core: what it takes to reach the modules of the partition. */
const IN_CORE = ["biosdisk", "part_msdos", "ext2"];

const CODE_SIZE = 440;
const TABLE = 446;
const ACTIVE = 0x80;
const LINUX = 0x83;

/** The files of the partition by path; `grub/grub.cfg` says what GRUB does. `size` in MiB, of the partition. */
export function grubDisk(files: Readonly<Record<string, Uint8Array | string>>, size: number): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "taiji-grub-"));
  try {
    const tree = join(folder, "tree");
    mkdirSync(join(tree, "grub/i386-pc"), { recursive: true });
    for (const [path, content] of Object.entries(files)) writeFileSync(join(tree, path), content);
    const core = makeCore(folder);
    for (const name of moduleNames()) copyFileSync(`${MODULES}/${name}`, `${tree}/grub/i386-pc/${name}`);
    const partition = join(folder, "partition");
    const options = ["-q", "-t", "ext2", "-U", "clear", "-d", tree, partition, `${size}M`];
    execFileSync("mke2fs", options, { env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` } });
    return assemble(core, readFileSync(partition));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeCore(folder: string): Uint8Array {
  const core = join(folder, "core.img");
  const prefix = "(hd0,msdos1)/grub";
  execFileSync("grub-mkimage", ["-O", "i386-pc", "-o", core, "-p", prefix, ...IN_CORE]);
  return readFileSync(core);
}

/** Modules that GRUB loads by itself when a command needs them, and the lists that tell it which. */
function moduleNames(): string[] {
  const lists = ["command.lst", "crypto.lst", "fs.lst", "moddep.lst", "partmap.lst", "terminal.lst"];
  const dependencies = new Map(
    readFileSync(`${MODULES}/moddep.lst`, "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .map(([name, needs]) => [name!, (needs ?? "").split(" ").filter((need) => need !== "")]),
  );
  const wanted = ["normal", "serial", "terminal", "echo", "cat", "ls", "halt", "cpuid", "multiboot", "linux"];
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const need of dependencies.get(name) ?? []) add(need);
  };
  for (const name of wanted) add(name);
  found.delete("kernel");
  return [...[...found].map((name) => `${name}.mod`), ...lists];
}

/** Boot sector with a partition table, the core behind it, then the partition. */
function assemble(core: Uint8Array, partition: Uint8Array): Uint8Array {
  if (core.length > (PARTITION - 1) * SECTOR) throw new Error("GRUB's core does not fit before the partition");
  const disk = new Uint8Array(PARTITION * SECTOR + partition.length);
  disk.set(readFileSync(`${MODULES}/boot.img`).subarray(0, CODE_SIZE));
  const table = new DataView(disk.buffer, TABLE);
  table.setUint8(0, ACTIVE);
  table.setUint8(4, LINUX);
  table.setUint32(8, PARTITION, true);
  table.setUint32(12, partition.length / SECTOR, true);
  disk.set([0x55, 0xaa], SECTOR - 2);
  disk.set(core, SECTOR);
  disk.set(partition, PARTITION * SECTOR);
  return disk;
}
