/** Expectation blocks against printed lines. */
import { describe, expect, test } from "vitest";
import { matchLines } from "./match.ts";

describe("an expectation", () => {
  test("matches the same lines, whatever blanks end them", () => {
    expect(matchLines("Hello World!\n", "Hello World!   \n\n\n")).toBeNull();
  });

  test("matches any lines, also none, at `...`", () => {
    expect(matchLines("a\n...\nz", "a\nb\nc\nz")).toBeNull();
    expect(matchLines("a\n...\nz", "a\nz")).toBeNull();
    expect(matchLines("...\nz", "z\ny\nz")).toBeNull();
    expect(matchLines("a\n...", "a\nb")).toBeNull();
  });

  test("does not match other, missing or further lines", () => {
    expect(matchLines("a", "b")).toContain('"a"');
    expect(matchLines("a\nb", "a")).toContain("nothing more");
    expect(matchLines("a", "a\nb")).toContain('"b"');
    expect(matchLines("a\n...\nz", "a\nb")).not.toBeNull();
    expect(matchLines("", "a")).not.toBeNull();
  });

  test("names the farthest line that could be reached", () => {
    expect(matchLines("...\nb\nc", "a\nb\nd")).toMatch(
      /^line 3 of the expectation: "c"\nline 3 of what was printed: "d"/,
    );
  });
});
