/** The site while it is being made: what is asked for is made first, and whoever asks waits for it. */
import { setImmediate } from "node:timers/promises";
import type { Diagnostic } from "../tangle/place.ts";
import { BookError } from "../tangle/place.ts";
import { removeOthers, writeOutputs } from "./build.ts";
import type { ChapterBuilds } from "./chapter-builds.ts";
import { keepHighlighted, type Piece, type SiteOptions, sitePieces } from "./pieces.ts";

/** Whether a file of the site is there, or never will be because of a mistake. */
export type Readiness = "ready" | "failed";

/** One making of the site, of the book as it was when it began. */
export class LiveSite {
  private readonly pieces: readonly Piece[];
  private readonly waiting: Piece[];
  private readonly ready = new Map<Piece, Promise<Readiness>>();
  private readonly settle = new Map<Piece, (readiness: Readiness) => void>();
  private readonly mistakes = new Map<string, Diagnostic>();
  private readonly made = new Set<string>();
  private elsewhere: Promise<void>[] = [];

  /** Throws `BookError` where the book cannot be tangled. */
  constructor(
    private readonly folder: string,
    private readonly builds: ChapterBuilds,
    options: SiteOptions,
    /** Hears of mistakes in the kernels' sources, each once. */
    private readonly report: (diagnostics: readonly Diagnostic[]) => void,
  ) {
    this.pieces = sitePieces(builds, options);
    for (const piece of this.pieces) this.ready.set(piece, new Promise((resolve) => this.settle.set(piece, resolve)));
    this.waiting = this.pieces.filter(({ hurry }) => hurry === undefined);
  }

  /** Waits for the file, and has it made next; at once for what is no file of the site. */
  async wait(path: string): Promise<Readiness> {
    const piece = this.pieces.find(({ paths }) => paths.includes(path));
    if (piece === undefined) return "ready";
    piece.hurry?.();
    const at = this.waiting.indexOf(piece);
    if (at > 0) this.waiting.unshift(...this.waiting.splice(at, 1));
    return this.ready.get(piece)!;
  }

  /** Has the kernels built by their threads, and makes all the rest here. Resolves when the rest is there. */
  async makePages(): Promise<void> {
    this.builds.callerIsBusy = true;
    this.elsewhere = this.pieces.filter(({ hurry }) => hurry !== undefined).map((piece) => this.makePiece(piece));
    for (let piece = this.waiting.shift(); piece !== undefined; piece = this.waiting.shift()) {
      await this.makePiece(piece);
      // A request gets its turn between two pages.
      await setImmediate();
    }
    this.builds.callerIsBusy = false;
    await keepHighlighted();
  }

  /** Resolves when the kernels are there too. */
  async finished(): Promise<void> {
    await Promise.all(this.elsewhere);
  }

  /** Removes files that belonged to an earlier state of the book. */
  tidy(): void {
    removeOthers(this.folder, this.made);
  }

  private async makePiece(piece: Piece): Promise<void> {
    try {
      const outputs = await piece.make();
      for (const path of outputs.keys()) this.made.add(path);
      writeOutputs(this.folder, outputs);
      this.settle.get(piece)!("ready");
    } catch (error) {
      if (!(error instanceof BookError)) throw error;
      const fresh = error.diagnostics.filter((diagnostic) => !this.mistakes.has(JSON.stringify(diagnostic)));
      for (const diagnostic of fresh) this.mistakes.set(JSON.stringify(diagnostic), diagnostic);
      if (fresh.length > 0) this.report(fresh);
      this.settle.get(piece)!("failed");
    }
  }
}
