/** Runs the machine off the page's thread, in slices short enough to hear "pause" between them. */
import type { Machine, MachineEvent, StopReason } from "#machine/machine.ts";
import { inspect, type Questions } from "../../debug/inspection.ts";
import { KernelMemory } from "../../debug/structures.ts";
import { TaskWatch } from "../../debug/tasks.ts";
import { createMachine } from "../pc.ts";
import { Runner } from "../runner.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** Wall time between two pictures of the screen, in milliseconds. */
const FRAME_MS = 1000 / 60;
/** A sleeping guest is woken no sooner, and then catches up with all that was due meanwhile: waking is what costs. */
const NAP_MS = 30;
/** Wall time between two looks inside a running machine, in milliseconds. */
const INSPECTION_MS = 500;
/** The same in slow motion, which is there for looking. */
const SLOW_INSPECTION_MS = 160;
/** Wall time between two looks at the tasks of a running machine, whose time line is made of them. */
const LOOK_MS = 25;
/** After so many milliseconds without output or input a guest is idle: it may nap longer and is looked into less often. */
const IDLE_AFTER_MS = 1000;
const IDLE_NAP_MS = 120;
const IDLE_INSPECTION_MS = 3000;

type State = "off" | "running" | "paused" | "halted" | "stopped";

const scope = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let machine: Machine | null = null;
let runner: Runner | null = null;
let powerOn: (() => Machine) | null = null;
let state: State = "off";
/** In slow motion. */
let slow = false;
let serial: number[] = [];
let shownGeneration = -1;
let lastFrame = 0;
let questions: Questions | null = null;
let taskWatch = new TaskWatch();
let lastLook = 0;
let lastInspection = 0;
/** When the guest last showed something new or was given something. */
let lastSign = 0;
/** Instructions that the machine had executed when it was last looked at. */
let inspectedAt = -1;
/** Runs the next slice when the sleeping guest wakes by itself. */
let alarm: ReturnType<typeof setTimeout> | undefined;

/** A task of its own, so that messages get in between; `setTimeout` would be held to 4 ms. */
const channel = new MessageChannel();
channel.port1.onmessage = runSlice;

/** What there is to say of a state beyond its name. */
interface Why {
  readonly reason?: string;
  readonly exitStatus?: number;
  readonly event?: MachineEvent;
}

function enter(next: State, { reason, exitStatus, event }: Why = {}): void {
  state = next;
  stopAlarm();
  sendOutput(true);
  if (next !== "running") sendInspection();
  scope.postMessage({
    kind: "state",
    state: next,
    reason: reason ?? null,
    exitStatus: exitStatus ?? null,
    event: event ?? null,
    instructions: machine?.instructions ?? 0,
  });
  if (next === "running") channel.port2.postMessage(null);
}

/** What a stop means for the reader. */
function settle(stop: StopReason): void {
  switch (stop.kind) {
    case "budget":
      return;
    case "halted":
      // A guest that a device will wake is running: it only sleeps.
      if (stop.wakeAt === undefined) enter("halted");
      return;
    case "exit":
      enter("stopped", {
        reason: `The guest ended the machine with exit status ${stop.status}.`,
        exitStatus: stop.status,
      });
      return;
    case "breakpoint":
      enter("paused", { reason: `Breakpoint at 0x${stop.address.toString(16)}.` });
      return;
    case "stopped":
      enter("stopped", { reason: stop.event.message, event: stop.event });
      return;
  }
}

function runSlice(): void {
  stopAlarm();
  if (runner === null || state !== "running") return;
  const { stop, wait } = slow ? runner.slowSlice() : runner.slice();
  settle(stop);
  watchTasks();
  if (state !== "running" || wait === null) return;
  sendOutput(wait > FRAME_MS);
  const now = performance.now();
  const isIdle = !slow && now - lastSign > IDLE_AFTER_MS;
  const inspection = slow ? SLOW_INSPECTION_MS : isIdle ? IDLE_INSPECTION_MS : INSPECTION_MS;
  if (wait > inspection || now - lastInspection > inspection) sendInspection();
  if (wait > 0) alarm = setTimeout(runSlice, Math.max(wait, isIdle ? IDLE_NAP_MS : NAP_MS));
  else channel.port2.postMessage(null);
}

/** True where the guest was asleep. */
function stopAlarm(): boolean {
  const wasSet = alarm !== undefined;
  clearTimeout(alarm);
  alarm = undefined;
  return wasSet;
}

/** Hands input to the machine, and wakes it. */
function give(input: (to: Machine) => void): void {
  if (machine === null || state === "stopped") return;
  lastSign = performance.now();
  if (state !== "paused") runner?.catchUp();
  input(machine);
  if (state === "halted") enter("running");
  else if (stopAlarm()) channel.port2.postMessage(null);
}

/** Sends serial bytes, and the screen if it changed; not more often than the eye can follow unless `now`. */
function sendOutput(now: boolean): void {
  if (machine === null) return;
  if (!now && performance.now() - lastFrame < FRAME_MS) return;
  lastFrame = performance.now();
  if (serial.length > 0) {
    lastSign = lastFrame;
    scope.postMessage({ kind: "serial", bytes: Uint8Array.from(serial) });
    serial = [];
  }
  const screen = machine.screen;
  if (screen.generation === shownGeneration) return;
  shownGeneration = screen.generation;
  lastSign = lastFrame;
  const { row, column, visible } = screen.cursor;
  scope.postMessage({
    kind: "screen",
    cells: screen.cells.slice(),
    cursor: { row, column, visible },
    text: screen.text(),
  });
}

/** Lets the open inspectors see a machine that has moved since the last time. */
function sendInspection(): void {
  if (machine === null || questions === null || questions.wanted.size === 0 || machine.instructions === inspectedAt)
    return;
  lastInspection = performance.now();
  inspectedAt = machine.instructions;
  scope.postMessage({ kind: "inspection", inspection: inspect(machine, questions, taskWatch) });
}

/** What is not looked at in time is not on the time line. */
function watchTasks(): void {
  if (machine === null || questions?.wanted.has("tasks") !== true) return;
  const now = performance.now();
  if (now - lastLook < LOOK_MS) return;
  lastLook = now;
  taskWatch.look(machine, new KernelMemory(machine, questions.layout));
}

function power({ image, memory, clock, paused }: Extract<ToWorker, { kind: "power" }>): void {
  powerOn = () => {
    const fresh = createMachine({ image: new Uint8Array(image), memory, clock, startTime: Date.now() });
    fresh.onSerial = (byte) => serial.push(byte);
    return fresh;
  };
  start(paused);
}

function start(paused: boolean): void {
  if (powerOn === null) return;
  machine = powerOn();
  runner = new Runner(machine);
  serial = [];
  shownGeneration = -1;
  inspectedAt = -1;
  taskWatch = new TaskWatch();
  enter(paused ? "paused" : "running");
}

function step(count: number): void {
  if (machine === null || state === "stopped") return;
  for (let i = 0; i < count; i++) {
    let stop = machine.step();
    if (stop.kind === "halted" && stop.wakeAt !== undefined) {
      // A step out of sleep: what wakes the guest happens now.
      machine.passTime(stop.wakeAt);
      stop = machine.step();
    }
    if (stop.kind !== "budget") {
      settle(stop);
      return;
    }
  }
  enter("paused");
}

scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case "power":
      power(data);
      return;
    case "inspect":
      questions = data.questions;
      inspectedAt = -1;
      sendInspection();
      return;
    case "reset":
      start(state === "paused");
      return;
    case "pause":
      // Halted and stopped machines stand still already; say so again, so that the page's promise resolves.
      enter(state === "running" ? "paused" : state);
      return;
    case "resume":
      if (state !== "paused") return;
      runner?.resume();
      enter("running");
      return;
    case "slow":
      slow = data.slow;
      runner?.resume();
      return;
    case "step":
      step(data.count);
      return;
    case "type":
      give((to) => to.type(data.text));
      return;
    case "keys":
      give((to) => to.key(data.scanCodes));
      return;
  }
};
