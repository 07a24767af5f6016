/** `a === b` of strings: a function of the compiler's own that compares lengths, then bytes. */
import type { Expression, Local, Statement, Target, Function as TreeFunction } from "../tree.ts";
import type { Compilation } from "./compilation.ts";
import {
  arithmetic,
  assign,
  compare,
  integerOf,
  lengthOf,
  localTarget,
  read,
  readLocal,
  reinterpret,
} from "./nodes.ts";
import { BOOL, BUILT_IN_PLACE, STRING, sliceOf, U8, USIZE } from "./types.ts";

export function sameText(compilation: Compilation, left: Expression, right: Expression): Expression {
  compilation.sameText ??= comparison();
  return { kind: "call", target: compilation.sameText, arguments: [left, right], type: BOOL, place: left.place };
}

function comparison(): TreeFunction {
  const place = BUILT_IN_PLACE;
  const local = (name: string, type: Local["type"]): Local => ({
    name,
    type,
    storage: "register",
    mutable: true,
    place,
  });
  const left = local("left", STRING);
  const right = local("right", STRING);
  const index = local("index", USIZE);
  const answer = (same: boolean): Statement => ({
    kind: "return",
    value: integerOf(same ? 1n : 0n, BOOL, place),
    place,
  });
  const byteOf = (text: Local): Expression => {
    const array = reinterpret(readLocal(text, place), sliceOf(U8));
    const target: Target = { kind: "element", array, index: readLocal(index, place), checked: false, type: U8, place };
    return read(target);
  };
  const unless = (condition: Expression): Statement => ({
    kind: "if",
    condition,
    then: [],
    otherwise: [answer(false)],
    place,
  });
  const next = arithmetic("+", readLocal(index, place), integerOf(1n, USIZE, place));
  return {
    symbol: "kernel:sameText",
    parameters: [left, right],
    result: BOOL,
    convention: "plain",
    inline: "auto",
    locals: [index],
    body: [
      unless(compare("==", lengthOf(readLocal(left, place)), lengthOf(readLocal(right, place)))),
      { kind: "let", local: index, initial: integerOf(0n, USIZE, place), place },
      {
        kind: "loop",
        label: { name: "bytes" },
        test: compare("<", readLocal(index, place), lengthOf(readLocal(left, place))),
        testAtEnd: false,
        update: assign(localTarget(index, place), next),
        body: [unless(compare("==", byteOf(left), byteOf(right)))],
        place,
      },
      answer(true),
    ],
    place,
  };
}
