/** The built site in a real browser: every chapter's page is read, its machine started, paused, stepped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {} from "../../machine/hosts/page/api.ts";
import { buildSite } from "../../site/build.ts";
import { type SiteServer, serveSite } from "../../site/serve.ts";
import { chapters } from "../chapters/chapters.ts";
import { matchLines } from "../chapters/match.ts";
import { lacks } from "../requires.ts";
import { openBrowser, type TestBrowser, watchForTrouble } from "./browser.ts";

const SECOND = 1000;

describe.skipIf(lacks("chromium"))("the site in Chromium", () => {
  let folder: string;
  let server: SiteServer;
  let browser: TestBrowser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "taiji-site-"));
    await buildSite({ output: folder, liveReload: false });
    server = await serveSite(folder, 0);
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(name: string): Promise<{ page: Page; trouble: string[] }> {
    const page = await browser.context.newPage();
    const trouble = watchForTrouble(page, server.url);
    await page.goto(server.url + name);
    return { page, trouble };
  }

  const screenText = (page: Page): Promise<string> =>
    page.locator("taiji-machine").evaluate((m) => (m as HTMLElementTagNameMap["taiji-machine"]).screenText);
  const state = (page: Page): Promise<string> =>
    page.locator("taiji-machine").evaluate((m) => (m as HTMLElementTagNameMap["taiji-machine"]).state);

  describe.each(chapters())("chapter $number", ({ page: name, expectations }) => {
    test("starts when the reader asks, and shows what the chapter says", async () => {
      const { page, trouble } = await open(name);
      expect(await state(page)).toBe("off");
      await page.getByRole("button", { name: "Power on" }).click();
      const expected = expectations.filter((e) => e.kind === "screen" && e.variant === null);
      for (const { text } of expected) {
        await expect.poll(async () => matchLines(text, await screenText(page)), { timeout: 60 * SECOND }).toBeNull();
      }
      await expect.poll(() => state(page), { timeout: 60 * SECOND }).toMatch(/running|halted/);
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("pauses, steps, and shows registers that change", async () => {
      const { page, trouble } = await open(name);
      const step = page.getByRole("button", { name: "Step" });
      // Without power, "Step" switches the machine on and waits at its first instruction.
      await step.click();
      await expect.poll(() => state(page)).toBe("paused");
      // Every chapter opens the registers' panel.
      const registers = page.locator("taiji-machine .registers");
      await expect.poll(() => registers.count()).toBe(1);
      const before = await registers.textContent();
      await step.click();
      await expect.poll(() => registers.textContent()).not.toBe(before);
      await page.getByRole("button", { name: "Resume" }).click();
      await expect.poll(() => state(page)).not.toBe("paused");
      expect(before).toContain("rip");
      expect(trouble).toEqual([]);
      await page.close();
    });

    test("fits a phone", async () => {
      const { page } = await open(name);
      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(360);
      await page.close();
    });
  });

  test("a guest that loops for ever leaves the page responsive", async () => {
    const { page } = await open(chapters()[0]!.page);
    // Chapter 1's variant that never sleeps.
    await page.getByRole("button", { name: "spin" }).click();
    await expect.poll(() => state(page)).toBe("running");
    // The page's own thread must answer while the worker is busy: a frame comes soon.
    const frames = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let count = 0;
          const tick = (): void => {
            count++;
            if (count === 10) resolve(count);
            else requestAnimationFrame(tick);
          };
          requestAnimationFrame(tick);
        }),
    );
    expect(frames).toBe(10);
    expect(await state(page)).toBe("running");
    await page.getByRole("button", { name: "Power off" }).click();
    expect(await state(page)).toBe("off");
    await page.close();
  });

  test("light and dark can be switched and are kept", async () => {
    const { page } = await open(chapters()[0]!.page);
    const theme = (): Promise<string | undefined> => page.evaluate(() => document.documentElement.dataset.theme);
    await page.getByRole("button", { name: /Switch to dark/ }).click();
    expect(await theme()).toBe("dark");
    await page.reload();
    expect(await theme()).toBe("dark");
    await page.close();
  });

  test("code can be copied as it stands", async () => {
    const { page } = await open(chapters()[0]!.page);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.url });
    const block = page.locator("figure.block", { has: page.locator(".file") }).first();
    await block.getByRole("button", { name: "Copy" }).click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.trimEnd()).toBe((await block.locator("code .line").allTextContents()).join("\n").trimEnd());
    await page.close();
  });

  test("every link inside the site leads somewhere", async () => {
    const { page } = await open("index.html");
    const pages = [
      "index.html",
      ...(await page
        .locator("main a")
        .evaluateAll((links) => links.map((a) => (a as HTMLAnchorElement).getAttribute("href")!))),
    ];
    const broken: string[] = [];
    for (const name of pages) {
      await page.goto(server.url + name);
      const links = await page.locator("a[href]").evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href));
      for (const link of new Set(links.filter((href) => href.startsWith(server.url)))) {
        const url = new URL(link);
        const answer = await page.request.get(url.origin + url.pathname);
        if (!answer.ok()) broken.push(`${name} → ${link}`);
        else if (url.hash !== "" && !(await answer.text()).includes(`id="${decodeURIComponent(url.hash.slice(1))}"`)) {
          broken.push(`${name} → ${link}`);
        }
      }
    }
    expect(broken).toEqual([]);
    await page.close();
  });

  test("a missing disk is said in the element, and power() rejects", async () => {
    const { page } = await open(chapters()[0]!.page);
    const reason = await page.locator("taiji-machine").evaluate(async (element) => {
      const machine = element as HTMLElementTagNameMap["taiji-machine"];
      machine.src = "images/none.img";
      return machine.power().then(
        () => "no rejection",
        (error: Error) => error.message,
      );
    });
    expect(reason).toContain("404");
    expect(await page.locator("taiji-machine").getByRole("alert").textContent()).toContain("images/none.img");
    await page.close();
  });
});
