/** The tasks of a cooperative kernel, each with what it did in the last seconds. */
import { type TaskActivity, type TaskLook, type TaskReading, type TasksView, TIME_LINE } from "../../../debug/tasks.ts";
import type { Guide } from "../guide.ts";
import { swatch } from "./cell-map.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, note, table } from "./markup.ts";

const NAMES: Readonly<Record<TaskActivity, string>> = {
  running: "running",
  ran: "has just run",
  ready: "ready",
  waiting: "waiting",
};

/** The classes of the style sheet; a task that runs or has just run is the same on the line. */
const KINDS: Readonly<Record<TaskActivity, string>> = {
  running: "task-ran",
  ran: "task-ran",
  ready: "task-ready",
  waiting: "task-waiting",
};

export const tasks: Inspector<"tasks"> = inspector({
  name: "tasks",
  title: "Tasks",
  show({ view }, guide) {
    if (view === null) return [note("The kernel has no tasks yet.")];
    const { tasks, looks, finished } = view;
    const seconds = TIME_LINE / 1e9;
    const rows = [...tasks.map((task) => taskRow(task, looks, guide)), ...finishedRows(finished, looks)];
    if (rows.length === 0) return [note("The executor has no tasks.")];
    const headings = ["Task", "State", "Polls", `The last ${seconds} seconds`];
    return [table("The executor's tasks", headings, rows), legend(view), ...effort(view)];
  },
});

function taskRow(task: TaskReading, looks: readonly TaskLook[], guide: Guide): Content[] {
  const { number, name, activity, polls, code, line } = task;
  const place = code === null || line === null ? null : guide.lineOf(`${code}.poll`, line);
  const label = element("span", "", name);
  if (code !== null) label.title = code;
  return [
    label,
    element(
      "span",
      "",
      activity === "waiting" ? element("span", "quiet", NAMES[activity]) : element("strong", "", NAMES[activity]),
      ...(place === null ? [] : [" at ", place]),
    ),
    polls.toLocaleString("en"),
    timeLine(number, name, looks),
  ];
}

function finishedRows(finished: TasksView["finished"], looks: readonly TaskLook[]): Content[][] {
  return Object.entries(finished).map(([number, name]) => [
    name,
    element("span", "quiet", "finished"),
    "",
    timeLine(Number(number), name, looks),
  ]);
}

const SVG = "http://www.w3.org/2000/svg";
/** Units of the drawing: its width is the whole time line. */
const WIDTH = 400;
const HEIGHT = 12;

/** From left to right up to now. Each look holds until the next. */
function timeLine(number: number, name: string, looks: readonly TaskLook[]): SVGElement {
  const now = looks.at(-1)!.time;
  const x = (time: number): number => Math.round(((WIDTH * (time - now + TIME_LINE)) / TIME_LINE) * 10) / 10;
  const paths = new Map<string, string>();
  let ran = 0;
  for (const [index, { time, activities }] of looks.entries()) {
    const activity = activities[number];
    if (activity === undefined) continue;
    if (activity === "ran" || activity === "running") ran++;
    // What ran did so since the look before, and is drawn wide enough to be seen.
    const isRan = KINDS[activity] === KINDS.ran;
    const from = isRan ? Math.min(x(looks[index - 1]?.time ?? time), x(time) - 1.5) : x(time);
    const to = isRan ? x(time) : x(looks[index + 1]?.time ?? now);
    const kind = KINDS[activity];
    const height = kind === "task-waiting" ? 2 : HEIGHT;
    const path = `M${from} ${HEIGHT - height}h${Math.max(0, Math.round((to - from) * 10) / 10)}v${height}H${from}z`;
    paths.set(kind, (paths.get(kind) ?? "") + path);
    if (isRan)
      paths.set(
        KINDS.waiting,
        `${paths.get(KINDS.waiting) ?? ""}M${to} ${HEIGHT - 2}H${x(looks[index + 1]?.time ?? now)}v2H${to}z`,
      );
  }
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("class", "time-line");
  svg.setAttribute("role", "img");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-label", `${name} ran in ${ran} of the last ${looks.length} looks`);
  for (const [kind, d] of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    path.setAttribute("class", `kind-${kind}`);
    svg.append(path);
  }
  return svg;
}

/** What all of it costs, idling included. */
function effort({ rate }: TasksView): HTMLElement[] {
  const count = rate === null ? null : Math.round(rate).toLocaleString("en");
  return count === null ? [] : [note(`The processor executes ${count} instructions a second at present.`)];
}

function legend({ tasks }: TasksView): HTMLElement {
  const busy = tasks.filter(({ activity }) => activity !== "waiting").length;
  const say = busy === 0 ? "All wait: the processor may sleep." : `${busy} of ${tasks.length} do not wait.`;
  const key = (kind: string, text: string): HTMLElement => element("span", "legend", swatch(kind), text);
  return note(say, " ", key("task-ran", "ran"), key("task-ready", "ready"), key("task-waiting", "waiting"));
}
