/** An edition → its files: slots are replaced by their chunks, and every line keeps the place it came from. */
import type { LineOrigin, TangledFile } from "./book.ts";
import type { Chunk, Edition } from "./edition.ts";
import { type Target, targetOf } from "./path.ts";

/** The files of one target, by path. */
export function expandFiles(edition: Edition, target: Target): TangledFile[] {
  return [...edition.chunks.values()]
    .filter(({ definition }) => definition.isFile && targetOf(definition.name) === target)
    .filter((chunk) => !chunk.removed && isInRange(chunk, edition))
    .sort((a, b) => compare(a.definition.name, b.definition.name))
    .map((chunk) => expandFile(chunk, edition));
}

/** Order by UTF-16 units, the same in every locale. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether `since=` and `until=` let an edition have what the chunk defines. */
function isInRange({ definition: { since, until } }: Chunk, { chapter }: Edition): boolean {
  return chapter === null || ((since ?? chapter) <= chapter && chapter <= (until ?? chapter));
}

function expandFile(file: Chunk, edition: Edition): TangledFile {
  const placed = new Set<Chunk>();
  const texts: string[] = [];
  const lines: LineOrigin[] = [];

  const expand = (chunk: Chunk, indent: string): void => {
    // That a chunk stands twice in a file, or in itself, is an error of the book; here that only must come to an end.
    if (placed.has(chunk)) return;
    placed.add(chunk);
    for (const neighbour of chunk.before) expand(neighbour, indent);
    for (const block of isInRange(chunk, edition) ? chunk.parts : []) {
      for (const line of block.lines) {
        if (line.slot !== null) {
          const filling = edition.chunks.get(`#${line.slot}`);
          if (filling !== undefined) expand(filling, indent + line.indent);
          continue;
        }
        const margin = line.text === "" ? "" : indent;
        texts.push(`${margin}${line.text}\n`);
        lines.push({ file: block.place.file, line: line.line, column: line.column - margin.length });
      }
    }
    for (const neighbour of chunk.after) expand(neighbour, indent);
  };
  expand(file, "");
  return { path: file.definition.name, text: texts.join(""), lines };
}
