/** The disks that a chapter's page can start: the chapter's own, its variants', its kernel tests'. */
import { kernelTestName } from "../../tangle/chapter.ts";
import type { Book, Chapter } from "../../tangle/literate/book.ts";
import { tangleChapter, variantsOf } from "../../tangle/literate/tangle.ts";

export interface MachineOffer {
  readonly kind: "chapter" | "variant" | "test";
  /** Of the variant or test; empty for the chapter's own. */
  readonly name: string;
  /** Relative to the page. */
  readonly image: string;
  readonly map: string;
  /** Where the toolchain puts image and map, relative to dist/chapters: `07/variants/german`. */
  readonly folder: string;
  /** The image's name there: `disk.img`; `kernel.elf` of a chapter that has no boot loader yet. */
  readonly file: string;
}

/** Two digits, as folders and files are named. */
export const paddedNumber = (milestone: number): string => String(milestone).padStart(2, "0");

/** None for an appendix. */
export function machineOffers(book: Book, { frontMatter: { milestone } }: Chapter): MachineOffer[] {
  if (milestone === null) return [];
  const { files } = tangleChapter(book, milestone);
  const file = files.some(({ path }) => path.startsWith("boot/")) ? "disk.img" : "kernel.elf";
  const number = paddedNumber(milestone);
  const offer = (kind: MachineOffer["kind"], name: string): MachineOffer => {
    const base = kind === "chapter" ? number : `${number}-${kind === "test" ? "test-" : ""}${name}`;
    return {
      kind,
      name,
      image: `images/${base}${file === "disk.img" ? ".img" : ".elf"}.gz`,
      map: `images/${base}.map.json`,
      folder: kind === "chapter" ? number : `${number}/${kind}s/${name}`,
      file,
    };
  };
  return [
    offer("chapter", ""),
    ...variantsOf(book, milestone).map((name) => offer("variant", name)),
    ...files.flatMap(({ path }) => kernelTestName(path) ?? []).map((name) => offer("test", name)),
  ];
}
