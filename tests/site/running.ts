/** A chapter's machine in its page: itself and every variant at a click, its kernel tests, its inspectors. */
import { describe, expect, test } from "vitest";
import type { TaijiMachineElement } from "../../machine/hosts/page/api.ts";
import type { TestedChapter } from "../chapters/chapters.ts";
import { readOutput } from "../chapters/images.ts";
import { testImages } from "../chapters/kernel-tests.ts";
import { runInMachine } from "../chapters/machine.ts";
import { matchLines } from "../chapters/match.ts";
import { type OpenPage, PATIENCE, type TestedSite } from "./site.ts";

/** Every machine has these panels, open or not. */
const PANELS = [
  ["registers", "Registers"],
  ["disassembly", "Next instructions"],
] as const;

/** Waits until the machine shows what the chapter, or a variant of it, says that it does. */
async function expectShown({ read, reason }: OpenPage, chapter: TestedChapter, variant: string | null): Promise<void> {
  const expected = chapter.expectations.filter((expectation) => expectation.variant === variant);
  for (const { kind, text } of expected) {
    if (kind === "exit") await expect.poll(reason, PATIENCE).toContain(`exit status ${text.trim()}.`);
    else {
      const property = kind === "screen" ? "screenText" : "serialText";
      await expect.poll(async () => matchLines(text, await read(property)), PATIENCE).toBeNull();
    }
  }
  await expect.poll(() => read("state"), PATIENCE).toMatch(/running|halted|stopped/);
}

/** `chapter` in its page. */
export function testRunning(site: () => TestedSite, chapter: TestedChapter): void {
  test("shows what the chapter says, and what each variant says at a click", async () => {
    const open = await site().open(chapter.page);
    const { page, read, trouble } = open;
    expect(await read("state")).toBe("off");
    await page.getByRole("button", { name: "Power on" }).click();
    await expectShown(open, chapter, null);
    for (const variant of chapter.variants) {
      await page.getByRole("button", { name: variant, exact: true }).click();
      await expectShown(open, chapter, variant);
      expect(await page.getByRole("button", { name: variant, exact: true }).getAttribute("aria-pressed")).toBe("true");
    }
    if (chapter.variants.length > 0) {
      await page.getByRole("button", { name: "this chapter", exact: true }).click();
      await expectShown(open, chapter, null);
    }
    expect(trouble).toEqual([]);
    await page.close();
  });

  test("pauses, steps, and shows registers that change and the lines of the book", async () => {
    const { page, read, inspector, trouble } = await site().open(chapter.page);
    for (const [name, title] of PANELS)
      if ((await inspector(name)) === null) await page.locator("taiji-machine summary", { hasText: title }).click();
    const step = page.getByRole("button", { name: "Step" });
    // Without power, "Step" switches the machine on and waits at its first instruction.
    await step.click();
    await expect.poll(() => read("state"), PATIENCE).toBe("paused");
    await expect.poll(() => inspector("registers"), PATIENCE).toContain("rip");
    const before = await inspector("registers");
    await step.click();
    await expect.poll(() => inspector("registers"), PATIENCE).not.toBe(before);
    await page.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => read("state"), PATIENCE).not.toBe("paused");
    await expect.poll(() => inspector("disassembly"), PATIENCE).toMatch(/chapter \d+, line \d+/);
    expect(trouble).toEqual([]);
    await page.close();
  });

  const images = testImages(chapter.number);
  if (images.length === 0) return; // chapters 1 to 3 have no tests in the kernel yet
  test("runs its kernel tests, with the results that they have in Node", async () => {
    const { page, trouble } = await site().open(chapter.page);
    await page.getByRole("button", { name: "Run this chapter's tests" }).click();
    const section = page.locator(".kernel-tests");
    await expect
      .poll(() => section.getByRole("status").textContent(), PATIENCE)
      .toBe(`${images.length} of ${images.length} images passed`);
    const shown = await section
      .locator("li")
      .evaluateAll((items) =>
        items.map((item) => [item.querySelector(".name")!.textContent, item.querySelector("pre")!.textContent]),
      );
    const inNode = images.map((name) => {
      const { serial } = runInMachine(readOutput(chapter.number, null, `tests/${name}/disk.img`));
      return [name, new TextDecoder().decode(serial)];
    });
    expect(shown.sort()).toEqual(inNode.sort());
    expect(trouble).toEqual([]);
    await page.close();
  });
}

/** What the inspectors of the later chapters show. */
export function testInspectors(site: () => TestedSite, all: readonly TestedChapter[]): void {
  const from = (number: number): TestedChapter | undefined => all.find((chapter) => chapter.number === number);
  const [exceptions, doubleFaults] = [from(5), from(6)];

  describe("inspectors", () => {
    test.skipIf(exceptions === undefined)("show the interrupt table after chapter 5's boot", async () => {
      const { page, read, inspector, trouble } = await site().open(exceptions!.page);
      await page.getByRole("button", { name: "Power on" }).click();
      await expect.poll(() => read("state"), PATIENCE).toBe("halted");
      if ((await inspector("idt")) === null) await page.getByText("Interrupt descriptor table").first().click();
      await expect.poll(() => inspector("idt"), PATIENCE).toMatch(/3\s+#BP breakpoint\s+kernel\/\S+\s+interrupt gate/);
      // A handler's name leads to the block that defines it.
      const link = page.locator("taiji-machine [part=idt] a").first();
      const target = await link.evaluate((a) => (a as HTMLAnchorElement).hash);
      expect(target).toMatch(/^#L\d+$/);
      expect(await page.locator(target).count()).toBe(1);
      expect(trouble).toEqual([]);
      await page.close();
    });

    test.skipIf(doubleFaults === undefined)(
      "show descriptors and stacks, and a triple fault its whole chain",
      async () => {
        const { page, read, reason, inspector, trouble } = await site().open(doubleFaults!.page);
        // Whatever the chapter opens by itself: here all are.
        await page.locator("taiji-machine details").evaluateAll((panels) => {
          for (const panel of panels as HTMLDetailsElement[]) {
            panel.hidden = false;
            panel.open = true;
          }
        });
        await page.getByRole("button", { name: "Power on" }).click();
        await expect.poll(() => read("state"), PATIENCE).toBe("halted");
        await expect.poll(() => inspector("gdt"), PATIENCE).toContain("64-bit TSS, busy");
        await expect.poll(() => inspector("tss"), PATIENCE).toMatch(/IST1\s+gates with stack 1\s+0xffffffff8/);
        await expect.poll(() => inspector("pic"), PATIENCE).toMatch(/1\s+keyboard/);
        await expect.poll(() => inspector("pit"), PATIENCE).toContain("18.21 Hz");
        await expect.poll(() => inspector("keyboard"), PATIENCE).toContain("interrupts for keys");
        await expect.poll(() => inspector("serial"), PATIENCE).toContain("baud");
        await page.getByRole("button", { name: "no-own-stack" }).click();
        await expect.poll(() => read("state"), PATIENCE).toBe("stopped");
        await expect.poll(reason, PATIENCE).toMatch(/at chapter 6, line \d+/);
        const story = await reason();
        expect(story).toContain("1. page fault, a write by the kernel, but no page is there");
        expect(story).toMatch(/PTE at physical 0x[0-9a-f]+ = 0x0 is not present/);
        expect(trouble).toEqual([]);
        await page.close();
      },
    );
  });

  /** Opens a chapter's page with one panel open, and switches its machine on. */
  const inspected = async (chapter: TestedChapter, name: string): Promise<OpenPage> => {
    const open = await site().open(chapter.page);
    await open.page.locator("taiji-machine").evaluate((element, part) => {
      const details = element.shadowRoot!.querySelector(`[part="${part}"]`)!.closest("details")!;
      details.hidden = false;
      details.open = true;
    }, name);
    await open.page.getByRole("button", { name: "Power on" }).click();
    return open;
  };

  describe("inspectors of memory", () => {
    const [paging, growing, heap, tasks] = [from(9), from(10), from(11), from(12)];
    test.skipIf(growing === undefined)("show blocks that come and go, in slow motion", async () => {
      const { page, read, inspector, trouble } = await site().open(growing!.page);
      const slowly = page.getByRole("button", { name: "Slowly" });
      await slowly.click();
      // All that the panel ever shows is kept: looks from outside may come too late for what passes.
      const shown = await page.locator("taiji-machine").evaluateHandle((machine) => {
        const texts: string[] = [];
        const panel = machine.shadowRoot!.querySelector<HTMLElement>("[part=heap]")!;
        const keep = (): unknown => texts.push(panel.innerText);
        new MutationObserver(keep).observe(panel, { childList: true, subtree: true, characterData: true });
        return texts;
      });
      const firstWith = (text: RegExp): Promise<number> =>
        shown.jsonValue().then((texts) => texts.findIndex((each) => text.test(each)));
      await page.getByRole("button", { name: "Power on" }).click();
      await expect.poll(() => firstWith(/in use\s+[1-9]\d* blocks?/), PATIENCE).toBeGreaterThan(0);
      const before = await firstWith(/no heap yet/);
      expect(before).toBeGreaterThanOrEqual(0);
      expect(before).toBeLessThan(await firstWith(/in use\s+[1-9]\d* blocks?/));
      await slowly.click();
      await expect.poll(() => read("state"), PATIENCE).toBe("halted");
      await expect.poll(() => inspector("heap"), PATIENCE).toContain("All that is free is one piece of 100 KiB");
      expect(trouble).toEqual([]);
      await page.close();
    });

    test.skipIf(paging === undefined)("walk any address, mark what refuses, and keep the tree unfolded", async () => {
      const { page, inspector, trouble } = await inspected(paging!, "pages");
      await expect
        .poll(() => inspector("pages"), PATIENCE)
        .toMatch(/rip = 0xffffffff8\w+ is physical 0x\w+, in a page of 4 KiB/);
      await page.getByLabel("The way of", { exact: true }).fill("0x1000");
      await page.keyboard.press("Enter");
      await expect
        .poll(() => inspector("pages"), PATIENCE)
        .toMatch(/P\w+E \d+\s+0x\w+\s+0x0\s+refuses everything: not present/);
      await page.getByLabel("The way of", { exact: true }).fill("kernel/print:writer");
      await page.keyboard.press("Enter");
      await expect
        .poll(() => inspector("pages"), PATIENCE)
        .toMatch(/the kernel\s+yes\s+yes\s+no: PTE \d+ is not executable/);
      await page.getByLabel("The way of", { exact: true }).fill("nowhere");
      await page.keyboard.press("Enter");
      expect(await page.getByText("That is no address").isVisible()).toBe(true);
      await page.locator("[part=pages] .tree .tree summary", { hasText: "0xffff800000000000" }).click();
      await page.getByRole("button", { name: "The way of the address in rsp" }).click();
      await expect.poll(() => inspector("pages"), PATIENCE).toContain("rsp = ");
      await expect.poll(() => inspector("pages"), PATIENCE).toContain("512 pages of 2 MiB");
      expect(trouble).toEqual([]);
      await page.close();
    });

    test.skipIf(paging === undefined)("show what memory is used for", async () => {
      const { page, inspector, trouble } = await inspected(paging!, "memory");
      // The loader's picture comes first: only the kernel's has the window.
      await expect
        .poll(() => inspector("memory"), PATIENCE)
        .toMatch(/0xffff800000000000\s+4 GiB\s+read, write\s+window on physical memory/);
      await expect.poll(() => inspector("memory"), PATIENCE).toMatch(/page tables\s+\d+ KiB/);
      await expect
        .poll(() => page.getByRole("img", { name: /Physical memory, [\d,]+ frames/ }).count(), PATIENCE)
        .toBe(1);
      expect(trouble).toEqual([]);
      await page.close();
    });

    test.skipIf(heap === undefined)("show the heap of the allocator that the kernel was built with", async () => {
      const { page, inspector, trouble } = await inspected(heap!, "heap");
      await expect
        .poll(() => inspector("heap"), PATIENCE)
        .toMatch(/FixedSizeBlockAllocator, 100 KiB from 0x444444440000/);
      await page.getByRole("button", { name: "bump", exact: true }).click();
      await expect.poll(() => inspector("heap"), PATIENCE).toMatch(/BumpAllocator, 100 KiB/);
      await expect.poll(() => inspector("heap"), PATIENCE).toMatch(/Fragmentation: \d+ %|Nothing is free/);
      expect(trouble).toEqual([]);
      await page.close();
    });

    test.skipIf(tasks === undefined)("show tasks that wait, and that they have run when a key comes", async () => {
      const { page, read, inspector, trouble } = await inspected(tasks!, "tasks");
      await expect.poll(() => inspector("tasks"), PATIENCE).toMatch(/keys\s+waiting at line \d+\s+\d+/);
      const polls = async (): Promise<number> =>
        Number(/keys\s+\D+ at line \d+\s+(\d+)/.exec((await inspector("tasks"))!)?.[1]);
      const before = await polls();
      await page.locator("taiji-machine").evaluate((machine) => (machine as TaijiMachineElement).type("abc"));
      await expect.poll(() => read("screenText"), PATIENCE).toContain("abc");
      await expect.poll(polls, PATIENCE).toBeGreaterThan(before);
      await expect.poll(() => inspector("tasks"), PATIENCE).toMatch(/executes [\d,]+ instructions a second/);
      await expect
        .poll(() => page.getByRole("img", { name: /keys ran in \d+ of the last \d+ looks/ }).count(), PATIENCE)
        .toBe(1);
      expect(trouble).toEqual([]);
      await page.close();
    });
  });

  describe("the keyboard", () => {
    const interrupts = from(7);
    test.skipIf(interrupts === undefined)(
      "types into chapter 7, gives the focus back, and its chips are shown",
      async () => {
        const { page, read, inspector, trouble } = await site().open(interrupts!.page);
        await page.getByRole("button", { name: "Power on" }).click();
        await expect.poll(() => read("screenText"), PATIENCE).toContain("Now type.");
        const screen = page.getByRole("region", { name: /Screen/ });
        await screen.click();
        // A key at a time, as fingers do it: "type" would send capitals without their shift key.
        await page.keyboard.press("Shift+H");
        await page.keyboard.type("ello, 42", { delay: 30 });
        await page.keyboard.press("Shift+1");
        await expect.poll(() => read("screenText"), PATIENCE).toContain("Hello, 42!");
        // While the screen has the focus Tab belongs to the machine, but not right after Escape.
        const focused = (): Promise<boolean> =>
          page
            .locator("taiji-machine")
            .evaluate((machine) => machine.shadowRoot!.activeElement?.tagName === "TEXTAREA");
        await page.keyboard.press("Tab");
        expect(await focused()).toBe(true);
        await page.keyboard.press("Escape");
        await page.keyboard.press("Tab");
        expect(await focused()).toBe(false);
        await page.locator("taiji-machine summary", { hasText: "Interrupt controllers" }).waitFor();
        await expect.poll(() => inspector("pic"), PATIENCE).toMatch(/0\s+timer\s+32\s+(open|in service)/);
        await expect
          .poll(() => inspector("pit"), PATIENCE)
          .toMatch(/0\s+IRQ 0\s+mode 2, rate generator\s+11,931\s+100/);
        expect(trouble).toEqual([]);
        await page.close();
      },
    );
  });
}
