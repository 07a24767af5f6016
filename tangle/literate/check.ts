/** Mistakes that show only in the whole book: chunks that nothing holds, slots that nothing fills, cycles, mixed targets. */
import type { Diagnostic, Place } from "../place.ts";
import type { Block, BlockLine, Book } from "./book.ts";
import { allBlocks, applyOperations, type Chunk, didYouMean, type Edition, editionNames, labelOf } from "./edition.ts";
import { LT } from "./errors.ts";
import { compare } from "./expand.ts";
import { dialect, type Target, targetOf } from "./path.ts";

/** What a walk through every edition of the book finds out. */
export interface Analysis {
  readonly diagnostics: readonly Diagnostic[];
  /** The tangled files that a block belongs to, first those of the first edition that has the block. */
  readonly files: ReadonlyMap<Block, readonly string[]>;
}

/** Where one chunk is called for: a slot, or the `after=` or `before=` of the chunk itself. */
interface Reference {
  readonly chunk: Chunk;
  readonly place: Place;
}

/** Walks through all editions of the book. */
export function analyse(book: Book): Analysis {
  const analyser = new Analyser();
  for (const name of editionNames(book)) {
    const edition = applyOperations(book, name, { report: (diagnostic) => analyser.report(diagnostic) });
    analyser.walk(edition, name.chapter === null ? "machine" : "kernel");
  }
  const blocks = allBlocks(book);
  analyser.checkSlots(blocks);
  analyser.checkReached(blocks);
  analyser.checkPaths(blocks);
  return { diagnostics: analyser.diagnostics, files: analyser.files };
}

class Analyser {
  readonly diagnostics: Diagnostic[] = [];
  readonly files = new Map<Block, string[]>();
  private readonly seen = new Set<string>();
  /** Blocks that an error names already: that they reach no file follows from it. */
  private readonly blamed = new Set<string>();
  /** The slots of each block: few of its lines, and asked for in every edition. */
  private readonly slots = new Map<Block, readonly BlockLine[]>();
  private readonly targets = new Map<Block, { target: Target; place: Place }>();

  /** Adds an error, once for all editions that have it. */
  report(diagnostic: Diagnostic): void {
    const key = `${diagnostic.code} ${text(diagnostic.place)} ${diagnostic.message}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.diagnostics.push(diagnostic);
    this.blamed.add(lineOf(diagnostic.place));
  }

  /** Follows every file of the target down to its last chunk. */
  walk(edition: Edition, target: Target): void {
    const reached = new Set<Chunk>();
    for (const chunk of edition.chunks.values()) {
      const { isFile, name } = chunk.definition;
      if (isFile && targetOf(name) === target) this.follow(chunk, edition, { chunk, target }, reached);
    }
    // What no file holds can still contain itself.
    for (const chunk of edition.chunks.values()) if (!reached.has(chunk)) this.follow(chunk, edition, null, reached);
  }

  /** Follows one chunk down. `root` is the file it is, or null where the walk looks for cycles alone. */
  private follow(
    start: Chunk,
    edition: Edition,
    root: { readonly chunk: Chunk; readonly target: Target } | null,
    reached: Set<Chunk>,
  ): void {
    const first = new Map<Chunk, Place>();
    const path: Reference[] = [];
    const visit = (reference: Reference): void => {
      const { chunk, place } = reference;
      const known = path.findIndex((step) => step.chunk === chunk);
      const before = first.get(chunk);
      if (known >= 0) this.reportCycle([...path.slice(known + 1), reference]);
      else if (before !== undefined) {
        if (root !== null) this.report(usedTwice(chunk, root.chunk, before, place));
      } else {
        first.set(chunk, place);
        reached.add(chunk);
        if (root !== null) this.reach(chunk, place, root.chunk, root.target);
        path.push(reference);
        for (const next of this.references(chunk, edition)) visit(next);
        path.pop();
      }
    };
    visit({ chunk: start, place: start.definition.place });
  }

  /** The chunks that stand beside and inside a chunk, in the order of the text. */
  private references(chunk: Chunk, edition: Edition): Reference[] {
    const beside = (neighbour: Chunk): Reference => ({
      chunk: neighbour,
      place: neighbour.definition.beside!.place,
    });
    const inside = chunk.parts.flatMap((block) =>
      this.slotsOf(block).flatMap((line): Reference[] => {
        const filling = edition.chunks.get(`#${line.slot}`);
        return filling === undefined ? [] : [{ chunk: filling, place: slotPlace(block, line) }];
      }),
    );
    return [...chunk.before.map(beside), ...inside, ...chunk.after.map(beside)];
  }

  private slotsOf(block: Block): readonly BlockLine[] {
    const known = this.slots.get(block) ?? block.lines.filter((line) => line.slot !== null);
    this.slots.set(block, known);
    return known;
  }

  /** Notes that a chunk stands in a file, and checks that it may. */
  private reach(chunk: Chunk, place: Place, file: Chunk, target: Target): void {
    for (const block of chunk.history) {
      const files = this.files.get(block);
      if (files === undefined) this.files.set(block, [file.definition.name]);
      else if (!files.includes(file.definition.name)) files.push(file.definition.name);
      if (dialect(block.language) !== dialect(file.definition.language)) {
        const message = `\`${chunk.label}\` is in ${block.language || "no language"}, but stands in \`${file.definition.name}\``;
        this.report({ code: LT.wrongLanguage, message, place: block.place, related: [{ place, message: "here" }] });
      }
      if (target === "kernel" && block.chapter === null) {
        const message = `\`${chunk.label}\` is of an appendix, and appendices belong to no kernel`;
        const related = [{ place: block.place, message: `a block of \`${chunk.label}\`` }];
        this.report({ code: LT.wrongTarget, message, place, related });
      }
    }
    const other = this.targets.get(chunk.definition);
    if (other === undefined) this.targets.set(chunk.definition, { target, place });
    else if (other.target !== target && chunk.definition.chapter !== null) {
      const message = `\`${chunk.label}\` stands in the machine and in a kernel`;
      this.report({ code: LT.wrongTarget, message, place, related: [{ place: other.place, message: "and here" }] });
    }
  }

  private reportCycle(steps: readonly Reference[]): void {
    // Each edition may enter the cycle elsewhere; it is always told from the same chunk.
    const labelsInOrder = steps.map((step) => step.chunk.label);
    const from = labelsInOrder.indexOf([...labelsInOrder].sort(compare)[0]!);
    const cycle = [...steps.slice(from), ...steps.slice(0, from + 1)];
    const labels = cycle.map((step) => `\`${step.chunk.label}\``);
    const [, ...edges] = cycle;
    this.report({
      code: LT.cycle,
      message: `a chunk contains itself: ${labels.join(" → ")}`,
      place: edges[0]!.place,
      related: edges
        .slice(1)
        .map((edge) => ({ place: edge.place, message: `\`${edge.chunk.label}\` is called for here` })),
    });
    for (const step of steps) this.blamed.add(lineOf(step.chunk.definition.place));
  }

  /** A slot must have a chunk, in whatever chapter. */
  checkSlots(blocks: readonly Block[]): void {
    const labels = new Set(blocks.map(labelOf));
    for (const block of blocks) {
      for (const line of block.lines) {
        if (line.slot === null || labels.has(`#${line.slot}`)) continue;
        const message = `no chapter fills the slot \`${line.slot}\``;
        const place = slotPlace(block, line);
        this.report({ code: LT.unfilledSlot, message, place, ...didYouMean(`#${line.slot}`, blocks) });
      }
    }
  }

  /** Every block must stand in some file of some edition. Of chunks inside each other only the outermost is reported. */
  checkReached(blocks: readonly Block[]): void {
    const lost = blocks.filter((block) => !this.files.has(block) && !block.isFile);
    const inLost = new Set(
      lost.flatMap((block) => block.lines.flatMap((line) => (line.slot === null ? [] : [line.slot]))),
    );
    const lostNames = new Set(lost.flatMap((block) => (block.operation === "define" ? [block.name] : [])));
    for (const block of lost) {
      const defines = block.operation === "define";
      const follows = defines
        ? inLost.has(block.name) || (block.beside !== null && lostNames.has(block.beside.name))
        : lostNames.has(block.name);
      if (follows || this.blamed.has(lineOf(block.place))) continue;
      const related = blocks.flatMap((other) =>
        other.lines
          .filter((line) => line.slot === block.name)
          .map((line) => ({ place: slotPlace(other, line), message: "a slot for it, in none of the same snapshots" })),
      );
      const hint =
        block.variant === null
          ? `put a slot \`<<${block.name}>>\` where it goes, or mark the block as an \`example\``
          : "a variant changes the kernel of its own chapter only";
      this.report({
        code: LT.unreachedChunk,
        message: `${defines ? "" : "this change of "}\`${labelOf(block)}\` reaches no file`,
        place: block.place,
        hint,
        ...(related.length === 0 ? {} : { related }),
      });
    }
  }

  /** Paths that no file system, or not every one, can hold side by side. */
  checkPaths(blocks: readonly Block[]): void {
    const files = blocks.filter((block) => block.isFile && block.operation === "define");
    const byPath = new Map(files.map((block) => [block.name.toLowerCase(), block]).reverse() as [string, Block][]);
    for (const block of files) {
      const path = block.name.toLowerCase();
      const clash = (other: Block, message: string): void => {
        const related = [{ place: other.place, message: `\`${other.name}\` is defined here` }];
        this.report({ code: LT.duplicateFile, message, place: block.place, related });
      };
      const twin = byPath.get(path)!;
      if (twin.name !== block.name)
        clash(twin, `\`${block.name}\` differs from another file only in upper and lower case`);
      for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
        const parent = byPath.get(path.slice(0, end));
        if (parent !== undefined) clash(parent, `\`${block.name}\` would stand inside another file`);
      }
    }
  }
}

function usedTwice(chunk: Chunk, file: Chunk, first: Place, second: Place): Diagnostic {
  return {
    code: LT.usedTwice,
    message: `\`${chunk.label}\` stands in \`${file.definition.name}\` twice`,
    place: second,
    hint: "a chunk stands once in a file, so that its lines have one place there; make two chunks, or a function",
    related: [
      { place: first, message: "the first place" },
      { place: chunk.definition.place, message: "defined here" },
    ],
  };
}

function slotPlace(block: Block, line: BlockLine): Place {
  return { file: block.place.file, line: line.line, column: line.column + line.indent.length + 1 };
}

function lineOf(place: Place): string {
  return `${place.file}:${place.line}`;
}

function text(place: Place): string {
  return `${lineOf(place)}:${place.column}`;
}
