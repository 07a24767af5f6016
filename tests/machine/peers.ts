/** The same disk in our machine and in QEMU, and what each has sent over its serial line. */
import { describe, expect, test } from "vitest";
import { runMachine } from "../../machine/hosts/headless.ts";
import { runQemu } from "../../machine/hosts/qemu.ts";
import type { RunEnd, WatchOptions } from "../../machine/hosts/session.ts";
import { lacks } from "../requires.ts";
import { said } from "./boot-image.ts";
import { deviceImage } from "./device-image.ts";
import { BY_INSTRUCTIONS } from "./guest-time.ts";

/** For a guest that hangs; on a busy host one that does not may take half a minute. */
const SECONDS = 100;
const MOST_WORDS = 100;

export interface Peer {
  readonly name: string;
  run(options: { image: Uint8Array } & WatchOptions): Promise<{ words: number[]; bytes: number[]; exit: RunEnd }>;
}

function peer(name: string, run: typeof runMachine): Peer {
  return {
    name,
    async run(options) {
      const { serial, exit } = await run({ timeout: SECONDS, ...options });
      return { words: said(serial), bytes: [...serial], exit };
    },
  };
}

export const OURS = peer("our machine", runMachine);
export const QEMU = peer("QEMU", (options) => runQemu({ ...options, more: BY_INSTRUCTIONS }));

/** A program whose words are the same in both machines, and are these. */
export function same(name: string, body: string, words: readonly number[]): void {
  describe(name, () => {
    for (const { name: where, run } of [OURS, QEMU]) {
      const isTheirs = where === "QEMU";
      test.skipIf(isTheirs && lacks("qemu-system-x86_64"))(`in ${where}`, async () => {
        const result = await run({ image: deviceImage(body) });
        expect(result.words.slice(0, MOST_WORDS).map(hex)).toEqual(words.map(hex));
        expect(result.exit).toEqual({ kind: "exit", status: 33 });
      });
    }
  });
}

const hex = (word: number): string => `0x${word.toString(16)}`;
