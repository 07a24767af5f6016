/** A recorded run: an image, and what was typed at which instruction. Runs in Node and, bundled, in a page. */
import { createMachine, type EngineName } from "../../machine/hosts/pc.ts";

export interface Recording {
  readonly image: Uint8Array;
  readonly inputs: readonly { readonly at: number; readonly text: string }[];
  /** Instructions after which the run ends. */
  readonly end: number;
}

/** What identifies the end of a run: a hash of the whole state (FNV-1a over its bytes, twice 32 bits), and its screen. */
export function replay({ image, inputs, end }: Recording, engine: EngineName): { hash: string; screen: string } {
  const machine = createMachine({ image, engine });
  for (const { at, text } of inputs) {
    runTo(at);
    machine.type(text);
  }
  runTo(end);
  let [first, second] = [0x811c9dc5, 0x01000193];
  for (const byte of machine.save()) {
    first = Math.imul(first ^ byte, 0x01000193);
    second = Math.imul(second + byte, 0x85ebca6b) ^ (second >>> 13);
  }
  const hash = [first, second].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  return { hash, screen: machine.screen.text() };

  function runTo(count: number): void {
    while (machine.instructions < count && machine.run(count - machine.instructions).kind === "budget");
  }
}
