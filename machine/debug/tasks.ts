/** The tasks of a cooperative kernel: what each does now, and what they did in the last seconds. */
import type { Machine } from "#machine/machine.ts";
import type { KernelMemory, Structure } from "./structures.ts";

/** `ran`: it was polled since the look before. `ready`: it has been woken and waits for its turn. */
export type TaskActivity = "running" | "ran" | "ready" | "waiting";

export interface TaskReading {
  /** Its place among the executor's tasks, which is its waker's number too. */
  readonly number: number;
  readonly name: string;
  readonly activity: TaskActivity;
  readonly polls: number;
  /** The async function that it runs: `kernel/keyboard:printKeys`; null where it cannot be told. */
  readonly code: string | null;
  /** The line of that function at which it waits or would go on; null where it cannot be told. */
  readonly line: number | null;
}

/** What the tasks did at one time. */
export interface TaskLook {
  /** Guest time in nanoseconds. */
  readonly time: number;
  /** What the processor had executed by then. */
  readonly instructions: number;
  readonly activities: Readonly<Record<number, TaskActivity>>;
}

export interface TasksView {
  readonly tasks: readonly TaskReading[];
  /** Ascending by time; the last one is now. */
  readonly looks: readonly TaskLook[];
  /** Instructions in a second of the guest, over the last one or two; null where nobody has looked for so long. */
  readonly rate: number | null;
  /** Names of tasks that have finished since the first look, by number. */
  readonly finished: Readonly<Record<number, string>>;
}

/** How long the time line is, in nanoseconds of the guest, and how many looks at most it is made of. */
export const TIME_LINE = 10e9;
const MOST_LOOKS = 400;
const SECOND = 1e9;

type Watched = Pick<Machine, "time" | "instructions" | "readMemory">;

/** Looks at the tasks again and again. The looks change nothing of the machine. */
export class TaskWatch {
  private looks: TaskLook[] = [];
  private tasks: readonly TaskReading[] = [];
  private readonly names = new Map<number, string>();
  private polls = new Map<number, number>();

  /** Looks now; false where the kernel has no executor yet. */
  look(machine: Watched, kernel: KernelMemory): boolean {
    const found = readTasks(kernel);
    if (found === null) return false;
    this.tasks = found.map((task) => {
      const ran = task.polls !== (this.polls.get(task.number) ?? task.polls);
      return ran && task.activity === "waiting" ? { ...task, activity: "ran" } : task;
    });
    this.polls = new Map(found.map(({ number, polls }) => [number, polls]));
    for (const { number, name } of found) this.names.set(number, name);
    const { time, instructions } = machine;
    const activities = Object.fromEntries(this.tasks.map(({ number, activity }) => [number, activity]));
    this.looks.push({ time, instructions, activities });
    const first = this.looks.findIndex((look) => look.time >= time - TIME_LINE);
    this.looks = this.looks.slice(Math.max(first, this.looks.length - MOST_LOOKS));
    return true;
  }

  /** What was seen up to now; null where there are no tasks. */
  view(): TasksView | null {
    if (this.looks.length === 0) return null;
    const alive = new Set(this.tasks.map(({ number }) => number));
    const gone = [...this.names].filter(([number]) => !alive.has(number) && this.wasSeen(number));
    return { tasks: this.tasks, looks: this.looks, rate: this.rate(), finished: Object.fromEntries(gone) };
  }

  private rate(): number | null {
    const now = this.looks.at(-1)!;
    const from = this.looks.findLast(({ time }) => time <= now.time - SECOND);
    return from === undefined ? null : ((now.instructions - from.instructions) * SECOND) / (now.time - from.time);
  }

  private wasSeen(number: number): boolean {
    return this.looks.some(({ activities }) => activities[number] !== undefined);
  }
}

/** The live tasks of the executor; null where the kernel has none. */
function readTasks(kernel: KernelMemory): TaskReading[] | null {
  const places = kernel.find("Executor")?.field("tasks");
  if (places == null) return null;
  const ready = kernel.named("kernel/ready:ready")?.value() ?? 0n;
  return places.elements().flatMap((place, number) => {
    const task = place.target();
    if (task === null) return [];
    const code = codeOf(task, kernel);
    return {
      number,
      name: task.field("name")?.text() ?? `task ${number}`,
      activity: activityOf(task, ((ready >> BigInt(number)) & 1n) === 1n),
      polls: Number(task.field("polls")?.value() ?? 0n),
      code,
      line: code === null ? null : lineOf(task, code, kernel),
    };
  });
}

/** An interrupt that wakes a task only sets its bit; the executor keeps the rest. */
function activityOf(task: Structure, isWoken: boolean): TaskActivity {
  const state = task.field("state")?.member()?.toLowerCase();
  if (state === "running") return "running";
  return isWoken || state === "ready" ? "ready" : "waiting";
}

/** A promise is the address of its frame and that of its method table, which is named after its function. */
function codeOf(task: Structure, kernel: KernelMemory): string | null {
  const table = task.field("promise")?.word(1) ?? null;
  const symbol = kernel.layout.objects.find(({ address }) => address === table);
  return symbol?.name.replace(/\.promise$/, "") ?? null;
}

/** The first byte of a promise's frame says in which state it is, and each state waits at a line. */
function lineOf(task: Structure, code: string, kernel: KernelMemory): number | null {
  const frame = task.field("promise")?.word(0) ?? null;
  const state = frame === null ? null : (kernel.read(frame, 1)?.[0] ?? null);
  const states = kernel.layout.frames.find((candidate) => candidate.function === code)?.states;
  return state === null ? null : (states?.[state]?.line ?? null);
}
