/** v86 in a page, where it runs in the page's own thread, as its makers do it. */
import { type GuestResult, Marks } from "./marks.ts";
import { v86Settings } from "./v86.ts";

interface Emulator {
  add_listener(event: "serial0-output-byte", listener: (byte: number) => void): void;
}

const load = async (path: string) => (await fetch(path)).arrayBuffer();

/** Boots `/disk.img` and gives up after `limit` milliseconds. */
async function run(limit: number): Promise<GuestResult> {
  const address: string = "/libv86.mjs";
  const { V86 } = (await import(address)) as { V86: new (settings: object) => Emulator };
  const files = { bios: await load("/bios.bin"), video: await load("/video.bin"), disk: await load("/disk.img") };
  const begun = performance.now();
  const marks = new Marks(() => performance.now() - begun);
  const emulator = new V86(v86Settings("/v86.wasm", files));
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(marks.result), limit);
    emulator.add_listener("serial0-output-byte", (byte) => {
      if (!marks.take(byte)) return;
      clearTimeout(timer);
      resolve(marks.result);
    });
  });
}

Object.assign(globalThis, { runV86: run });
