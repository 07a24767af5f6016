/** The grammar matrix: every node type of TypeScript's grammar is compiled, or rejected with a numbered rule. */
import { parse } from "@babel/parser";
import { ALIAS_KEYS, TYPES, traverseFast } from "@babel/types";
import { describe, expect, it } from "vitest";
import { check } from "../../tangle/compiler/frontend/check.ts";
import { RULES } from "../../tangle/compiler/frontend/diagnostics.ts";
import { PARSER_OPTIONS } from "../../tangle/compiler/frontend/parse.ts";
import { NEVER_PARSED, SAMPLES, withContext } from "./grammar-samples.ts";
import { FRAME, mistakes } from "./kernel-source.ts";

const ALIASES: Readonly<Record<string, readonly string[] | undefined>> = ALIAS_KEYS;
const NODE_TYPES = TYPES.filter((type) => {
  const aliases = ALIASES[type];
  return aliases !== undefined && !/^(JSX|Flow)/.test(type) && !aliases.some((alias) => /^(JSX|Flow)/.test(alias));
});

const OTHER = { path: "kernel/other.ts", text: "export function shared(): u32 { return 1; }" };

describe("the grammar matrix", () => {
  it("has a sample of every node type", () => {
    const missing = NODE_TYPES.filter((type) => !(type in NEVER_PARSED) && (SAMPLES[type]?.length ?? 0) === 0);
    expect(missing).toEqual([]);
    expect(Object.keys(SAMPLES).filter((type) => !NODE_TYPES.includes(type))).toEqual([]);
  });

  for (const [type, samples] of Object.entries(SAMPLES)) {
    for (const sample of samples) {
      it(`${type}: ${sample.text.replaceAll("\n", " ")} → ${sample.outcome}`, () => {
        const text = withContext(sample) + FRAME;
        if (sample.outcome !== "KT1001" && !(type in NEVER_PARSED)) {
          expect(nodeTypes(text)).toContain(type);
        }
        const { program, diagnostics } = check([{ path: "kernel/main.ts", text }, OTHER], {
          entryFile: "kernel/main.ts",
          chapter: 3,
        });
        const codes = diagnostics.map((diagnostic) => diagnostic.code);
        expect(codes.every((code) => code in RULES)).toBe(true);
        expect(diagnostics.every(({ place, hint }) => place.line > 0 && place.column > 0 && hint)).toBe(true);
        if (sample.outcome === "compiles") {
          expect(diagnostics).toEqual([]);
          expect(program).not.toBeNull();
        } else {
          expect(codes).toContain(sample.outcome);
        }
      });
    }
  }

  it("rejects a line for an interpreter", () => {
    expect(mistakes("#!/usr/bin/env node\n")).toEqual(["KT1028 1:1"]);
  });
});

function nodeTypes(text: string): Set<string> {
  const found = new Set<string>();
  traverseFast(parse(text, PARSER_OPTIONS), (node) => {
    found.add(node.type);
  });
  return found;
}
