/** Boots an image in our machine as the terminal does, until its screen shows a text: `start-node.mjs IMAGE TEXT [ENGINE]`. */
import { readFileSync } from "node:fs";
import { screenText } from "#machine/platform/vga.ts";
import { MachineSession } from "../../../machine/hosts/headless.ts";
import type { EngineName } from "../../../machine/hosts/pc.ts";

const [path, text, engine] = process.argv.slice(2);
const session = new MachineSession({
  image: new Uint8Array(readFileSync(path!)),
  clock: "host",
  startTime: Date.now(),
  keepHalted: true,
  ...(engine === undefined ? {} : { engine: engine as EngineName }),
});
session.onScreen = ({ cells }) => {
  if (screenText(cells).includes(text!)) process.exit(0);
};
session.start();
