/** QEMU's arguments for a PC like ours. */

export const PROGRAM = "qemu-system-x86_64";

/** How the disk is attached. */
export type Attachment = "disk" | "usb" | "floppy";

export interface QemuHardware {
  /** File of the disk image. It is not written to. */
  readonly disk: string;
  readonly attach?: Attachment;
  /** Where the serial line leads: `stdio`, `file:PATH`. */
  readonly serial: string;
  /** Path of the socket where the monitor listens. */
  readonly monitor: string;
  /** Further arguments, such as `-cpu qemu32`. */
  readonly more?: readonly string[];
}

const DRIVES: Readonly<Record<Attachment, (file: string) => string[]>> = {
  disk: (file) => ["-drive", `if=ide,${file}`],
  usb: (file) => [
    ...["-drive", `if=none,id=stick,${file}`],
    ...["-device", "qemu-xhci", "-device", "usb-storage,drive=stick"],
  ],
  floppy: (file) => ["-drive", `if=floppy,${file}`, "-boot", "a"],
};

/** A PC without network or window, with a debug exit, that stops where a real one would start again. */
export function qemuArguments({ disk, attach, serial, monitor, more }: QemuHardware): string[] {
  const file = `format=raw,snapshot=on,file=${disk.replaceAll(",", ",,")}`;
  return [
    ...["-nodefaults", "-no-user-config", "-accel", "tcg", "-vga", "std", "-display", "none", "-no-reboot"],
    ...DRIVES[attach ?? "disk"](file),
    ...["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-serial", serial],
    ...["-qmp", `unix:${monitor},server=on,wait=off`],
    ...(more ?? []),
  ];
}
