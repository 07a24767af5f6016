/** The difference of two texts: whatever they are, it leads from one to the other; and it reads well. */

import { describe, expect, test } from "vitest";
import { diff, type Edit, hunksOf, settle, slack } from "../../tangle/literate/diff.ts";
import fc from "../properties.ts";

const RUNS = { numRuns: Number(process.env.TAIJI_RUNS ?? 1000) };

/** Texts of few different lines, so that most lines stand more than once, and texts that share much. */
const few = fc.array(fc.constantFrom("", "}", "a", "b", "c"), { maxLength: 30 });
const many = fc.array(fc.oneof(fc.constantFrom("", "}"), fc.nat(40).map(String)), { maxLength: 40 });
const pairs = fc.oneof(
  fc.tuple(few, few),
  fc.tuple(many, many),
  fc
    .tuple(many, fc.array(fc.tuple(fc.nat(40), fc.nat(3), fc.array(fc.constantFrom("", "}", "new"), { maxLength: 3 }))))
    .map(([text, changes]): [string[], string[]] => {
      const edited = [...text];
      for (const [at, removed, added] of changes) edited.splice(at, removed, ...added);
      return [text, edited];
    }),
);

function apply(before: readonly string[], after: readonly string[], edits: readonly Edit[]): string[] {
  const text = [...before];
  for (const { oldStart, oldEnd, newStart, newEnd } of [...edits].reverse())
    text.splice(oldStart, oldEnd - oldStart, ...after.slice(newStart, newEnd));
  return text;
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const line of a) {
    const next = [0];
    for (const [j, other] of b.entries()) next.push(line === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  return row.at(-1)!;
}

describe("the edits between any two texts", () => {
  test("make the second of the first, also when they are moved to read well", () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const edits = diff(before, after);
        expect(apply(before, after, edits)).toEqual(after);
        expect(apply(before, after, settle(before, after, edits))).toEqual(after);
      }),
      RUNS,
    );
  });

  test("ascend, change something each, and leave a line between them", () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const edits = diff(before, after);
        for (const list of [edits, settle(before, after, edits)]) {
          for (const [index, edit] of list.entries()) {
            const last = list[index - 1];
            expect(edit.oldEnd - edit.oldStart + edit.newEnd - edit.newStart).toBeGreaterThan(0);
            if (last === undefined) expect(edit.oldStart).toBe(edit.newStart);
            else {
              expect(edit.oldStart).toBeGreaterThan(last.oldEnd);
              expect(edit.newStart - last.newEnd).toBe(edit.oldStart - last.oldEnd);
            }
          }
        }
      }),
      RUNS,
    );
  });

  test("are as short as can be where no line stands once in both texts", () => {
    fc.assert(
      fc.property(few, few, (a, b) => {
        // The ends differ, so that no line of either text is set apart by what it begins or ends with.
        const [before, after] = [
          ["(", ...a, ...a, ")"],
          ["[", ...b, ...b, "]"],
        ];
        const kept = before.length - diff(before, after).reduce((sum, edit) => sum + edit.oldEnd - edit.oldStart, 0);
        expect(kept).toBe(longestCommon(before, after));
      }),
      RUNS,
    );
  });

  test("mean the same wherever their slack lets them stand", () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const edits = diff(before, after);
        for (const [index, edit] of edits.entries()) {
          const { up, down } = slack(before, after, edits, index);
          for (let move = -up; move <= down; move++) {
            const moved = {
              oldStart: edit.oldStart + move,
              oldEnd: edit.oldEnd + move,
              newStart: edit.newStart + move,
              newEnd: edit.newEnd + move,
            };
            expect(apply(before, after, edits.toSpliced(index, 1, moved))).toEqual(after);
          }
        }
      }),
      RUNS,
    );
  });

  test("stand in hunks that hold each of them once, with three lines around them and no line twice", () => {
    fc.assert(
      fc.property(pairs, ([before, after]) => {
        const edits = diff(before, after);
        const hunks = hunksOf(edits, before.length);
        expect(hunks.flatMap((hunk) => hunk.edits)).toEqual(edits);
        for (const [index, hunk] of hunks.entries()) {
          const [first, last] = [hunk.edits[0]!, hunk.edits.at(-1)!];
          expect(first.oldStart - hunk.oldStart).toBe(Math.min(3, first.oldStart));
          expect(hunk.oldEnd - last.oldEnd).toBe(Math.min(3, before.length - last.oldEnd));
          expect(first.newStart - hunk.newStart).toBe(first.oldStart - hunk.oldStart);
          expect(hunk.newEnd - last.newEnd).toBe(hunk.oldEnd - last.oldEnd);
          if (index > 0) expect(hunk.oldStart).toBeGreaterThan(hunks[index - 1]!.oldEnd);
        }
      }),
      RUNS,
    );
  });
});

describe("the difference reads well", () => {
  const shown = (before: string, after: string): string[] => {
    const [a, b] = [before.split("\n"), after.split("\n")];
    const edits = settle(a, b, diff(a, b));
    return edits.flatMap((edit) => [
      ...a.slice(edit.oldStart, edit.oldEnd).map((line) => `-${line}`),
      ...b.slice(edit.newStart, edit.newEnd).map((line) => `+${line}`),
    ]);
  };

  test("a new function comes whole, with one empty line, not with its neighbour's brace", () => {
    const before = "f() {\n  x;\n}\n\ng() {\n  y;\n}";
    const after = "f() {\n  x;\n}\n\nh() {\n  z;\n}\n\ng() {\n  y;\n}";
    expect(shown(before, after)).toEqual(["+h() {", "+  z;", "+}", "+"]);
    expect(shown(after, before)).toEqual(["-h() {", "-  z;", "-}", "-"]);
  });

  test("functions that change places are not matched brace by brace", () => {
    expect(
      shown("f() {\n  a;\n}\n\ng() {\n  b;\n}", "g() {\n  b;\n}\n\nf() {\n  a;\n}").filter((l) => l === "-}"),
    ).toHaveLength(1);
  });

  test("a text that has nothing in common with the other is replaced as a whole", () => {
    expect(diff(["a", "b"], ["c"])).toEqual([{ oldStart: 0, oldEnd: 2, newStart: 0, newEnd: 1 }]);
    expect(diff([], [])).toEqual([]);
  });

  test("thousands of changed lines come to an end", () => {
    const before = Array.from({ length: 4000 }, (_, index) => `${index % 7}`);
    const after = Array.from({ length: 4000 }, (_, index) => `${(index * 3) % 11}`);
    expect(apply(before, after, diff(before, after))).toEqual(after);
  });
});
