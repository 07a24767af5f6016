/** One built site, one server and one Chromium for all tests of the pages. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { TaijiMachineElement } from "../../machine/hosts/page/api.ts";
import { buildSite } from "../../site/build.ts";
import { type SiteServer, serveSite } from "../../site/serve.ts";
import { openBrowser, type TestBrowser, watchForTrouble } from "./browser.ts";

const SECOND = 1000;
/** How long a page may take on a computer that does much else. */
export const PATIENCE = { timeout: 180 * SECOND };

export interface OpenPage {
  readonly page: Page;
  /** What the page did that it should not; a test ends by expecting none. */
  readonly trouble: readonly string[];
  /** What the machine element says of itself. */
  readonly read: (property: "state" | "screenText" | "serialText") => Promise<string>;
  /** Why the machine stands still; empty where there is no more to say than its state. */
  readonly reason: () => Promise<string>;
  /** The text of an open inspector, null where it is closed or not there. */
  readonly inspector: (name: string) => Promise<string | null>;
}

export class TestedSite {
  private constructor(
    private readonly folder: string,
    private readonly server: SiteServer,
    readonly browser: TestBrowser,
  ) {}

  static async start(): Promise<TestedSite> {
    const folder = mkdtempSync(join(tmpdir(), "taiji-site-"));
    await buildSite(folder, { liveReload: false, progress: () => {} });
    return new TestedSite(folder, await serveSite(folder, 0), await openBrowser());
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get url(): string {
    return this.server.url;
  }

  async open(name: string): Promise<OpenPage> {
    const page = await this.browser.context.newPage();
    const trouble = watchForTrouble(page, this.url);
    await page.goto(this.url + name);
    const element = page.locator("taiji-machine");
    return {
      page,
      trouble,
      read: (property) => element.evaluate((machine, name) => (machine as TaijiMachineElement)[name], property),
      reason: () => element.evaluate((machine) => machine.shadowRoot!.querySelector<HTMLElement>(".reason")!.innerText),
      inspector: (name) =>
        element.evaluate((found, part) => {
          const body = found.shadowRoot!.querySelector<HTMLElement>(`[part="${part}"]`);
          return body === null || !body.checkVisibility() ? null : body.innerText;
        }, name),
    };
  }
}
