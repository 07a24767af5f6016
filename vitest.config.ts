import { defineConfig } from "vitest/config";
import { LongestFirst } from "./tests/longest-first.ts";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/setup.ts"],
    // Only what hangs is to be ended: on a busy computer the longest tests take minutes.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    // Two workers suit the smallest machine this is tested on; QEMU and Chromium run beside them.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});
