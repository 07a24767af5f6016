/** v86 in a Node process of its own: `node v86-node.mjs LIBRARY IMAGE START LIMIT`, START as Date.now() says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Marks } from "./marks.ts";
import { FIRMWARE, v86Settings } from "./v86.ts";

const [library, image, start, limit] = process.argv.slice(2);
const read = (path: string) => new Uint8Array(readFileSync(path)).buffer as ArrayBuffer;
const marks = new Marks(() => performance.timeOrigin + performance.now() - Number(start));
const { V86 } = await import(pathToFileURL(join(library!, "libv86.mjs")).href);
const files = { bios: read(FIRMWARE.bios), video: read(FIRMWARE.video), disk: read(image!) };
const emulator = new V86(v86Settings(join(library!, "v86.wasm"), files));
const finish = () => process.stdout.write(JSON.stringify(marks.result), () => process.exit(0));
emulator.add_listener("serial0-output-byte", (byte: number) => {
  if (marks.take(byte)) finish();
});
setTimeout(finish, Number(limit));
