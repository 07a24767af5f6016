/** The built site in a real browser: every chapter's page is read, and its machine used as a reader would. */
import { afterAll, beforeAll, describe } from "vitest";
import { chapters } from "../chapters/chapters.ts";
import { lacks } from "../requires.ts";
import { testReading } from "./reading.ts";
import { testInspectors, testRunning } from "./running.ts";
import { TestedSite } from "./site.ts";

describe.skipIf(lacks("chromium"))("the site in Chromium", () => {
  let site: TestedSite;
  // All kernels are built, and their screens drawn, where no earlier run has done it.
  beforeAll(async () => {
    site = await TestedSite.start();
  });
  afterAll(() => site?.stop());

  const all = chapters();
  describe.each(all)("chapter $number", (chapter) => testRunning(() => site, chapter));
  testInspectors(() => site, all);
  testReading(() => site, all);
});
