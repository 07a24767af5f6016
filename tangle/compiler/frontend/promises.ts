/** The ambient types of waiting: `Promise<T>`, `Future`, `Poll` and `Waker`. */
import type { ClassType, EnumType, InterfaceType, OwnedType, Type } from "../tree.ts";
import type { Entity, Scope } from "./entities.ts";
import { functionType, ownedOf, pointerTo, typeName, U8, U64, VOID } from "./types.ts";

/** The chapter that builds an executor. */
export const ASYNC_CHAPTER = 12;

/** What a poll says. */
export const POLL: EnumType = {
  kind: "enum",
  name: "Poll",
  repr: U8,
  members: [
    { name: "Pending", value: 0n },
    { name: "Ready", value: 1n },
  ],
};
/** The number of the task that is polled. */
export const WAKER = U64;

const ANY_OBJECT = pointerTo(VOID);
const BUILT_IN_PLACE = { file: "kernel.d.ts", line: 1, column: 1 };

/** A frame that is part of another one or on the heap; its size is not known here. */
export function frameType(name: string): ClassType {
  return { kind: "class", name: `${name}.frame`, packed: false, fields: [], size: 0, align: 1, place: BUILT_IN_PLACE };
}

const promises = new WeakMap<Type, OwnedType>();
const promisedTypes = new WeakMap<InterfaceType, Type>();

/** `Promise<T>`: the owner of a frame, which is polled and asked for its result through a table of functions. */
export function promiseOf(type: Type): OwnedType {
  const known = promises.get(type);
  if (known !== undefined) {
    return known;
  }
  const methods = [
    { name: "poll", type: functionType([ANY_OBJECT, WAKER], POLL) },
    { name: "result", type: functionType([ANY_OBJECT], type) },
  ];
  const contract: InterfaceType = { kind: "interface", name: `Promise<${typeName(type)}>`, methods };
  const promise = ownedOf(contract);
  promises.set(type, promise);
  promisedTypes.set(contract, type);
  return promise;
}

/** What a promise, owned or borrowed, promises; null for all other types. */
export function promisedBy(type: Type): Type | null {
  const contract = type.kind === "owned" ? type.of : type;
  return contract.kind === "interface" ? (promisedTypes.get(contract) ?? null) : null;
}

/** Declares `interface Future { poll(waker: Waker): Poll }`, which classes implement. */
export function futureInterface(language: Scope): Entity {
  const named = (name: string) => ({ kind: "name" as const, name, arguments: [], place: BUILT_IN_PLACE });
  return {
    kind: "interface",
    node: {
      name: "Future",
      typeParameters: [],
      methods: [{ name: "poll", parameters: [named("Waker")], result: named("Poll"), place: BUILT_IN_PLACE }],
      place: BUILT_IN_PLACE,
    },
    scope: language,
    instances: new Map(),
  };
}
