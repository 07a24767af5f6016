/** The text screen of a machine as a drawing: what a chapter's picture in the contents shows. */
import { codePage437 } from "#machine/platform/code-page.ts";
import { escapeHtml } from "./html.ts";

const COLUMNS = 80;
const ROWS = 25;
/** A cell of the VGA's text mode 3, in its pixels (IBM VGA Technical Reference, "Video modes"). */
const WIDTH = 9;
const HEIGHT = 16;
const BASELINE = 12;

/** The sixteen colours that the DAC has after a mode set (the same reference, default palette). */
const PALETTE = "#000 #00a #0a0 #0aa #a00 #a0a #a50 #aaa #555 #55f #5f5 #5ff #f55 #f5f #ff5 #fff".split(" ");

/** A screen with little on it is shown from nearer: at least so many columns. */
const FEWEST_COLUMNS = 36;
/** Rows for each column, so that every picture has the shape of the whole screen. */
const ROWS_A_COLUMN = ROWS / COLUMNS;

/** `cells`: 80 × 25 pairs of character and attribute. Empty columns at the right and rows at the bottom may be left out. */
export function drawScreen(cells: Uint8Array): string {
  const rows = Array.from({ length: ROWS }, (_, row) => drawRow(row, cells.subarray(row * COLUMNS * 2)));
  const { columns, height } = shownPart(cells);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-WIDTH} ${-HEIGHT / 2} ${columns * WIDTH} ${height}" ` +
    `font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="15">` +
    `<path d="M${-WIDTH} ${-HEIGHT}h${(COLUMNS + 2) * WIDTH}v${(ROWS + 2) * HEIGHT}H${-WIDTH}z"/>${rows.join("")}</svg>\n`
  );
}

/** From the upper left corner as far as there is something, in the shape of the whole. */
function shownPart(cells: Uint8Array): { readonly columns: number; readonly height: number } {
  const isBlank = (cell: number): boolean =>
    (cells[cell * 2] === 0x20 || cells[cell * 2] === 0) && (cells[cell * 2 + 1]! & 0x70) === 0;
  let [right, bottom] = [0, 0];
  for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
    if (isBlank(cell)) continue;
    right = Math.max(right, (cell % COLUMNS) + 1);
    bottom = Math.floor(cell / COLUMNS) + 1;
  }
  // A margin of one cell on each side, for the eye.
  const columns = Math.max(FEWEST_COLUMNS, right + 2, Math.ceil((bottom + 1) / ROWS_A_COLUMN));
  return { columns, height: columns * ROWS_A_COLUMN * HEIGHT };
}

/** Runs of cells with one attribute; blanks on black need no drawing. */
function drawRow(row: number, cells: Uint8Array): string {
  let drawn = "";
  for (let column = 0; column < COLUMNS; ) {
    const attribute = cells[column * 2 + 1]!;
    let text = "";
    const from = column;
    for (; column < COLUMNS && cells[column * 2 + 1] === attribute; column++) text += codePage437(cells[column * 2]!);
    const [x, y, width] = [from * WIDTH, row * HEIGHT, (column - from) * WIDTH];
    const background = PALETTE[(attribute >> 4) & 7]!;
    if (background !== PALETTE[0]) drawn += `<path fill="${background}" d="M${x} ${y}h${width}v${HEIGHT}h${-width}z"/>`;
    drawn += drawWords(text, x, y + BASELINE, PALETTE[attribute & 15]!);
  }
  return drawn;
}

/** Each word at its own place and of its exact width, whatever the reader's font. */
function drawWords(text: string, x: number, y: number, colour: string): string {
  return [...text.matchAll(/[^ \0]+/g)]
    .map(
      ({ 0: word, index }) =>
        `<text x="${x + index * WIDTH}" y="${y}" textLength="${word.length * WIDTH}" fill="${colour}">${escapeHtml(word)}</text>`,
    )
    .join("");
}
