/** "Run this chapter's tests": each kernel test's image in a machine of its own, out of sight, one after the other. */
import type { TaijiMachineElement, TaijiOutputDetail, TaijiStateDetail } from "../../machine/hosts/page/api.ts";

/** What a guest's debug exit means: (value << 1) | 1 with value 0x10. Chapter 4 decides on the values. */
const PASSED = 33;
/** A test that says nothing for so long has failed, in milliseconds. */
const PATIENCE = 60_000;

interface Outcome {
  readonly passed: boolean;
  readonly text: string;
}

/** Boots an image until it ends the machine, halts for ever, faults, or takes too long. */
function runImage(image: string, onOutput: (text: string) => void): Promise<Outcome> {
  const machine: TaijiMachineElement = document.createElement("taiji-machine");
  machine.src = image;
  return new Promise<Outcome>((resolve) => {
    const finish = (passed: boolean, text: string): void => {
      clearTimeout(timer);
      resolve({ passed, text });
    };
    const timer = setTimeout(() => finish(false, "took too long"), PATIENCE);
    machine.addEventListener("output", (event) => onOutput((event as CustomEvent<TaijiOutputDetail>).detail.text));
    machine.addEventListener("statechange", (event) => {
      const { state, exitStatus, reason } = (event as CustomEvent<TaijiStateDetail>).detail;
      if (state !== "stopped") return;
      if (exitStatus === PASSED) finish(true, "passed");
      else finish(false, exitStatus === null ? (reason ?? "stopped") : `failed with exit status ${exitStatus}`);
    });
    machine.power().catch((error: Error) => finish(false, error.message));
  }).finally(() => machine.powerOff());
}

async function runAll(section: HTMLElement): Promise<void> {
  const list = section.querySelector("ol")!;
  const summary = section.querySelector(".summary")!;
  const items = [...list.querySelectorAll("li")];
  list.hidden = false;
  let passed = 0;
  for (const [index, item] of items.entries()) {
    const result = item.querySelector(".result")!;
    const output = item.querySelector("pre")!;
    summary.textContent = `running ${index + 1} of ${items.length}`;
    output.textContent = "";
    result.textContent = "running";
    const outcome = await runImage(item.dataset.image ?? "", (text) => output.append(text));
    result.textContent = outcome.text;
    result.className = `result ${outcome.passed ? "passed" : "failed"}`;
    if (outcome.passed) passed++;
  }
  summary.textContent = `${passed} of ${items.length} images passed`;
}

/** Gives the section of a chapter's kernel tests its button's work. */
export function addTestButton(): void {
  for (const section of document.querySelectorAll<HTMLElement>(".kernel-tests")) {
    const button = section.querySelector("button");
    button?.addEventListener("click", async () => {
      button.disabled = true;
      await runAll(section);
      button.disabled = false;
    });
  }
}
