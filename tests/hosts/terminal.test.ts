/** The terminal host: what it writes, how it types, and that it leaves the terminal as it found it. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { MachineSession } from "../../machine/hosts/headless.ts";
import { runInTerminal } from "../../machine/hosts/terminal.ts";
import { colours, ENTER, LEAVE, paint, TerminalView } from "../../machine/hosts/terminal-view.ts";
import { bootImage } from "../machine/boot-image.ts";

const CELLS = 2000;

/** A blank screen, grey on black. */
const blank = (): Uint8Array => Uint8Array.from({ length: CELLS * 2 }, (_, at) => (at % 2 === 0 ? 0x20 : 0x07));

function put(cells: Uint8Array, row: number, column: number, text: string, attribute = 0x07): Uint8Array {
  const changed = cells.slice();
  for (const [index, character] of Array.from(text).entries()) {
    changed[(row * 80 + column + index) * 2] = character.charCodeAt(0);
    changed[(row * 80 + column + index) * 2 + 1] = attribute;
  }
  return changed;
}

describe("painting", () => {
  test("an unchanged screen costs nothing", () => {
    expect(paint(blank(), blank(), 80, 25)).toBe("");
  });

  test("only changed cells are written, each run of them with one move and one colour", () => {
    const after = put(put(blank(), 2, 10, "ab", 0x1e), 4, 0, "c", 0x07);
    expect(paint(blank(), after, 80, 25)).toBe(`\x1b[3;11H${colours(0x1e)}ab\x1b[5;1H${colours(0x07)}c\x1b[0m`);
  });

  test("VGA colours become ANSI colours: blue is 1 there and 4 here, and bit 3 makes them bright", () => {
    expect(colours(0x1e)).toBe("\x1b[93;44m");
    expect(colours(0x0b)).toBe("\x1b[96;40m");
    expect(colours(0xc4)).toBe("\x1b[31;101m");
  });

  test("bytes of code page 437 become Unicode; none of them reaches the terminal as a control character", () => {
    const after = blank();
    for (let byte = 0; byte < 256; byte++) after[byte * 2] = byte;
    const text = paint(null, after, 80, 25);
    expect(text).toContain("☺☻♥");
    expect(text).toContain("■");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there.
    expect(text.replaceAll(/\x1b\[[0-9;]*[mH]/g, "")).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });

  test("cells beyond a small terminal are left out", () => {
    const after = put(put(blank(), 0, 50, "x"), 20, 0, "y");
    expect(paint(blank(), after, 40, 10)).toBe("");
  });
});

/** A terminal that remembers what was written. */
function recorder(columns: number, rows: number) {
  const written: string[] = [];
  return {
    written,
    columns,
    rows,
    write: (text: string) => written.push(text),
    on: () => {},
  };
}

describe("the view", () => {
  test("shows the last serial lines below the status line, without the guest's control characters", () => {
    const output = recorder(80, 28);
    const view = new TerminalView(output);
    view.setStatus("running");
    view.addSerial(Buffer.from("one\r\ntwo\nthree \x1b[2J\nfour"));
    const last = output.written.at(-1)!;
    expect(last).toContain("\x1b[26;1H\x1b[7mrunning");
    expect(last).toContain("\x1b[27;1Hthree ·[2J");
    expect(last).toContain("\x1b[28;1Hfour");
    expect(last).not.toContain("two");
  });

  test("puts the cursor where the guest has it, or hides it", () => {
    const output = recorder(80, 25);
    const view = new TerminalView(output);
    view.show({ cells: blank(), cursor: { row: 3, column: 7, visible: true } });
    expect(output.written.at(-1)).toMatch("\x1b[4;8H\x1b[?25h");
    view.show({ cells: blank(), cursor: { row: 3, column: 7, visible: false } });
    expect(output.written.at(-1)).toMatch("\x1b[?25l");
  });
});

describe("a live run", () => {
  const ECHO = `
    .next:
      mov ah, 0
      int 0x16
      mov ah, 0x0e
      mov bx, 7
      int 0x10
      jmp .next`;

  /** Starts a run; typing happens through `stdin`. */
  function start(body: string, type?: string) {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, raw: [] as boolean[] });
    const setRawMode = (on: boolean) => stdin.raw.push(on);
    const stdout = recorder(80, 30);
    const session = new MachineSession({ image: bootImage(body), keepHalted: true });
    const options = { title: "test", ...(type === undefined ? {} : { type }) };
    const end = runInTerminal(session, options, { stdin: Object.assign(stdin, { setRawMode }), stdout });
    return { stdin, stdout, end };
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  test("typed keys reach the guest; Ctrl-] quits and restores the terminal", async () => {
    const { stdin, stdout, end } = start(ECHO, "h");
    await until(() => stdout.written.some((text) => text.includes("h")));
    stdin.write("Q");
    await until(() => stdout.written.some((text) => text.includes("Q")));
    stdin.write("\x1d");
    expect(await end).toBeNull();
    expect(stdout.written[0]).toBe(ENTER);
    expect(stdout.written.at(-1)).toBe(LEAVE);
    expect(stdin.raw).toEqual([true, false]);
  });

  test("a debug exit ends it, and restores the terminal too", async () => {
    const { stdout, end } = start("jmp exit");
    expect(await end).toEqual({ kind: "exit", status: 33 });
    expect(stdout.written.at(-1)).toBe(LEAVE);
  });

  test("a guest that sleeps stays on the screen", async () => {
    const { stdin, stdout, end } = start("mov ax, 0x0e58\nint 0x10\njmp stop");
    await until(() => stdout.written.some((text) => text.includes("X")));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stdout.written.at(-1)).not.toBe(LEAVE);
    stdin.write("\x1d");
    expect(await end).toBeNull();
  });
});
