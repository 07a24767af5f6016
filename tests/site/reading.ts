/** What pages do beside running a machine: they fit, can be linked, copied from, and coloured. */
import { expect, test } from "vitest";
import type { SearchIndex } from "../../site/render/search-index.ts";
import type { TestedChapter } from "../chapters/chapters.ts";
import { PATIENCE, type TestedSite } from "./site.ts";

const PHONE = { width: 360, height: 740 };

/** Every page of the site, by following the links of its cover. */
async function allPages(url: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const waiting = ["index.html"];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (pages.has(name)) continue;
    const text = await (await fetch(url + name)).text();
    pages.set(name, text);
    for (const [, target] of text.matchAll(/href="([\w-]+\.html)[#"]/g)) waiting.push(target!);
  }
  return pages;
}

export function testReading(site: () => TestedSite, chapters: readonly TestedChapter[]): void {
  const [first] = chapters;

  test("every page fits a phone", async () => {
    const { page } = await site().open("index.html");
    await page.setViewportSize(PHONE);
    for (const name of (await allPages(site().url)).keys()) {
      await page.goto(site().url + name, { waitUntil: "domcontentloaded" });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, name).toBeLessThanOrEqual(PHONE.width);
    }
    await page.close();
  });

  test("every link inside the site leads somewhere", async () => {
    const pages = await allPages(site().url);
    const broken: string[] = [];
    const others = new Map<string, boolean>();
    for (const [name, text] of pages) {
      for (const [, href] of text.matchAll(/<(?:a|link)\b[^>]*?\bhref="([^"]+)"/g)) {
        if (/^[a-z]+:/.test(href!)) continue;
        const [path, hash] = href!.split("#") as [string, string?];
        const target = path === "" ? text : pages.get(path);
        if (target === undefined) {
          if (!others.has(path)) others.set(path, (await fetch(new URL(path, site().url))).ok);
          if (others.get(path) !== true) broken.push(`${name} → ${href}`);
        } else if (hash !== undefined && !target.includes(`id="${decodeURIComponent(hash)}"`)) {
          broken.push(`${name} → ${href}`);
        }
      }
    }
    expect(pages.size).toBeGreaterThan(chapters.length);
    expect(broken).toEqual([]);
  });

  test("the cover shows the screen of each chapter, and says what is on it", async () => {
    const { page, trouble } = await site().open("index.html");
    const pictures = page.locator(".chapters img");
    expect(await pictures.count()).toBe(chapters.length);
    for (const picture of await pictures.all()) {
      await picture.scrollIntoViewIfNeeded();
      await expect
        .poll(() => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth), PATIENCE)
        .not.toBe(0);
      expect(await picture.getAttribute("alt")).toMatch(/^The screen of chapter \d+: ./);
    }
    expect(trouble).toEqual([]);
    await page.close();
  });

  test("the book is searched by keyboard alone", async () => {
    const { page, trouble } = await site().open(first!.page);
    await page.keyboard.press("/");
    const field = page.getByRole("searchbox");
    await field.waitFor();
    await page.keyboard.type("global descriptor table");
    await expect.poll(() => page.locator(".search-status").textContent(), PATIENCE).toMatch(/^\d+ sections?$/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#/);
    const target = new URL(page.url()).hash;
    expect(await page.locator(`[id="${decodeURIComponent(target.slice(1))}"]`).count()).toBe(1);
    await page.keyboard.press("/");
    await field.waitFor();
    await page.keyboard.press("Escape");
    expect(await page.locator("dialog[open]").count()).toBe(0);
    expect(trouble).toEqual([]);
    await page.close();
  });

  test("every section that the search knows is on its page, and pages without scripts offer no search", async () => {
    const { pages, sections } = (await (await fetch(`${site().url}search.json`)).json()) as SearchIndex;
    const texts = await Promise.all(pages.map(async ({ href }) => (await fetch(site().url + href)).text()));
    for (const [page, id] of sections) if (id !== "") expect(texts[page]).toContain(` id="${id}"`);
    for (const text of texts) expect(text).not.toMatch(/search-button|type="search"/);
  });

  test("light and dark can be switched and are kept", async () => {
    const { page } = await site().open(first!.page);
    const theme = (): Promise<string | undefined> => page.evaluate(() => document.documentElement.dataset.theme);
    await page.getByRole("button", { name: /Switch to dark/ }).click();
    expect(await theme()).toBe("dark");
    await page.reload();
    expect(await theme()).toBe("dark");
    await page.close();
  });

  test("code can be copied as it stands", async () => {
    const { page } = await site().open(first!.page);
    await site().browser.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: site().url });
    const block = page.locator("figure.block", { has: page.locator(".file") }).first();
    await block.getByRole("button", { name: "Copy" }).click();
    const copied = async (): Promise<string> => (await page.evaluate(() => navigator.clipboard.readText())).trimEnd();
    await expect
      .poll(copied, PATIENCE)
      .toBe((await block.locator("code .line").allTextContents()).join("\n").trimEnd());
    await page.close();
  });

  test("a guest that loops for ever leaves the page responsive", async () => {
    const { page, read } = await site().open(first!.page);
    // Chapter 1's variant that never sleeps.
    await page.getByRole("button", { name: "spin" }).click();
    await expect.poll(() => read("state"), PATIENCE).toBe("running");
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
    expect(await read("state")).toBe("running");
    await page.getByRole("button", { name: "Power off" }).click();
    expect(await read("state")).toBe("off");
    await page.close();
  });

  test("a missing disk is said in the element, and power() rejects", async () => {
    const { page, reason } = await site().open(first!.page);
    const rejection = await page.locator("taiji-machine").evaluate(async (element) => {
      const machine = element as HTMLElementTagNameMap["taiji-machine"];
      machine.src = "images/none.img";
      return machine.power().then(
        () => "no rejection",
        (error: Error) => error.message,
      );
    });
    expect(rejection).toContain("404");
    expect(await reason()).toContain("images/none.img");
    await page.close();
  });
}
