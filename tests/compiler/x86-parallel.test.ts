/** Moves that happen at once, in a row: the registers must end with what the old ones held. */

import { expect, test } from "vitest";
import { type Move, parallelMove } from "../../tangle/compiler/x86/parallel.ts";
import fc from "../properties.ts";

function sequence(moves: readonly Move[]): Move[] {
  const emitted: Move[] = [];
  let next = 100;
  parallelMove(
    moves,
    () => next++,
    (move) => emitted.push(move),
  );
  return emitted;
}

const pairs = (text: string): Move[] =>
  text.split(" ").map((pair) => {
    const [to, from] = pair.split("<").map(Number) as [number, number];
    return { to, from, width: 64 };
  });
const shown = (moves: readonly Move[]) => moves.map(({ to, from }) => `${to}<${from}`).join(" ");

test("a chain is moved from its end", () => {
  expect(shown(sequence(pairs("2<1 3<2 4<3")))).toBe("4<3 3<2 2<1");
});

test("a swap takes one more register, and one move more", () => {
  expect(shown(sequence(pairs("1<2 2<1")))).toBe("100<1 1<2 2<100");
});

test("what stays where it is needs no move", () => {
  expect(sequence(pairs("1<1 2<2"))).toEqual([]);
});

test("any moves end as if they had happened at once", () => {
  const moves = fc.uniqueArray(fc.record({ to: fc.nat(9), from: fc.nat(9), width: fc.constant(64 as const) }), {
    selector: (move) => move.to,
  });
  fc.assert(
    fc.property(moves, (list) => {
      const registers = new Map(Array.from({ length: 10 }, (_, i) => [i, `old ${i}`]));
      const expected = new Map(registers);
      for (const { to, from } of list) expected.set(to, registers.get(from)!);
      for (const { to, from } of sequence(list)) registers.set(to, registers.get(from)!);
      for (let i = 0; i < 10; i++) expect(registers.get(i)).toBe(expected.get(i));
    }),
  );
});
