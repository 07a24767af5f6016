/** The tests inside the kernel: each image of `kernel/tests/` in our machine and in QEMU, with one line for every test. */
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lacks } from "../requires.ts";
import { folderOf, readOutput, repository } from "./images.ts";
import { runInMachine } from "./machine.ts";
import { runInQemu } from "./qemu.ts";

/** Statuses of the debug exit, (code << 1) | 1, for the kernel's two exit codes. */
const PASSED = 33;
const FAILED = 35;

/** `a test's name... [ok]`, as the kernel's runner prints it. */
const RESULT = /^(.+)\.\.\. \[(ok|failed)\]$/;

/** Names of the images of a chapter, such as `units` and `should-panic`. */
export function testImages(chapter: number): string[] {
  const folder = `${repository}/${folderOf(chapter, null)}/tests`;
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Checks one run: its status, and a result for every test that it began. */
function expectPassed(where: string, image: string, serial: Uint8Array, status: number | null): void {
  const lines = new TextDecoder().decode(serial).split(/\r?\n/);
  const results = lines.flatMap((line) => {
    const [, name, result] = RESULT.exec(line) ?? [];
    return name === undefined ? [] : [{ name, result }];
  });
  for (const { name, result } of results) console.log(`${where}: ${image}: ${name}... [${result}]`);
  const story = `${lines.join("\n")}\n(${status === null ? "the time was over" : `status ${status}`})`;
  expect(status, story).not.toBe(FAILED);
  expect(status, story).toBe(PASSED);
  expect(results.length, story).toBeGreaterThan(0);
  expect(
    results.filter(({ result }) => result !== "ok"),
    story,
  ).toEqual([]);
}

export function testKernel(chapter: number): void {
  const images = testImages(chapter);
  if (images.length === 0) return;
  describe("tests in the kernel", () => {
    for (const image of images) {
      const disk = () => readOutput(chapter, null, `tests/${image}/disk.img`);
      test(`${image}, in our machine`, () => {
        const { serial, stop } = runInMachine(disk());
        expectPassed("machine", image, serial, stop.kind === "exit" ? stop.status : null);
      });
      test.skipIf(lacks("qemu-system-x86_64"))(`${image}, in QEMU`, async () => {
        const { serial, exit } = await runInQemu(disk());
        expectPassed("QEMU", image, serial, exit);
      });
    }
  });
}
