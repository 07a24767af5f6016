/** Typed text as the key names of QEMU's monitor, on an American keyboard. */

const NAMED: Readonly<Record<string, string>> = {
  " ": "spc",
  "\n": "ret",
  "\r": "ret",
  "\t": "tab",
  "\b": "backspace",
  "\x1b": "esc",
  "-": "minus",
  "=": "equal",
  "[": "bracket_left",
  "]": "bracket_right",
  ";": "semicolon",
  "'": "apostrophe",
  "`": "grave_accent",
  "\\": "backslash",
  ",": "comma",
  ".": "dot",
  "/": "slash",
};
const SHIFTED = '!@#$%^&*()_+{}:"~|<>?';
const PLAIN = "1234567890-=[];'`\\,./";

export interface QemuKey {
  readonly type: "qcode";
  readonly data: string;
}

/** For each character the keys that go down together; characters that are not on the keyboard are left out. */
export function qemuKeys(text: string): QemuKey[][] {
  return Array.from(text).flatMap((character) => {
    const lower = character.toLowerCase();
    const shifted = SHIFTED.indexOf(character);
    const plain = shifted >= 0 ? PLAIN[shifted]! : lower;
    const name = /^[a-z0-9]$/.test(plain) ? plain : NAMED[plain];
    if (name === undefined) return [];
    const keys = shifted >= 0 || (lower !== character && lower.length === 1) ? ["shift", name] : [name];
    return [keys.map((data) => ({ type: "qcode", data }) as const)];
  });
}
