/** The text screen in the page: 25 rows of real text, so that it can be selected, searched and read aloud. */
import { codePage437 } from "#machine/platform/code-page.ts";

const COLUMNS = 80;
const ROWS = 25;

/** Bits of a VGA attribute byte: low nibble foreground, next three bits background, top bit blink (shown steady). */
const foreground = (attribute: number): number => attribute & 0x0f;
const background = (attribute: number): number => (attribute >> 4) & 0x07;

/** Draws cells into a `<div role="img">`-like region; only rows that changed are touched. */
export class TextScreen {
  readonly element: HTMLElement;
  private readonly rows: HTMLElement[] = [];
  private shown = new Uint8Array(COLUMNS * ROWS * 2);
  private shownCursor = -1;

  constructor(document: Document) {
    this.element = document.createElement("div");
    this.element.className = "screen";
    this.element.setAttribute("part", "screen");
    for (let row = 0; row < ROWS; row++) {
      const line = document.createElement("div");
      line.className = "row";
      this.rows.push(line);
    }
    this.element.append(...this.rows);
    this.clear();
  }

  /** All cells blank: the screen of a machine without power. */
  clear(): void {
    const blank = new Uint8Array(COLUMNS * ROWS * 2);
    for (let i = 0; i < blank.length; i += 2) blank[i] = 0x20;
    this.draw(blank, { row: 0, column: 0, visible: false });
  }

  draw(cells: Uint8Array, cursor: { row: number; column: number; visible: boolean }): void {
    const place = cursor.visible ? cursor.row * COLUMNS + cursor.column : -1;
    for (let row = 0; row < ROWS; row++) {
      const start = row * COLUMNS * 2;
      const end = start + COLUMNS * 2;
      const cursorIsHere = (cell: number): boolean => cell >= row * COLUMNS && cell < (row + 1) * COLUMNS;
      const moved = place !== this.shownCursor && (cursorIsHere(place) || cursorIsHere(this.shownCursor));
      if (!moved && cells.subarray(start, end).every((byte, i) => byte === this.shown[start + i])) continue;
      this.drawRow(row, cells.subarray(start, end), cursorIsHere(place) ? place - row * COLUMNS : -1);
    }
    this.shown = cells.slice();
    this.shownCursor = place;
  }

  /** One span for each run of equal attributes; the cursor's cell is a run of its own. */
  private drawRow(row: number, cells: Uint8Array, cursorColumn: number): void {
    const spans: HTMLElement[] = [];
    let column = 0;
    while (column < COLUMNS) {
      const attribute = cells[column * 2 + 1]!;
      const isCursor = column === cursorColumn;
      let text = "";
      do {
        text += codePage437(cells[column * 2]!);
        column++;
      } while (!isCursor && column < COLUMNS && column !== cursorColumn && cells[column * 2 + 1] === attribute);
      const span = this.element.ownerDocument.createElement("span");
      span.className = `f${foreground(attribute)} b${background(attribute)}${isCursor ? " cursor" : ""}`;
      span.textContent = text;
      spans.push(span);
    }
    this.rows[row]!.replaceChildren(...spans);
  }
}
