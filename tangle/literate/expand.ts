/** An edition → its files: slots are replaced by their chunks, and every line keeps the place it came from. */
import type { Block, LineOrigin, TangledFile } from "./book.ts";
import type { Chunk, Edition } from "./edition.ts";
import { type Target, targetOf } from "./path.ts";

/** Hears of the lines of one file in the order of its text. `indent` is what the slots on the way add to the block. */
export interface Expansion {
  /** Line `index` of a block stands here. */
  line(block: Block, index: number, indent: string): void;
  /** A line that the author adds here would belong to the block, before its line `index` or after its last. */
  gap?(block: Block, index: number, indent: string): void;
}

/** The files of one target, by path. */
export function expandFiles(edition: Edition, target: Target): TangledFile[] {
  return fileChunks(edition, target).map((file) => expandFile(file, edition));
}

/** The chunks that are files of one target in an edition, by path. */
export function fileChunks(edition: Edition, target: Target): Chunk[] {
  return [...edition.chunks.values()]
    .filter(({ definition }) => definition.isFile && targetOf(definition.name) === target)
    .filter((chunk) => !chunk.removed && isInRange(chunk, edition))
    .sort((a, b) => compare(a.definition.name, b.definition.name));
}

/** Order by UTF-16 units, the same in every locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A line of a block as it stands in a tangled file: what a slot indents, empty lines excepted. */
export function indented(text: string, indent: string): string {
  return text === "" ? "" : indent + text;
}

/** Whether `since=` and `until=` let an edition have what the chunk defines. */
function isInRange({ definition: { since, until } }: Chunk, { chapter }: Edition): boolean {
  return chapter === null || ((since ?? chapter) <= chapter && chapter <= (until ?? chapter));
}

function expandFile(file: Chunk, edition: Edition): TangledFile {
  const texts: string[] = [];
  const lines: LineOrigin[] = [];
  expandChunk(file, edition, {
    line: (block, index, indent) => {
      const { text, line, column } = block.lines[index]!;
      const whole = indented(text, indent);
      texts.push(`${whole}\n`);
      lines.push({ file: block.place.file, line, column: column - (whole.length - text.length) });
    },
  });
  return { path: file.definition.name, text: texts.join(""), lines };
}

/** Walks through a file from its first line to its last. */
export function expandChunk(file: Chunk, edition: Edition, to: Expansion): void {
  const placed = new Set<Chunk>();
  const expand = (chunk: Chunk, indent: string): void => {
    // That a chunk stands twice in a file, or in itself, is an error of the book; here that only must come to an end.
    if (placed.has(chunk)) return;
    placed.add(chunk);
    for (const neighbour of chunk.before) expand(neighbour, indent);
    for (const block of isInRange(chunk, edition) ? chunk.parts : []) {
      to.gap?.(block, 0, indent);
      for (const [index, line] of block.lines.entries()) {
        if (line.slot === null) to.line(block, index, indent);
        else {
          const filling = edition.chunks.get(`#${line.slot}`);
          if (filling !== undefined) expand(filling, indent + line.indent);
        }
        to.gap?.(block, index + 1, indent);
      }
    }
    for (const neighbour of chunk.after) expand(neighbour, indent);
  };
  expand(file, "");
}
