/** Replays in a page: bundled, and called by the test. */
import { replay } from "./replay.ts";

Object.assign(globalThis, { replay });
