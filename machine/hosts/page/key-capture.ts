/** Takes the reader's keys for the machine while its screen has the focus, and gives the focus back when asked. */
import { LEFT_SHIFT, RELEASED, typed } from "#machine/platform/scan-codes.ts";
import { scanCode } from "./keys.ts";

const HOW_TO_ENTER = "Click the screen to type.";
const HOW_TO_LEAVE = "Keys go to the machine. To leave: Escape, then Tab.";

/** What has to be done with input. */
export interface KeySink {
  /** Scan codes of set 1, as keys go down and come up. */
  press(scanCodes: readonly number[]): void;
  /** Text from an input method that has no keys. */
  type(text: string): void;
}

/** Combinations with these belong to the browser and the system: copy, reload, switch to another window. */
const isShortcut = (event: KeyboardEvent): boolean =>
  (event.ctrlKey || event.altKey || event.metaKey) && !event.getModifierState("AltGraph");
const MODIFIERS = /^(Control|Alt|Shift)/;

/** A capital from someone who has no shift key, as a remote desktop or a script types it. */
function lacksShift(event: KeyboardEvent, codes: readonly number[]): boolean {
  if (event.shiftKey || event.getModifierState("CapsLock")) return false;
  const [first, second] = typed(event.key)[0] ?? [];
  return first === LEFT_SHIFT && second === codes[0];
}

/**
 * A text field of no size that has the focus for the screen, as a screen reader expects of something to type into; the
 * screen itself stays text that can be read and selected. While it has the focus, keys are sent as scan codes and do
 * nothing else. Tab goes to the machine too, but not right after Escape: then it moves the focus, as it does everywhere.
 */
export class KeyCapture {
  readonly field: HTMLTextAreaElement;
  /** Says how to give the machine the keys, and how to get them back. */
  readonly hint: HTMLElement;
  private leaving = false;
  private readonly held = new Set<string>();

  /** A click on `screen` that selects nothing gives the focus to the field. */
  constructor(
    screen: HTMLElement,
    private readonly sink: KeySink,
  ) {
    const document = screen.ownerDocument;
    this.field = document.createElement("textarea");
    this.field.className = "field";
    this.field.inputMode = "none"; // the on-screen keyboard has the machine's keys
    this.field.setAttribute("aria-label", "The machine's keyboard");
    this.field.setAttribute("aria-describedby", "hint");
    this.hint = Object.assign(document.createElement("p"), { className: "hint", id: "hint" });
    screen.addEventListener("click", () => {
      if (document.getSelection()?.isCollapsed !== false) this.field.focus({ preventScroll: true });
    });
    this.field.addEventListener("keydown", (event) => this.down(event));
    this.field.addEventListener("keyup", (event) => this.up(event));
    this.field.addEventListener("input", () => this.takeText());
    this.field.addEventListener("focus", () => this.tell());
    this.field.addEventListener("blur", () => {
      this.releaseAll();
      this.tell();
    });
    this.active = false;
  }

  /** Whether there is a machine that takes keys. */
  set active(active: boolean) {
    if (!active) this.held.clear();
    this.field.disabled = !active;
    this.tell();
  }

  private tell(): void {
    const root = this.field.getRootNode() as Document | ShadowRoot;
    const focused = root.activeElement === this.field;
    this.hint.textContent = this.field.disabled ? "" : focused ? HOW_TO_LEAVE : HOW_TO_ENTER;
  }

  private down(event: KeyboardEvent): void {
    const { code } = event;
    const isModifier = MODIFIERS.test(code);
    if (event.isComposing || (isShortcut(event) && !isModifier)) return;
    if (code === "Tab" && this.leaving) return;
    if (!isModifier) this.leaving = code === "Escape";
    const codes = scanCode(code);
    if (codes === null) return;
    event.preventDefault();
    this.held.add(code);
    this.sink.press(lacksShift(event, codes) ? [LEFT_SHIFT, ...codes, LEFT_SHIFT | RELEASED] : codes);
  }

  private up(event: KeyboardEvent): void {
    if (!this.held.delete(event.code)) return;
    event.preventDefault();
    this.sink.press(scanCode(event.code, true)!);
  }

  private takeText(): void {
    if (this.field.value !== "") this.sink.type(this.field.value);
    this.field.value = "";
  }

  /** Whoever leaves the screen with a key held down has let go of it elsewhere. */
  private releaseAll(): void {
    for (const code of this.held) this.sink.press(scanCode(code, true)!);
    this.held.clear();
    this.leaving = false;
  }
}
