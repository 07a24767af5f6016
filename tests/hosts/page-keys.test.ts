/** Keys in the page: which scan codes they become, when they are the machine's, and how the focus comes back. */
import { Window } from "happy-dom";
import { beforeEach, describe, expect, test } from "vitest";
import { KeyCapture } from "../../machine/hosts/page/key-capture.ts";
import { OnScreenKeyboard } from "../../machine/hosts/page/keyboard.ts";
import { scanCode } from "../../machine/hosts/page/keys.ts";

describe("the scan code of a key", () => {
  test.each([
    ["Escape", [0x01], [0x81]],
    ["KeyA", [0x1e], [0x9e]],
    ["Digit0", [0x0b], [0x8b]],
    ["Enter", [0x1c], [0x9c]],
    ["ShiftLeft", [0x2a], [0xaa]],
    ["ShiftRight", [0x36], [0xb6]],
    ["Space", [0x39], [0xb9]],
    ["F10", [0x44], [0xc4]],
    ["F12", [0x58], [0xd8]],
    ["Numpad7", [0x47], [0xc7]],
    ["NumpadDecimal", [0x53], [0xd3]],
    ["ArrowUp", [0xe0, 0x48], [0xe0, 0xc8]],
    ["Delete", [0xe0, 0x53], [0xe0, 0xd3]],
    ["AltRight", [0xe0, 0x38], [0xe0, 0xb8]],
  ] as const)("%s", (key, make, released) => {
    expect(scanCode(key)).toEqual(make);
    expect(scanCode(key, true)).toEqual(released);
  });

  test("is none for keys that a PC does not have", () => {
    expect(scanCode("MediaPlayPause")).toBeNull();
    expect(scanCode("")).toBeNull();
  });
});

let window: Window;
let document: Document;
beforeEach(() => {
  window = new Window();
  document = window.document as unknown as Document;
});

function capture() {
  const codes: number[] = [];
  const texts: string[] = [];
  const screen = document.createElement("div");
  const made = new KeyCapture(screen, { press: (more) => codes.push(...more), type: (text) => texts.push(text) });
  const after = document.createElement("button");
  document.body.append(made.field, screen, made.hint, after);
  made.active = true;
  const send = (type: string, code: string, more: object = {}) => {
    const event = new window.KeyboardEvent(type, { code, bubbles: true, cancelable: true, ...more });
    made.field.dispatchEvent(event as unknown as Event);
    return event.defaultPrevented;
  };
  return { made, screen, after, codes, texts, down: send.bind(null, "keydown"), up: send.bind(null, "keyup") };
}

describe("the screen with the focus", () => {
  test("gets it by a click, and says how to leave", () => {
    const { made, screen } = capture();
    expect(made.hint.textContent).toBe("Click the screen to type.");
    screen.click();
    expect(document.activeElement).toBe(made.field);
    expect(made.hint.textContent).toContain("To leave: Escape, then Tab.");
  });

  test("sends keys as they go down, repeat and come up, and keeps them from doing anything else", () => {
    const { codes, down, up } = capture();
    expect(down("ShiftLeft", { shiftKey: true })).toBe(true);
    expect(down("KeyA", { key: "A", shiftKey: true })).toBe(true);
    down("KeyA", { key: "A", shiftKey: true, repeat: true });
    up("KeyA");
    up("ShiftLeft");
    expect(codes).toEqual([0x2a, 0x1e, 0x1e, 0x9e, 0xaa]);
  });

  test("adds a shift that nobody pressed, but not where capitals are locked", () => {
    const { codes, down, up } = capture();
    down("KeyH", { key: "H" });
    up("KeyH");
    expect(codes.splice(0)).toEqual([0x2a, 0x23, 0xaa, 0xa3]);
    down("KeyH", { key: "h" });
    expect(codes).toEqual([0x23]);
  });

  test("sends Tab, unless Escape came just before: then Tab moves the focus as everywhere", () => {
    const { codes, down } = capture();
    expect(down("Tab")).toBe(true);
    down("Escape");
    expect(down("Tab")).toBe(false);
    expect(codes).toEqual([0x0f, 0x01]);
    down("Escape");
    down("KeyA");
    expect(down("Tab")).toBe(true);
  });

  test("lets Shift and Tab go backwards after Escape", () => {
    const { down } = capture();
    down("Escape");
    down("ShiftLeft", { shiftKey: true });
    expect(down("Tab", { shiftKey: true })).toBe(false);
  });

  test("leaves shortcuts to the browser, and keys that a PC does not have", () => {
    const { codes, down } = capture();
    expect(down("KeyC", { ctrlKey: true })).toBe(false);
    expect(down("KeyR", { metaKey: true })).toBe(false);
    expect(down("MediaPlayPause")).toBe(false);
    expect(codes).toEqual([]);
  });

  test("lets go of held keys when it loses the focus", () => {
    const { made, after, codes, down } = capture();
    made.field.focus();
    down("ShiftLeft", { shiftKey: true });
    after.focus();
    expect(codes).toEqual([0x2a, 0xaa]);
  });

  test("types what an input method gives as text", () => {
    const { made, texts } = capture();
    made.field.value = "ok";
    made.field.dispatchEvent(new window.Event("input") as unknown as Event);
    expect(texts).toEqual(["ok"]);
    expect(made.field.value).toBe("");
  });

  test("takes no focus while the machine is off", () => {
    const { made, screen } = capture();
    made.active = false;
    screen.click();
    expect(document.activeElement).not.toBe(made.field);
    expect(made.hint.textContent).toBe("");
  });
});

describe("the on-screen keyboard", () => {
  function keyboard() {
    const codes: number[] = [];
    const made = new OnScreenKeyboard(document, (more) => codes.push(...more));
    document.body.append(made.element);
    const key = (text: string) => [...made.element.querySelectorAll("button")].find((b) => b.textContent === text)!;
    const point = (button: HTMLButtonElement, type: string) =>
      button.dispatchEvent(new window.PointerEvent(type, { bubbles: true, cancelable: true }) as unknown as Event);
    return { made, codes, key, point };
  }

  test("has every key that a line of text needs, each with a name to be read aloud", () => {
    const { made } = keyboard();
    const buttons = [...made.element.querySelectorAll("button")];
    const codes = buttons.flatMap((button) => [...(scanCode(button.classList.item(1)!) ?? [])]);
    for (let code = 0x01; code <= 0x35; code++) {
      const missing = [0x1d, 0x2a].includes(code) ? [0x2a] : [code];
      expect(codes, `scan code ${code.toString(16)}`).toContain(missing[0]);
    }
    for (const button of buttons) expect(button.getAttribute("aria-label") ?? button.textContent).not.toBe("");
  });

  test("presses while a finger is down, and lifts with it, wherever it goes", () => {
    const { codes, key, point } = keyboard();
    point(key("a"), "pointerdown");
    expect(codes).toEqual([0x1e]);
    point(key("a"), "pointerleave");
    point(key("a"), "pointerup");
    expect(codes).toEqual([0x1e, 0x9e]);
  });

  test("works with a keyboard's click, for switches and screen readers", () => {
    const { codes, key } = keyboard();
    key("enter").click();
    expect(codes).toEqual([0x1c, 0x9c]);
  });

  test("shift holds for one key, and changes what the keys say", () => {
    const { codes, key } = keyboard();
    key("shift").click();
    expect(key("shift").getAttribute("aria-pressed")).toBe("true");
    key("!").click();
    expect(codes).toEqual([0x2a, 0x02, 0x82, 0xaa]);
    expect(key("shift").getAttribute("aria-pressed")).toBe("false");
    expect(key("1")).toBeDefined();
  });
});
