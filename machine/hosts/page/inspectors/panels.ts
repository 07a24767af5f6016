/** The inspectors of an element as panels that open and close, in the order in which they stand. */
import type { AskedAddress } from "../../../debug/address.ts";
import type { Inspection, Inspections, InspectorName } from "../../../debug/inspection.ts";
import type { Guide } from "../guide.ts";
import { disassembly } from "./disassembly.ts";
import { heap } from "./heap.ts";
import type { Inspector } from "./inspector.ts";
import { interruptControllers } from "./interrupt-controllers.ts";
import { interruptTable } from "./interrupt-table.ts";
import { keyboard } from "./keyboard.ts";
import { element, note } from "./markup.ts";
import { memory } from "./memory.ts";
import { pages } from "./pages.ts";
import { registers } from "./registers.ts";
import { segmentTable } from "./segment-table.ts";
import { serial } from "./serial.ts";
import { taskState } from "./task-state.ts";
import { tasks } from "./tasks.ts";
import { timer } from "./timer.ts";

const INSPECTORS = [
  registers,
  disassembly,
  interruptTable,
  segmentTable,
  taskState,
  pages,
  memory,
  heap,
  tasks,
  interruptControllers,
  timer,
  keyboard,
  serial,
] as unknown as readonly Inspector[];

/** These are there whatever the page asks for. */
const ALWAYS: ReadonlySet<string> = new Set(["registers", "disassembly", "serial"]);

const NO_POWER = "Switch the machine on to look inside.";

interface Panel {
  readonly inspector: Inspector;
  readonly details: HTMLDetailsElement;
  readonly body: HTMLElement;
  /** What it shows, and what it showed before the step that led here. */
  seen: Inspections[InspectorName] | null;
  before: Inspections[InspectorName] | null;
}

/** `changed` is called when panels were opened or closed, or asked for something else; `parse` understands addresses. */
export class InspectorPanels {
  readonly element = element("div", "inspectors");
  /** What the guest has sent over its serial line, in the panel of that name. */
  readonly serialOutput = element("pre", "serial");
  /** Whether what is shown next came from a step, and should be compared with what was shown before. */
  isStepping = false;
  /** The address whose way through the page tables is shown. */
  walk: AskedAddress = "rip";
  private readonly panels: readonly Panel[];

  constructor(changed: () => void, parse: (text: string) => AskedAddress | null) {
    const walk = (address: AskedAddress): void => {
      this.walk = address;
      changed();
    };
    this.panels = INSPECTORS.map((inspector) => {
      const details = element("details", "", element("summary", "", inspector.title)) as HTMLDetailsElement;
      const body = element("div", "body", note(NO_POWER));
      body.setAttribute("part", inspector.name);
      const controls = inspector.controls?.({ parse, walk });
      if (controls !== undefined) details.append(controls);
      details.append(body);
      if (inspector.name === "serial") body.after(this.serialOutput);
      details.addEventListener("toggle", changed);
      this.element.append(details);
      return { inspector, details, body, seen: null, before: null };
    });
    this.choose([], []);
  }

  /** Which panels there are beside those that always are, and which of them are open: these come first, in that order. */
  choose(there: readonly string[], open: readonly string[]): void {
    for (const { inspector, details } of this.panels) {
      const isOpen = open.includes(inspector.name);
      details.hidden = !isOpen && !ALWAYS.has(inspector.name) && !there.includes(inspector.name);
      details.open = isOpen;
    }
    const placeOf = ({ inspector }: Panel): number => {
      const place = open.indexOf(inspector.name);
      return place < 0 ? open.length : place;
    };
    const ordered = [...this.panels].sort((one, other) => placeOf(one) - placeOf(other));
    this.element.append(...ordered.map(({ details }) => details));
  }

  /** The inspectors whose panels are open. */
  get open(): Set<InspectorName> {
    return new Set(
      this.panels.filter(({ details }) => details.open && !details.hidden).map(({ inspector }) => inspector.name),
    );
  }

  show(inspection: Inspection, guide: Guide): void {
    for (const panel of this.panels) {
      const seen = inspection[panel.inspector.name];
      if (seen === undefined || same(seen, panel.seen)) continue;
      panel.before = this.isStepping ? panel.seen : null;
      panel.seen = seen;
      this.draw(panel, guide);
    }
  }

  /** Draws again what is shown, with what the guide has learnt since. */
  redraw(guide: Guide): void {
    for (const panel of this.panels) if (panel.seen !== null) this.draw(panel, guide);
  }

  private draw({ inspector, body, seen, before }: Panel, guide: Guide): void {
    const folds = foldsOf(body);
    const content = inspector.show(seen!, guide, before);
    body.replaceChildren(...content);
    restoreFolds(body, folds);
  }

  /** The machine has no power. */
  clear(): void {
    this.serialOutput.textContent = "";
    for (const panel of this.panels) {
      panel.seen = panel.before = null;
      panel.body.replaceChildren(note(NO_POWER));
    }
  }
}

interface Folds {
  readonly open: ReadonlyMap<string, boolean>;
  /** The key of the one that has the focus. */
  readonly focused: string | undefined;
}

const keyed = (body: HTMLElement): HTMLDetailsElement[] => [
  ...body.querySelectorAll<HTMLDetailsElement>("details[data-key]"),
];

/** Which parts of a panel are unfolded, by their keys: drawing it anew must not fold them. */
function foldsOf(body: HTMLElement): Folds {
  const open = new Map(keyed(body).map((details) => [details.dataset.key!, details.open]));
  const active = (body.getRootNode() as ShadowRoot).activeElement;
  const focused = active !== null && body.contains(active) ? active.closest<HTMLElement>("details[data-key]") : null;
  return { open, focused: focused?.dataset.key };
}

function restoreFolds(body: HTMLElement, { open, focused }: Folds): void {
  for (const details of keyed(body)) {
    const key = details.dataset.key!;
    details.open = open.get(key) ?? details.open;
    if (key === focused) details.querySelector("summary")?.focus({ preventScroll: true });
  }
}

/** Whether two things that were seen would be shown alike. */
function same(one: unknown, other: unknown): boolean {
  return key(one) === key(other);
}

function key(seen: unknown): string {
  return JSON.stringify(seen, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}
