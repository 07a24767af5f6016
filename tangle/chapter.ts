/** One chapter from its tangled sources to everything that stands in its folder of dist/. */
import { type Assembly, assemble } from "./assembler/assembler.ts";
import { compile } from "./compiler/compile.ts";
import type { LinkedProgram } from "./compiler/object.ts";
import type { Coroutine } from "./compiler/ssa/ir.ts";
import type { Global } from "./compiler/tree.ts";
import { buildDisk, DiskError, type DiskParts } from "./image/disk.ts";
import { debugSections } from "./image/dwarf.ts";
import { writeElf } from "./image/elf.ts";
import { buildMap, type LoaderCode } from "./image/map.ts";
import type { Snapshot, TangledFile } from "./literate/book.ts";
import { toBook } from "./literate/map.ts";
import type { Diagnostic, Place } from "./place.ts";

/** A file to write, its path relative to the chapter's folder: `kernel/main.ts`, `kernel.elf`. */
export interface Output {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a chapter was built into. With errors among `diagnostics` the outputs are not to be written. */
export interface ChapterBuild {
  readonly outputs: readonly Output[];
  /** At places in the book. */
  readonly diagnostics: readonly Diagnostic[];
}

const ENTRY = "kernel/main.ts";
const BOOT_SECTOR = "boot/sector.asm";
const SECOND_STAGE = "boot/stage2.asm";

/** Every file of this folder is the entry of an image of its own: the chapter's tests. */
const TEST = /^kernel\/tests\/([\w-]+)\.ts$/;

/** The name of the kernel test whose entry this file is: `units` of `kernel/tests/units.ts`; null for other files. */
export function kernelTestName(path: string): string | null {
  return TEST.exec(path)?.[1] ?? null;
}

/**
 * Builds a snapshot: its kernel, and each of its kernel tests in `tests/NAME/`. Pure: the same snapshot gives the same
 * bytes, in Node and in the browser. `borrowed` is the snapshot whose boot loader starts this one's kernel where it has
 * none yet. A variant's tests are those of its chapter, so they are not built again.
 */
export function buildChapter(snapshot: Snapshot, borrowed: Snapshot | null): ChapterBuild {
  const own = assembleLoader(snapshot);
  if (own.diagnostics.length > 0) return { outputs: [], diagnostics: own.diagnostics };
  const lent = own.isComplete || borrowed === null ? null : assembleLoader(borrowed);
  const loaders: Loaders = { own, lent };
  const tests = snapshot.files.flatMap(({ path }) => (kernelTestName(path) === null ? [] : [path]));
  const images = [ENTRY, ...(snapshot.variant === null ? tests : [])].map((entry) =>
    buildImage(snapshot, entry, loaders),
  );

  // A mistake in a module shows in every image that holds the module.
  const diagnostics = new Map(images.flatMap((image) => image.diagnostics).map((d) => [JSON.stringify(d), d]));
  if (diagnostics.size > 0) return { outputs: [], diagnostics: [...diagnostics.values()] };
  const sources = snapshot.files.map((file) => ({ path: file.path, bytes: encode(file.text) }));
  return { outputs: [...sources, ...images.flatMap((image) => image.outputs)], diagnostics: [] };
}

interface Loaders {
  /** The snapshot's, which may be incomplete. */
  readonly own: Loader;
  /** Another chapter's. */
  readonly lent: Loader | null;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One kernel with its ELF file, its map and, where there is a loader, its disk. */
function buildImage(snapshot: Snapshot, entryFile: string, { own, lent }: Loaders): ChapterBuild {
  const inBook = (place: Place): Place => toBook(snapshot, place);
  const sources = snapshot.files.filter(({ path }) => path.startsWith("kernel/"));
  const { linked, program, ir, diagnostics } = compile(sources, {
    entryFile,
    chapter: snapshot.chapter,
    placeOf: inBook,
  });
  if (linked === null || program === null)
    return { outputs: [], diagnostics: diagnostics.map((mistake) => movedBy(mistake, inBook)) };

  const test = kernelTestName(entryFile);
  const below = test === null ? "" : `tests/${test}/`;
  const elf = writeElf(linked, debugSections(linked, inBook));
  const outputs = [
    { path: `${below}kernel.elf`, bytes: elf },
    { path: `${below}map.json`, bytes: encode(mapOf(snapshot, linked, program.globals, ir?.coroutines ?? [], own)) },
  ];
  const loader = own.isComplete ? own : lent;
  if (loader?.isComplete !== true) return { outputs, diagnostics: [] };
  const disk = diskOf(loader, elf, inBook);
  if ("code" in disk) return { outputs: [], diagnostics: [disk] };
  outputs.push({ path: below + (own.isComplete ? "disk.img" : "borrowed.img"), bytes: disk });
  return { outputs, diagnostics: [] };
}

interface Loader {
  readonly sector: Assembly | null;
  readonly stage2: Assembly | null;
  /** Both parts are there and without mistakes. */
  readonly isComplete: boolean;
  /** At places in the book. */
  readonly diagnostics: readonly Diagnostic[];
}

function assembleLoader(snapshot: Snapshot): Loader {
  const part = (path: string): Assembly | null => {
    const file = snapshot.files.find((candidate: TangledFile) => candidate.path === path);
    return file === undefined ? null : assemble(file);
  };
  const sector = part(BOOT_SECTOR);
  const stage2 = part(SECOND_STAGE);
  const mistakes = [...(sector?.diagnostics ?? []), ...(stage2?.diagnostics ?? [])];
  const diagnostics = mistakes.map((mistake) => movedBy(mistake, (place) => toBook(snapshot, place)));
  return { sector, stage2, isComplete: sector !== null && stage2 !== null && diagnostics.length === 0, diagnostics };
}

/** A diagnostic with all its places carried elsewhere. */
function movedBy(diagnostic: Diagnostic, move: (place: Place) => Place): Diagnostic {
  const { related } = diagnostic;
  return {
    ...diagnostic,
    place: move(diagnostic.place),
    ...(related === undefined ? {} : { related: related.map((r) => ({ ...r, place: move(r.place) })) }),
  };
}

/** The disk image, or what is wrong with the part that does not fit, at the first line of its file. */
function diskOf(
  { sector, stage2 }: Loader,
  kernel: Uint8Array,
  inBook: (place: Place) => Place,
): Uint8Array | Diagnostic {
  try {
    return buildDisk({ bootSector: sector!.bytes, secondStage: stage2!.bytes, kernel });
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    const FILES: Record<keyof DiskParts, string> = {
      bootSector: BOOT_SECTOR,
      secondStage: SECOND_STAGE,
      kernel: ENTRY,
    };
    const place = inBook({ file: FILES[error.part], line: 1, column: 1 });
    return { code: "IM5001", message: error.message, place };
  }
}

function mapOf(
  snapshot: Snapshot,
  linked: LinkedProgram,
  globals: readonly Global[],
  coroutines: readonly Coroutine[],
  { sector, stage2 }: Loader,
): string {
  const loader: LoaderCode[] = [sector, stage2].flatMap((part) =>
    part === null
      ? []
      : [
          {
            origin: part.origin,
            symbols: part.symbols
              .filter((symbol) => symbol.kind === "label")
              .map(({ name, value }) => ({ name, address: value })),
            lines: part.lines,
          },
        ],
  );
  const { chapter, variant } = snapshot;
  return buildMap({
    chapter,
    variant,
    linked,
    globals,
    coroutines,
    loader,
    toBook: (place) => toBook(snapshot, place),
  });
}
