/** Our machine in a Node process of its own: `node guest-node.mjs IMAGE START LIMIT [ENGINE]`, START as Date.now() says. */
import { readFileSync } from "node:fs";
import type { EngineName } from "../../../machine/hosts/pc.ts";
import { runGuest } from "./guest.ts";

const [path, start, limit, engine] = process.argv.slice(2);
const result = await runGuest(
  { image: new Uint8Array(readFileSync(path!)), limit: Number(limit), engine: engine as EngineName | undefined },
  () => performance.timeOrigin + performance.now() - Number(start),
  (task) => setImmediate(task),
);
process.stdout.write(JSON.stringify(result));
