/** The page beside our machine's worker: power on, wait for the result. */
import type { GuestRun } from "./guest.ts";
import type { GuestResult } from "./marks.ts";

async function run(options: Omit<GuestRun, "image">): Promise<GuestResult> {
  const image = new Uint8Array(await (await fetch("/disk.img")).arrayBuffer());
  const worker = new Worker("/guest-worker.js", { type: "module" });
  const result = await new Promise<GuestResult>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<GuestResult>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage({ ...options, image });
  });
  worker.terminate();
  return result;
}

Object.assign(globalThis, { runGuest: run });
