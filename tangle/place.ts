/** Places in source text, and the errors that a user can cause: every one has a place, a message and, where possible, a hint. */

/** A position in a text file. Lines and columns count from 1, columns in UTF-16 units. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One mistake in the book, as shown to its author. */
export interface Diagnostic {
  /** A stable number such as `KT1007` (kernel TypeScript), `AS2003` (assembler), `LT3001` (literate format). */
  readonly code: string;
  readonly message: string;
  readonly place: Place;
  /** What to write instead. */
  readonly hint?: string;
  /** Other places that the message speaks of, each with a word on what stands there. */
  readonly related?: readonly { readonly place: Place; readonly message: string }[];
}

/** Thrown across layers when a book cannot be turned into its outputs; carries all mistakes of the run. */
export class BookError extends Error {
  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(
      diagnostics.map((d) => `${d.place.file}:${d.place.line}:${d.place.column}: ${d.code}: ${d.message}`).join("\n"),
    );
  }
}
