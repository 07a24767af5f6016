/** The reader's keyboard: which scan code of set 1 a browser's `KeyboardEvent.code` stands for. */

/** Keys in the order of their scan codes, from 1 on. Names of the UI Events specification, section "code". */
const FIRST_KEYS =
  "Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace Tab " +
  "KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter ControlLeft " +
  "KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote ShiftLeft Backslash " +
  "KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock " +
  "F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract " +
  "Numpad4 Numpad5 Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal";

const OTHER_KEYS: Readonly<Record<string, number>> = { IntlBackslash: 0x56, F11: 0x57, F12: 0x58 };

/** Keys whose code stands behind the prefix 0xe0. */
const EXTENDED_KEYS: Readonly<Record<string, number>> = {
  NumpadEnter: 0x1c,
  ControlRight: 0x1d,
  NumpadDivide: 0x35,
  AltRight: 0x38,
  Home: 0x47,
  ArrowUp: 0x48,
  PageUp: 0x49,
  ArrowLeft: 0x4b,
  ArrowRight: 0x4d,
  End: 0x4f,
  ArrowDown: 0x50,
  PageDown: 0x51,
  Insert: 0x52,
  Delete: 0x53,
};

const EXTENDED = 0xe0;
const RELEASED = 0x80;

const CODES = new Map<string, readonly number[]>();
for (const [index, name] of FIRST_KEYS.split(" ").entries()) CODES.set(name, [index + 1]);
for (const [name, code] of Object.entries(OTHER_KEYS)) CODES.set(name, [code]);
for (const [name, code] of Object.entries(EXTENDED_KEYS)) CODES.set(name, [EXTENDED, code]);

/** The scan code of a key going down, or coming up; null for a key that a PC's keyboard does not have. */
export function scanCode(key: string, released = false): readonly number[] | null {
  const code = CODES.get(key);
  if (code === undefined) return null;
  return released ? [...code.slice(0, -1), code.at(-1)! | RELEASED] : code;
}
