/** Boot sectors that call the firmware, run in our machine and in QEMU. */
import { expect } from "vitest";
import { screenText } from "#machine/platform/vga.ts";
import { type MachineOptions, runMachine } from "../../machine/hosts/headless.ts";
import { runQemu } from "../../machine/hosts/qemu.ts";
import { lacks } from "../requires.ts";
import { bootImage, said } from "./boot-image.ts";

/** For a guest that hangs; on a busy host one that does not may take half a minute. */
export const TIMEOUT = 100;

/** Runs a boot sector in our machine; the words that it said, and its screen. */
export async function run(body: string, options: Partial<MachineOptions> = {}) {
  const { serial, screenCells, exit } = await runMachine({ image: bootImage(body), timeout: TIMEOUT, ...options });
  return { words: said(serial), screenCells, text: screenText(screenCells), exit };
}

/** Runs it in QEMU as well, and expects the same words, the same end and the same screen. */
export async function same(body: string, compareScreen: boolean) {
  const ours = await run(body);
  if (lacks("qemu-system-x86_64")) return ours;
  const peer = await runQemu({ image: bootImage(body), timeout: TIMEOUT });
  expect(said(peer.serial)).toEqual(ours.words);
  expect(peer.exit).toEqual(ours.exit);
  if (compareScreen) expect(Buffer.from(peer.screenCells)).toEqual(Buffer.from(ours.screenCells));
  return ours;
}

export const MODE_3 = "mov ax, 3\nint 0x10\n";

/** Says the carry flag, then ah. */
export const CARRY = "mov bx, ax\nsetc al\nxor ah, ah\ncall say\nmov al, bh\ncall say\n";
