/** A keyboard to be touched, for readers without one: keys go down and come up like those of a real one. */
import { scanCode } from "./keys.ts";

/** A key: its `KeyboardEvent.code`, what stands on it, and with shift. */
type Key = readonly [code: string, label: string, shifted?: string];

const digits = "1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0)".split(" ").map((pair): Key => [`Digit${pair[0]}`, pair[0]!, pair[1]!]);
const letters = (row: string): Key[] =>
  Array.from(row, (letter) => [`Key${letter.toUpperCase()}`, letter, letter.toUpperCase()] as const);

const ROWS: readonly (readonly Key[])[] = [
  [["Escape", "esc"], ...digits, ["Minus", "-", "_"], ["Equal", "=", "+"]],
  [["Tab", "tab"], ...letters("qwertyuiop"), ["BracketLeft", "[", "{"], ["BracketRight", "]", "}"]],
  [...letters("asdfghjkl"), ["Semicolon", ";", ":"], ["Quote", "'", '"'], ["Backslash", "\\", "|"]],
  [["ShiftLeft", "shift"], ...letters("zxcvbnm"), ["Comma", ",", "<"], ["Period", ".", ">"], ["Slash", "/", "?"]],
  [
    ["Backquote", "`", "~"],
    ["ArrowLeft", "←"],
    ["ArrowUp", "↑"],
    ["ArrowDown", "↓"],
    ["ArrowRight", "→"],
    ["Space", "space"],
    ["Backspace", "⌫"],
    ["Enter", "enter"],
  ],
];

const NAMES: Readonly<Record<string, string>> = {
  Escape: "Escape",
  Tab: "Tab",
  ShiftLeft: "Shift",
  ArrowLeft: "Arrow left",
  ArrowUp: "Arrow up",
  ArrowDown: "Arrow down",
  ArrowRight: "Arrow right",
  Space: "Space",
  Backspace: "Backspace",
  Enter: "Enter",
};

/** The on-screen keyboard. Shift holds for one key, like the shift of a phone. */
export class OnScreenKeyboard {
  readonly element: HTMLElement;
  private readonly buttons = new Map<HTMLButtonElement, Key>();
  private shift = false;

  /** `send` gets scan codes as keys go down and come up. */
  constructor(
    private readonly document: Document,
    private readonly send: (scanCodes: readonly number[]) => void,
  ) {
    this.element = document.createElement("div");
    this.element.className = "keyboard";
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", "On-screen keyboard");
    for (const row of ROWS) {
      const line = document.createElement("div");
      line.append(...row.map((key) => this.button(key)));
      this.element.append(line);
    }
    this.label();
  }

  /** Lets go of shift. */
  release(): void {
    if (this.shift) this.toggleShift();
  }

  private button(key: Key): HTMLButtonElement {
    const button = this.document.createElement("button");
    const [code] = key;
    button.type = "button";
    button.className = `key ${code}`;
    this.buttons.set(button, key);
    if (code === "ShiftLeft") {
      button.addEventListener("pointerdown", (event) => event.preventDefault());
      button.addEventListener("click", () => this.toggleShift());
      return button;
    }
    let down = false;
    const press = (): void => {
      down = true;
      this.press(code);
    };
    const lift = (): void => {
      if (down) this.lift(code);
      down = false;
    };
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // the focus stays where it is
      press();
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) button.addEventListener(end, lift);
    button.addEventListener("click", (event) => {
      if (event.detail !== 0) return; // a pointer's; that one has been pressed already
      press();
      lift();
    });
    return button;
  }

  private press(code: string): void {
    this.send(scanCode(code)!);
  }

  private lift(code: string): void {
    this.send(scanCode(code, true)!);
    this.release();
  }

  private toggleShift(): void {
    this.shift = !this.shift;
    this.send(scanCode("ShiftLeft", !this.shift)!);
    this.label();
  }

  private label(): void {
    for (const [button, [code, plain, shifted]] of this.buttons) {
      button.textContent = (this.shift ? shifted : undefined) ?? plain;
      const name = NAMES[code];
      if (name !== undefined) button.setAttribute("aria-label", name);
      if (code === "ShiftLeft") button.setAttribute("aria-pressed", String(this.shift));
    }
  }
}
