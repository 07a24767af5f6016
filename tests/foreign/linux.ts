/** A Linux distribution's kernel with a system of one program, busybox, on a disk that GRUB boots. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { grubDisk } from "./grub-disk.ts";
import { type Guest, linesFrom, NEEDED_BY_GRUB } from "./guests.ts";

const MEBIBYTE = 0x100000;

const SETTINGS = `
terminal_output console
linux /kernel console=ttyS0
initrd /initial
boot
`;

const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='guest# '
exec setsid cttyhack sh
`;

/** File types and permissions of the archive's entries. */
const FOLDER = 0o040755;
const PROGRAM = 0o100755;

/** `kernel`: a bzImage of 32 or 64 bits with a serial console and devtmpfs; `busybox`: linked statically. Both are paths. */
export function linuxGuest(kernel: string, busybox: string): Guest {
  return {
    name: "Linux",
    needs: NEEDED_BY_GRUB,
    memory: 128 * MEBIBYTE,
    more: ["-machine", "pc,acpi=off", "-cpu", "qemu64,-apic"],
    image: () => {
      const initial = gzipSync(
        archive([
          ["bin", FOLDER, Buffer.alloc(0)],
          ["bin/busybox", PROGRAM, readFileSync(busybox)],
          ["init", PROGRAM, Buffer.from(INIT)],
        ]),
      );
      return grubDisk({ "grub/grub.cfg": SETTINGS, kernel: readFileSync(kernel), initial }, 47);
    },
    steps: [
      { serial: "guest# ", send: "uname -srm\n" },
      { serial: "guest# ", send: "expr 6 '*' 7; mount | sort; ls /\n" },
      { serial: "guest# ", send: "seq 1 100000 | md5sum; echo 'scale=40; 4*a(1)' | bc -l\n" },
      { serial: "guest# " },
    ],
    said: ({ serial }) => linesFrom(serial, "guest# "),
  };
}

/** An archive in the form `newc` of cpio, as the kernel unpacks it (Linux, "initramfs buffer format"). */
function archive(entries: readonly (readonly [path: string, mode: number, content: Uint8Array])[]): Uint8Array {
  const all = [...entries, ["TRAILER!!!", 0, Buffer.alloc(0)] as const];
  return Buffer.concat(
    all.flatMap(([path, mode, content], index) => {
      const links = 1;
      const fields = [index + 1, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, path.length + 1, 0];
      const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${path}\0`;
      return [padded(Buffer.from(header)), padded(content)];
    }),
  );
}

/** Filled up with zeros to a multiple of four bytes. */
function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
