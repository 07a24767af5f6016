/** The kernel's heap: a map of its blocks, and how broken up what is free has become. */
import type { HeapBlock, HeapView } from "../../../debug/heap.ts";
import { type CellRun, cellMap, swatch } from "./cell-map.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, foldable, hex, literal, note, size, table } from "./markup.ts";

/** Bytes of a cell: the smallest block that any of the allocators makes. */
const CELL = 16;

const UNDER_WAY =
  "An allocation or a release is under way: the kernel holds the heap's lock. Blocks and counts may be of two moments.";

export const heap: Inspector<"heap"> = inspector({
  name: "heap",
  title: "Heap",
  show({ view }) {
    if (view === null) return [note("The kernel has made no heap yet.")];
    const inside = lostInside(view);
    return [
      note(
        literal(view.allocator),
        `, ${size(Number(view.range.end - view.range.start))} from `,
        literal(hex(view.range.start)),
      ),
      ...(view.changing ? [note(UNDER_WAY)] : []),
      blockMap(view),
      kindTable(view),
      note(fragmentation(view)),
      ...(inside === null ? [] : [note(inside)]),
      ...(view.counts.length === 0 ? [] : [countTable(view)]),
      foldable(
        "blocks",
        false,
        [`The pieces, one by one (${view.blocks.length.toLocaleString("en")})`],
        blockTable(view),
      ),
    ];
  },
});

const kindOf = ({ state }: HeapBlock, index: number): string =>
  // Two blocks in use that touch can be told apart where the allocator knows where they meet.
  state === "used" ? (index % 2 === 0 ? "used" : "used-too") : state;

const nameOf = ({ state, list }: HeapBlock): string =>
  state === "used" ? "in use" : state === "free" ? "free" : `free, waiting in the list of ${list} bytes`;

function blockMap({ range, blocks, separate, usedBytes, freeBytes }: HeapView): SVGElement {
  const cells = Math.ceil(Number(range.end - range.start) / CELL);
  const runs = blocks.map(
    (block, index): CellRun => ({
      from: Math.floor(block.offset / CELL),
      to: Math.ceil((block.offset + block.bytes) / CELL),
      kind: kindOf(block, separate ? index : 0),
      title: `${nameOf(block)}: ${size(block.bytes)} at ${hex(range.start + BigInt(block.offset))}`,
    }),
  );
  return cellMap(`The heap: ${size(usedBytes)} in use, ${size(freeBytes)} free`, cells, runs);
}

function kindTable({ blocks, separate }: HeapView): HTMLElement {
  const kinds = new Map<string, { readonly block: HeapBlock; count: number; bytes: number }>();
  for (const block of blocks) {
    const kind = kinds.get(nameOf(block)) ?? { block, count: 0, bytes: 0 };
    kind.count++;
    kind.bytes += block.bytes;
    kinds.set(nameOf(block), kind);
  }
  const rows = [...kinds].map(([name, { block, count, bytes }]): Content[] => [
    element("span", "key", swatch(kindOf(block, 0)), name),
    `${count.toLocaleString("en")} ${pieces(block, count, separate)}`,
    size(bytes),
  ]);
  return table("The heap by state", ["State", "Pieces", "Size"], rows);
}

function pieces({ state }: HeapBlock, count: number, separate: boolean): string {
  const one = state === "free" ? "hole" : state === "listed" || separate ? "block" : "run of blocks";
  if (count === 1) return one;
  return one === "run of blocks" ? "runs of blocks" : `${one}s`;
}

/** External fragmentation: the part of what is free that one request cannot have. */
function fragmentation({ freeBytes, largestFree, blocks }: HeapView): string {
  if (freeBytes === 0) return "Nothing is free.";
  if (freeBytes === largestFree) return `All that is free is one piece of ${size(freeBytes)}. Fragmentation: 0 %.`;
  const free = blocks.filter(({ state }) => state !== "used").length;
  const share = Math.round((1 - largestFree / freeBytes) * 100);
  return `The largest free piece has ${size(largestFree)}. Fragmentation: ${share} % of what is free lies elsewhere, in ${free - 1} other ${free === 2 ? "piece" : "pieces"}.`;
}

/** Internal fragmentation: what blocks have beyond what was asked for; null where the kernel does not count that. */
function lostInside({ usedBytes, counts, changing }: HeapView): string | null {
  const asked = counts.find(([name]) => name === "bytesInUse")?.[1];
  if (changing || asked === undefined || Number(asked) >= usedBytes) return null;
  return `Of ${size(usedBytes)} in use ${size(asked)} were asked for; the blocks are ${size(usedBytes - Number(asked))} larger.`;
}

function countTable({ counts }: HeapView): HTMLElement {
  const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const rows = counts.map(([name, value]): Content[] => [words(name), value.toLocaleString("en")]);
  return table("The kernel's own counts", ["The kernel counts", ""], rows);
}

function blockTable({ range, blocks }: HeapView): HTMLElement {
  const rows = blocks.map((block): Content[] => [
    literal(hex(range.start + BigInt(block.offset))),
    size(block.bytes),
    nameOf(block),
  ]);
  return table("All pieces of the heap", ["From", "Size", "State"], rows);
}
