/** A text screen of 80 × 25 cells in an ANSI terminal: what to write so that the terminal shows it. */
import { codePage437 } from "#machine/platform/code-page.ts";
import { COLUMNS, ROWS } from "#machine/platform/vga.ts";
import type { ScreenState } from "./session.ts";

const ESC = "\x1b[";
/** VGA counts colours as blue, green, red in bits 0 to 2; ANSI as red, green, blue. */
const ANSI_OF_VGA = [0, 4, 2, 6, 1, 5, 3, 7];
const SERIAL_LINES_KEPT = 100;

export const ENTER = `${ESC}?1049h${ESC}2J${ESC}?25l`;
/** Colours, cursor and the screen of before: written whatever happens. */
export const LEAVE = `${ESC}0m${ESC}?25h${ESC}?1049l`;

const moveTo = (row: number, column: number): string => `${ESC}${row + 1};${column + 1}H`;

/** Select Graphic Rendition for an attribute byte; bit 7 is a bright background, as QEMU shows it too. */
export function colours(attribute: number): string {
  const foreground = (attribute & 8 ? 90 : 30) + ANSI_OF_VGA[attribute & 7]!;
  const background = (attribute & 0x80 ? 100 : 40) + ANSI_OF_VGA[(attribute >> 4) & 7]!;
  return `${ESC}${foreground};${background}m`;
}

/**
 * Escape sequences that turn a picture of `before` into one of `after`; only changed cells are written. `before` null
 * draws all. Cells beyond the terminal's `columns` and `rows` are left out.
 */
export function paint(before: Uint8Array | null, after: Uint8Array, columns: number, rows: number): string {
  let text = "";
  let attribute = -1;
  let next = -1;
  for (let cell = 0; cell < COLUMNS * ROWS; cell++) {
    const [row, column] = [Math.floor(cell / COLUMNS), cell % COLUMNS];
    if (row >= rows || column >= columns) continue;
    if (before !== null && before[cell * 2] === after[cell * 2] && before[cell * 2 + 1] === after[cell * 2 + 1])
      continue;
    if (cell !== next || column === 0) text += moveTo(row, column);
    if (after[cell * 2 + 1] !== attribute) {
      attribute = after[cell * 2 + 1]!;
      text += colours(attribute);
    }
    text += codePage437(after[cell * 2]!);
    next = cell + 1;
  }
  return text === "" ? "" : `${text}${ESC}0m`;
}

/** What the view writes to. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** The guest's screen, below it a status line, and below that the last lines of the serial line. */
export class TerminalView {
  private shown: Uint8Array | null = null;
  private screen: ScreenState | null = null;
  private serial: string[] = [""];
  private status = "";
  private readonly decoder = new TextDecoder();

  constructor(private readonly output: TerminalOutput) {}

  show(screen: ScreenState): void {
    const { columns, rows } = this.size();
    const text = paint(this.shown, screen.cells, columns, rows);
    this.shown = screen.cells.slice();
    this.screen = screen;
    this.output.write(text + this.cursor());
  }

  addSerial(bytes: Uint8Array): void {
    const pieces = this.decoder.decode(bytes, { stream: true }).replaceAll("\r", "").split("\n");
    this.serial[this.serial.length - 1] += pieces[0]!;
    this.serial.push(...pieces.slice(1));
    this.serial.splice(0, this.serial.length - SERIAL_LINES_KEPT);
    this.drawBelow();
  }

  setStatus(status: string): void {
    this.status = status;
    this.drawBelow();
  }

  /** Draws everything anew, for a terminal that has changed its size. */
  redraw(): void {
    this.shown = null;
    this.output.write(`${ESC}0m${ESC}2J`);
    if (this.screen !== null) this.show(this.screen);
    this.drawBelow();
  }

  private size(): { columns: number; rows: number } {
    return { columns: this.output.columns ?? COLUMNS, rows: this.output.rows ?? ROWS };
  }

  private drawBelow(): void {
    const { columns, rows } = this.size();
    const free = rows - ROWS;
    if (free < 1) return;
    const clip = (line: string) =>
      Array.from(line, printable)
        .slice(0, columns - 1)
        .join("");
    let text = `${moveTo(ROWS, 0)}${ESC}7m${clip(this.status.padEnd(Math.min(columns, COLUMNS)))}${ESC}0m${ESC}K`;
    const lines = this.serial.at(-1) === "" ? this.serial.slice(0, -1) : this.serial;
    const last = free > 1 ? lines.slice(-(free - 1)) : [];
    for (let row = 1; row < free; row++) text += `${moveTo(ROWS + row, 0)}${clip(last[row - 1] ?? "")}${ESC}K`;
    this.output.write(text + this.cursor());
  }

  private cursor(): string {
    const cursor = this.screen?.cursor;
    const { columns, rows } = this.size();
    if (!cursor?.visible || cursor.row >= rows || cursor.column >= columns) return `${ESC}?25l`;
    return `${moveTo(cursor.row, cursor.column)}${ESC}?25h`;
  }
}

/** Control characters of the guest must not reach the reader's terminal. */
function printable(character: string): string {
  return character < " " || (character >= "\x7f" && character < "\xa0") ? "\u00b7" : character;
}
