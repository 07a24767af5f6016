/** Replay: the same image and the same events end in the same state, in both engines, in Node and in Chromium. */
import { existsSync, readFileSync } from "node:fs";
import { build } from "esbuild";
import { expect, test } from "vitest";
import type { EngineName } from "../../machine/hosts/pc.ts";
import { lacks } from "../requires.ts";
import { openBrowser } from "../site/browser.ts";
import { type Recording, replay } from "./replay.ts";

const file = (chapter: string) => new URL(`../../dist/chapters/${chapter}/disk.img`, import.meta.url);
const engines: readonly EngineName[] = ["evaluator", "wasm"];

function recording(chapter: string): Recording {
  const inputs = [
    { at: 500_000, text: "Hello, " },
    { at: 650_000, text: "keys!\n" },
  ];
  return { image: new Uint8Array(readFileSync(file(chapter))), inputs, end: 800_000 };
}
const chapters = ["07", "12"].filter((chapter) => existsSync(file(chapter)));

test.each(chapters)("chapter %s ends the same in both engines", (chapter) => {
  const [first, second] = engines.map((engine) => replay(recording(chapter), engine));
  expect(second).toEqual(first);
  expect(first!.screen.trim()).not.toBe("");
});

test.skipIf(lacks("chromium"))("and in Chromium", async () => {
  const { outputFiles } = await build({
    entryPoints: [new URL("replay-page.ts", import.meta.url).pathname],
    ...{ bundle: true, write: false, format: "iife", target: "es2022", logLevel: "error" },
  });
  const { context, close } = await openBrowser();
  try {
    const page = await context.newPage();
    await page.addScriptTag({ content: outputFiles[0]!.text });
    for (const chapter of chapters) {
      const { image, inputs, end } = recording(chapter);
      for (const engine of engines) {
        const found = await page.evaluate(
          ([bytes, events, last, name]) => {
            const run = (globalThis as unknown as { replay: typeof replay }).replay;
            const image = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
            return run({ image, inputs: events, end: last }, name);
          },
          [Buffer.from(image).toString("base64"), inputs, end, engine] as const,
        );
        expect([chapter, engine, found]).toEqual([chapter, engine, replay({ image, inputs, end }, engine)]);
      }
    }
  } finally {
    await close();
  }
});
