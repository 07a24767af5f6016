/** Runs the machine off the page's thread, in slices short enough to hear "pause" between them. */
import { decode } from "#isa/decode.ts";
import { format } from "#isa/format.ts";
import type { Machine, StopReason } from "#machine/machine.ts";
import { createMachine } from "../pc.ts";
import type { FromWorker, RegisterFile, ToWorker } from "./protocol.ts";

/** Wall time of one slice, and between two pictures of the screen, in milliseconds. */
const SLICE_MS = 8;
const FRAME_MS = 1000 / 60;
/** Instructions run between two looks at the clock. */
const CHUNK = 20_000;
/** Instructions shown below the registers. */
const LISTED = 8;
const LONGEST_INSTRUCTION = 15;

type State = "off" | "running" | "paused" | "halted" | "stopped";

const scope = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let machine: Machine | null = null;
let powerOn: (() => Machine) | null = null;
let state: State = "off";
let serial: number[] = [];
let shownGeneration = -1;
let lastFrame = 0;

/** A task of its own, so that messages get in between; `setTimeout` would be held to 4 ms. */
const channel = new MessageChannel();
channel.port1.onmessage = runSlice;

function enter(next: State, reason: string | null = null, exitStatus: number | null = null): void {
  state = next;
  sendOutput(true);
  const still = machine !== null && next !== "running";
  scope.postMessage({
    kind: "state",
    state: next,
    reason,
    exitStatus,
    instructions: machine?.instructions ?? 0,
    registers: still ? registerFile(machine!) : null,
  });
  if (next === "running") channel.port2.postMessage(null);
}

/** What a stop means for the reader. */
function settle(stop: StopReason): void {
  switch (stop.kind) {
    case "budget":
      return;
    case "halted":
      enter("halted");
      return;
    case "exit":
      enter("stopped", `The guest ended the machine with exit status ${stop.status}.`, stop.status);
      return;
    case "breakpoint":
      enter("paused", `Breakpoint at 0x${stop.address.toString(16)}.`);
      return;
    case "stopped":
      enter("stopped", stop.event.message);
      return;
  }
}

function runSlice(): void {
  if (machine === null || state !== "running") return;
  const until = performance.now() + SLICE_MS;
  let stop: StopReason;
  do stop = machine.run(CHUNK);
  while (stop.kind === "budget" && performance.now() < until);
  settle(stop);
  if (state !== "running") return;
  sendOutput(false);
  channel.port2.postMessage(null);
}

/** Sends serial bytes, and the screen if it changed; not more often than the eye can follow unless `now`. */
function sendOutput(now: boolean): void {
  if (machine === null) return;
  if (!now && performance.now() - lastFrame < FRAME_MS) return;
  lastFrame = performance.now();
  if (serial.length > 0) {
    scope.postMessage({ kind: "serial", bytes: Uint8Array.from(serial) });
    serial = [];
  }
  const screen = machine.screen;
  if (screen.generation === shownGeneration) return;
  shownGeneration = screen.generation;
  const { row, column, visible } = screen.cursor;
  scope.postMessage({
    kind: "screen",
    cells: screen.cells.slice(),
    cursor: { row, column, visible },
    text: screen.text(),
  });
}

function registerFile(of: Machine): RegisterFile {
  const { mode, ...rest } = of.registers();
  const SEGMENTS = new Set(["cs", "ds", "es", "fs", "gs", "ss"]);
  const values = Object.entries(rest).map(([name, value]) => ({
    name,
    value: value as bigint,
    bits: SEGMENTS.has(name) ? (16 as const) : (64 as const),
  }));
  const base = mode === 64 ? 0n : of.codeBase();
  const code: RegisterFile["code"][number][] = [];
  let address = rest.rip;
  for (let i = 0; i < LISTED; i++) {
    const bytes = readCode(of, base + address);
    const instruction = decode(bytes, 0, mode);
    if (instruction.mnemonic === null) break;
    code.push({ address, bytes: bytes.slice(0, instruction.length), text: format(instruction, address) });
    address += BigInt(instruction.length);
  }
  return { values, mode, rip: rest.rip, code };
}

/** Up to 15 bytes; fewer at the end of mapped memory. */
function readCode(of: Machine, address: bigint): Uint8Array {
  for (let length = LONGEST_INSTRUCTION; length > 0; length--) {
    const bytes = of.readMemory(address, length);
    if (bytes !== null) return bytes;
  }
  return new Uint8Array(0);
}

function power(image: ArrayBuffer, memory: number, paused: boolean): void {
  powerOn = () => {
    const fresh = createMachine({ image: new Uint8Array(image), memory });
    fresh.onSerial = (byte) => serial.push(byte);
    return fresh;
  };
  start(paused);
}

function start(paused: boolean): void {
  if (powerOn === null) return;
  machine = powerOn();
  serial = [];
  shownGeneration = -1;
  enter(paused ? "paused" : "running");
}

function step(count: number): void {
  if (machine === null || state === "stopped") return;
  for (let i = 0; i < count; i++) {
    const stop = machine.step();
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
      power(data.image, data.memory, data.paused);
      return;
    case "reset":
      start(state === "paused");
      return;
    case "pause":
      // Halted and stopped machines stand still already; say so again, so that the page's promise resolves.
      enter(state === "running" ? "paused" : state);
      return;
    case "resume":
      if (state === "paused") enter("running");
      return;
    case "step":
      step(data.count);
      return;
    case "type":
      machine?.type(data.text);
      if (state === "halted") enter("running");
      return;
  }
};
