/** Runs a disk in a process of its own: QEMU, our machine in Node, v86 in Node. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { type GuestResult, Marks } from "./marks.ts";

/** Native QEMU without hardware virtualisation. */
export function runInQemu(disk: string, limit: number): Promise<GuestResult> {
  const begun = performance.now();
  const marks = new Marks(() => performance.now() - begun);
  const child = spawn(
    "qemu-system-x86_64",
    [
      ...["-accel", "tcg", "-m", "128", "-display", "none", "-nodefaults", "-serial", "stdio"],
      ...["-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", `format=raw,file=${disk},snapshot=on`],
    ],
    { stdio: ["ignore", "pipe", "ignore"], timeout: limit, killSignal: "SIGKILL" },
  );
  child.stdout.on("data", (bytes: Uint8Array) => {
    for (const byte of bytes) marks.take(byte);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(marks.result));
  });
}

/** A bundled program that prints its result as JSON, given the wall-clock time at which its process was started. */
function runProgram(path: string, before: readonly string[], after: readonly string[]): Promise<GuestResult> {
  const child = spawn(process.execPath, [path, ...before, String(Date.now()), ...after], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    errors += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => {
      // v86 prints notes of its own.
      const json = /\{"times".*\}/.exec(output)?.[0];
      resolve(json === undefined ? { times: {}, checksum: null, text: errors.slice(0, 500) } : JSON.parse(json));
    });
  });
}

export function runInNode(programs: string, disk: string, limit: number, engine: string | undefined) {
  return runProgram(join(programs, "guest-node.mjs"), [disk], [String(limit), ...(engine ? [engine] : [])]);
}

export function runV86InNode(programs: string, library: string, disk: string, limit: number) {
  return runProgram(join(programs, "v86-node.mjs"), [library, disk], [String(limit)]);
}
