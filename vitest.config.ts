import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    globalSetup: ["tests/setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two workers suit the smallest machine this is tested on; QEMU and Chromium run beside them.
    maxWorkers: 2,
  },
});
