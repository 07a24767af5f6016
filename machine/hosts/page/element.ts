/** `<taiji-machine>`: a PC in a page. See api.ts for its attributes, methods and events. */
import { parseAddress } from "../../debug/address.ts";
import { AddressMap } from "../../debug/map.ts";
import { tellEnd } from "../../debug/story.ts";
import { NO_LAYOUT } from "../../debug/structures.ts";
import type { TaijiMachineElement, TaijiOutputDetail, TaijiState, TaijiStateDetail } from "./api.ts";
import { Guide } from "./guide.ts";
import { InspectorPanels } from "./inspectors/panels.ts";
import { INSPECTOR_STYLE } from "./inspectors/style.ts";
import { KeyCapture } from "./key-capture.ts";
import { OnScreenKeyboard } from "./keyboard.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import { TextScreen } from "./screen.ts";
import { STYLE } from "./style.ts";

const DEFAULT_MEMORY = 32 * 1024 * 1024;
const COLUMNS = 80;

/** The worker's script stands beside this one. */
const WORKER_URL = new URL("./taiji-machine-worker.js", import.meta.url);

const STATUS: Record<TaijiState, string> = {
  off: "off",
  loading: "loading…",
  running: "running",
  paused: "paused",
  halted: "halted",
  stopped: "stopped",
};

const stillStates: readonly TaijiState[] = ["paused", "halted", "stopped", "off"];

export class TaijiMachine extends HTMLElement implements TaijiMachineElement {
  static readonly observedAttributes = ["src"];

  private current: TaijiState = "off";
  private worker: Worker | null = null;
  private map: AddressMap | null = null;
  private guide = this.newGuide();
  private text = "";
  private serial = "";
  /** The sentence, or the story, beside the state. */
  private why = "";
  private decoder = new TextDecoder();
  /** Promises of `pause()` and `step()`, resolved when the worker next stands still. */
  private waiting: (() => void)[] = [];

  private readonly screen = new TextScreen(document);
  private readonly inspectors = new InspectorPanels(
    () => this.askForInspection(),
    (text) => parseAddress(text, this.map),
  );
  private readonly powerButton = this.button("Power on", () => void this.togglePower());
  private readonly resetButton = this.button("Reset", () => this.reset());
  private readonly pauseButton = this.button("Pause", () => this.togglePause());
  private readonly stepButton = this.button("Step", () => void this.stepOrStart());
  private readonly slowButton = this.button("Slowly", () => this.toggleSlow());
  private readonly keyboardButton = this.button("Keyboard", () => this.toggleKeyboard());
  private readonly keyboard = new OnScreenKeyboard(document, (scanCodes) => this.press(scanCodes));
  private readonly keys = new KeyCapture(this.screen.element, this);
  private readonly status = Object.assign(document.createElement("span"), { className: "status" });
  private readonly reason = Object.assign(document.createElement("div"), { className: "reason", hidden: true });
  private readonly resizes = new ResizeObserver(() => this.fitScreen());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE + INSPECTOR_STYLE);
    root.adoptedStyleSheets = [sheet];

    const bar = this.box(
      "div",
      "bar",
      this.powerButton,
      this.pauseButton,
      this.stepButton,
      this.slowButton,
      this.resetButton,
      this.keyboardButton,
      this.status,
    );
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Machine");
    this.powerButton.classList.add("primary");
    this.status.setAttribute("role", "status");
    this.reason.setAttribute("role", "alert");
    this.keyboard.element.hidden = true;
    this.keyboardButton.setAttribute("aria-expanded", "false");
    this.slowButton.setAttribute("aria-pressed", "false");
    this.screen.element.setAttribute("role", "region");
    this.screen.element.setAttribute("aria-label", "Screen, 80 columns by 25 rows");
    const glass = this.box("div", "glass", this.keys.field, this.screen.element);
    const { hint } = this.keys;
    root.append(this.box("div", "case", bar, this.reason, glass, hint, this.keyboard.element, this.inspectors.element));
    this.showState(null);
  }

  connectedCallback(): void {
    this.resizes.observe(this);
    const names = (attribute: string): string[] => (this.getAttribute(attribute) ?? "").split(/[\s,]+/);
    this.inspectors.choose(names("panels"), names("inspect"));
  }

  disconnectedCallback(): void {
    this.resizes.disconnect();
    this.turnOff(null);
  }

  attributeChangedCallback(): void {
    if (this.current !== "off") this.turnOff(null);
  }

  get src(): string {
    return this.getAttribute("src") ?? "";
  }
  set src(url: string) {
    this.setAttribute("src", url);
  }
  get memory(): number {
    return Number(this.getAttribute("memory")) || DEFAULT_MEMORY;
  }
  set memory(bytes: number) {
    this.setAttribute("memory", String(bytes));
  }
  get state(): TaijiState {
    return this.current;
  }
  get screenText(): string {
    return this.text;
  }
  get serialText(): string {
    return this.serial;
  }

  async power({ paused = false }: { paused?: boolean } = {}): Promise<void> {
    this.turnOff(null);
    this.enter("loading", null);
    try {
      const image = await load(this.src);
      this.map = await this.loadMap();
      this.guide = this.newGuide();
      this.worker = new Worker(WORKER_URL, { type: "module" });
      this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
      this.worker.onerror = (event) => this.turnOff(`The machine's program failed: ${event.message}`);
      const clock = this.getAttribute("clock") === "free" ? "free" : "host";
      this.askForInspection();
      this.send({ kind: "slow", slow: this.isSlow });
      this.send({ kind: "power", image, memory: this.memory, clock, paused }, [image]);
    } catch (error) {
      this.turnOff((error as Error).message);
      throw error;
    }
  }

  powerOff(): void {
    this.turnOff(null);
  }

  reset(): void {
    this.text = "";
    this.serial = "";
    this.showSerial();
    this.decoder = new TextDecoder();
    this.send({ kind: "reset" });
  }

  pause(): Promise<void> {
    return this.request({ kind: "pause" });
  }

  resume(): void {
    this.send({ kind: "resume" });
  }

  step(count = 1): Promise<void> {
    this.inspectors.isStepping = true;
    return this.request({ kind: "step", count });
  }

  type(text: string): void {
    this.send({ kind: "type", text });
  }

  press(scanCodes: readonly number[]): void {
    this.send({ kind: "keys", scanCodes });
  }

  private toggleKeyboard(): void {
    const { element } = this.keyboard;
    element.hidden = !element.hidden;
    if (element.hidden) this.keyboard.release();
    this.keyboardButton.setAttribute("aria-expanded", String(!element.hidden));
  }

  private get isSlow(): boolean {
    return this.slowButton.getAttribute("aria-pressed") === "true";
  }

  private toggleSlow(): void {
    this.slowButton.setAttribute("aria-pressed", String(!this.isSlow));
    this.send({ kind: "slow", slow: this.isSlow });
  }

  private togglePower(): Promise<void> {
    if (this.current !== "off") {
      this.turnOff(null);
      return Promise.resolve();
    }
    // The reason is shown by turnOff; a script that calls power() itself gets the rejection.
    return this.power().catch(() => undefined);
  }

  /** On a machine without power: switches it on and waits at its very first instruction. */
  private stepOrStart(): Promise<void> {
    return this.current === "off" ? this.power({ paused: true }).catch(() => undefined) : this.step();
  }

  private togglePause(): void {
    if (this.current === "paused") this.resume();
    else void this.pause();
  }

  private turnOff(reason: string | null): void {
    this.worker?.terminate();
    this.worker = null;
    this.text = "";
    this.serial = "";
    this.showSerial();
    this.decoder = new TextDecoder();
    this.screen.clear();
    this.inspectors.clear();
    if (this.current !== "off" || reason !== null) this.enter("off", reason);
    this.resolveWaiting();
  }

  private async loadMap(): Promise<AddressMap | null> {
    const url = this.getAttribute("map");
    if (url === null) return null;
    const answer = await fetch(new URL(url, this.baseURI));
    return answer.ok ? new AddressMap(await answer.json()) : null;
  }

  /** Knows where the lines of the book are, and shows them in what is on display already once they have come. */
  private newGuide(): Guide {
    const url = (attribute: string): URL | null => {
      const given = this.getAttribute(attribute);
      return given === null ? null : new URL(given, this.baseURI);
    };
    return new Guide(this.map, { sources: url("sources"), pages: url("pages") }, () => {
      this.inspectors.redraw(this.guide);
      this.showReason();
    });
  }

  private askForInspection(): void {
    const starts = this.map?.lineStarts() ?? new BigUint64Array();
    const layout = this.map?.layout() ?? NO_LAYOUT;
    const { open: wanted, walk } = this.inspectors;
    this.send({ kind: "inspect", questions: { wanted, starts, layout, walk } });
  }

  /** Why the machine stands still; a triple fault's whole chain with its lines of the book, which the worker does not know. */
  private tell({ reason, event }: Extract<FromWorker, { kind: "state" }>): string | null {
    return reason === null ? null : tellEnd({ message: reason, event }, this.map);
  }

  private showReason(): void {
    const lines = this.why === "" ? [] : this.why.split("\n");
    const blocks = lines.map((line) => {
      const depth = line.search(/\S/);
      return this.box("p", depth <= 0 ? "" : depth < 4 ? "fault" : "fault-place", ...this.guide.linked(line.trim()));
    });
    this.reason.replaceChildren(...blocks);
  }

  private showSerial(): void {
    const { serialOutput } = this.inspectors;
    serialOutput.textContent = this.serial;
    serialOutput.scrollTop = serialOutput.scrollHeight;
  }

  private send(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker?.postMessage(message, transfer);
  }

  /** Sends a message whose work ends with the machine standing still. */
  private request(message: ToWorker): Promise<void> {
    if (this.worker === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.send(message);
    });
  }

  private resolveWaiting(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private receive(message: FromWorker): void {
    switch (message.kind) {
      case "screen":
        this.text = message.text;
        this.screen.draw(message.cells, message.cursor);
        return;
      case "inspection":
        this.inspectors.show(message.inspection, this.guide);
        return;
      case "serial": {
        const text = this.decoder.decode(message.bytes, { stream: true });
        this.serial += text;
        this.showSerial();
        this.dispatchEvent(new CustomEvent<TaijiOutputDetail>("output", { detail: { text } }));
        return;
      }
      case "state":
        this.enter(message.state, this.tell(message), message.instructions, message.exitStatus);
        if (stillStates.includes(message.state)) this.resolveWaiting();
        return;
    }
  }

  private enter(state: TaijiState, reason: string | null, instructions = 0, exitStatus: number | null = null): void {
    this.current = state;
    if (state === "running" || state === "off") this.inspectors.isStepping = false;
    this.showState(reason, instructions);
    this.dispatchEvent(new CustomEvent<TaijiStateDetail>("statechange", { detail: { state, reason, exitStatus } }));
  }

  private showState(reason: string | null, instructions = 0): void {
    const { current } = this;
    const on = current !== "off" && current !== "loading";
    this.powerButton.textContent = current === "off" ? "Power on" : "Power off";
    this.pauseButton.textContent = current === "paused" ? "Resume" : "Pause";
    this.pauseButton.disabled = current !== "running" && current !== "paused";
    this.stepButton.disabled = current !== "paused" && current !== "off";
    this.resetButton.disabled = !on;
    this.keys.active = on;
    const count = `${instructions.toLocaleString("en")} ${instructions === 1 ? "instruction" : "instructions"}`;
    const executed = on && current !== "running" ? `, ${count}` : "";
    this.status.textContent = `${STATUS[current]}${executed}`;
    this.reason.hidden = reason === null;
    this.why = reason ?? "";
    this.showReason();
  }

  /** Chooses the font size at which 80 columns fill the width. */
  private fitScreen(): void {
    const { element } = this.screen;
    const probe = document.createElement("span");
    probe.textContent = "0".repeat(COLUMNS);
    element.style.fontSize = "100px";
    element.append(probe);
    const natural = probe.getBoundingClientRect().width;
    probe.remove();
    const size = natural > 0 ? (100 * element.clientWidth) / natural : 0;
    element.style.fontSize = `${Math.floor(size * 100) / 100}px`;
  }

  private button(label: string, action: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", action);
    return button;
  }

  private box(tag: string, className: string, ...children: (Node | string)[]): HTMLElement {
    const element = document.createElement(tag);
    element.className = className;
    element.append(...children);
    return element;
  }
}

/** The bytes of an image, or an error that says what the page can do about it. */
async function load(src: string): Promise<ArrayBuffer> {
  if (src === "") throw new Error("This machine has no disk: the element needs a src attribute.");
  const answer = await fetch(new URL(src, document.baseURI)).catch(() => null);
  if (answer === null) throw new Error(`The disk image ${src} cannot be reached.`);
  if (!answer.ok) throw new Error(`The disk image ${src} cannot be loaded: the server answers ${answer.status}.`);
  const image = await answer.arrayBuffer();
  const start = new Uint8Array(image, 0, Math.min(2, image.byteLength));
  const isGzip = start[0] === 0x1f && start[1] === 0x8b; // RFC 1952, section 2.3.1
  if (!isGzip) return image;
  return new Response(new Blob([image]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

customElements.define("taiji-machine", TaijiMachine);
