/** What a terminal sends when keys are pressed, as the scan codes of those keys on a PC's keyboard. */
import { EXTENDED, LEFT_SHIFT, RELEASED, typed } from "#machine/platform/scan-codes.ts";

const ESCAPE = 0x01;
const BACKSPACE = 0x0e;
const LEFT_CONTROL = 0x1d;
const LEFT_ALT = 0x38;
const TAB = 0x0f;

/** Behind `ESC [`, and for some terminals behind `ESC O`. ECMA-48 and the control sequences of xterm. */
const FINAL_KEYS: Readonly<Record<string, readonly number[]>> = {
  A: [EXTENDED, 0x48], // up
  B: [EXTENDED, 0x50], // down
  C: [EXTENDED, 0x4d], // right
  D: [EXTENDED, 0x4b], // left
  H: [EXTENDED, 0x47], // home
  F: [EXTENDED, 0x4f], // end
  P: [0x3b], // F1
  Q: [0x3c],
  R: [0x3d],
  S: [0x3e],
};

/** `ESC [ number ~`. */
const NUMBERED_KEYS: Readonly<Record<number, readonly number[]>> = {
  1: [EXTENDED, 0x47],
  2: [EXTENDED, 0x52], // insert
  3: [EXTENDED, 0x53], // delete
  4: [EXTENDED, 0x4f],
  5: [EXTENDED, 0x49], // page up
  6: [EXTENDED, 0x51], // page down
  15: [0x3f], // F5
  17: [0x40],
  18: [0x41],
  19: [0x42],
  20: [0x43],
  21: [0x44],
  23: [0x57],
  24: [0x58],
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what terminals send.
const PIECES = /\x1b[[O](\d*)(?:;\d+)?([A-Za-z~])|\x1b([^\x1b])|[\s\S]/gu;

const released = (key: readonly number[]): number[] => [...key.slice(0, -1), key.at(-1)! | RELEASED];
const stroke = (...key: number[]): number[] => [...key, ...released(key)];
const held = (modifier: number, inner: readonly number[]): number[] => [modifier, ...inner, modifier | RELEASED];

function keysOf(piece: string): number[] {
  const code = piece.charCodeAt(0);
  if (piece === "\x1b") return stroke(ESCAPE);
  if (piece === "\x7f" || piece === "\b") return stroke(BACKSPACE);
  if (code < 0x20 && !"\t\r\n".includes(piece)) {
    const [letter] = typed(String.fromCharCode(code + 0x60));
    return letter === undefined ? [] : held(LEFT_CONTROL, letter);
  }
  return typed(piece)[0] ?? [];
}

function sequence(number: string, final: string): number[] {
  if (final === "Z") return held(LEFT_SHIFT, stroke(TAB));
  const key = final === "~" ? NUMBERED_KEYS[Number(number)] : FINAL_KEYS[final];
  return key === undefined ? [] : stroke(...key);
}

/** For each key, or combination of keys, its scan codes, going down and coming up. Keys that no PC has are left out. */
export function terminalKeys(input: string): number[][] {
  const keys = Array.from(input.matchAll(PIECES), ([piece, number, final, alt]) => {
    if (final !== undefined) return sequence(number!, final);
    return alt === undefined ? keysOf(piece) : held(LEFT_ALT, keysOf(alt));
  });
  return keys.filter((codes) => codes.length > 0);
}
