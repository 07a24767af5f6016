/** map.json's shapes: module-level variables with the layout that the compiler gave them. */
import { expect, test } from "vitest";
import { compile } from "../../tangle/compiler/compile.ts";
import { buildMap } from "../../tangle/image/map.ts";

const SOURCE = `enum Colour { Red, Green = 7 }

class Block {
  size: u64;
  next: Block | null;
}

class Heap {
  colour: Colour;
  end: u64;
  blocks: FixedArray<Block, 3>;
  head: Pointer<Block>;
}

const heap = new Heap();
let count: u32 = 0;

export function _start(): never {
  heap.end = u64(count);
  heap.colour = Colour.Green;
  count += 1;
  for (;;) {
    halt();
  }
}

export const onPanic = panicHandler((info) => {
  count = info.line;
  for (;;) {
    halt();
  }
});
`;

function mapOf(text: string) {
  const files = [{ path: "kernel/main.ts", text }];
  const { linked, program, diagnostics } = compile(files, { entryFile: "kernel/main.ts", chapter: 7 });
  expect(diagnostics).toEqual([]);
  const input = { chapter: 7, variant: null, linked: linked!, globals: program!.globals, coroutines: [], loader: [] };
  return JSON.parse(buildMap({ ...input, toBook: (place) => place }));
}

test("each module-level variable has its type, and each class its fields", () => {
  const { symbols, shapes } = mapOf(SOURCE);
  const types = Object.fromEntries(
    symbols.flatMap(({ name, type }: { name: string; type?: string }) => (type === undefined ? [] : [[name, type]])),
  );
  expect(types).toMatchObject({ "kernel/main:heap": "Heap", "kernel/main:count": "u32" });
  expect(shapes).toMatchObject({
    Heap: {
      size: 72,
      fields: [
        ["colour", 0, "Colour"],
        ["end", 8, "u64"],
        ["blocks", 16, "[3]Block"],
        ["head", 64, "*Block"],
      ],
    },
    Block: {
      size: 16,
      fields: [
        ["size", 0, "u64"],
        ["next", 8, "*Block"],
      ],
    },
    Colour: { members: { Red: 0, Green: 7 } },
  });
});
