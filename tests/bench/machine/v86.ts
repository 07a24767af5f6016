/** How v86 is set up: Debian's SeaBIOS, one hard disk, no sound, as much RAM as the others get. */

/** Debian packages: seabios. */
export const FIRMWARE = { bios: "/usr/share/seabios/bios.bin", video: "/usr/share/seabios/vgabios-stdvga.bin" };

export interface V86Files {
  readonly bios: ArrayBuffer;
  readonly video: ArrayBuffer;
  readonly disk: ArrayBuffer;
}

export function v86Settings(program: string, { bios, video, disk }: V86Files) {
  return {
    wasm_path: program,
    bios: { buffer: bios },
    vga_bios: { buffer: video },
    hda: { buffer: disk },
    memory_size: 128 << 20,
    vga_memory_size: 8 << 20,
    boot_order: 0x312,
    fastboot: true,
    autostart: true,
    disable_speaker: true,
  };
}
