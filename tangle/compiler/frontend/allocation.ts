/** `new` in a function, and the kernel's own allocator behind it: `globalAllocator(allocate, free)`. */
import type { Place } from "../../place.ts";
import { alignOf, sizeOf } from "../layout.ts";
import type { ClassType, Expression, Local, OwnedType, Target, Function as TreeFunction } from "../tree.ts";
import { Body } from "./body.ts";
import type { CallNode } from "./calls.ts";
import { completeEmbedded } from "./classes.ts";
import type { Compilation, OpenFunction } from "./compilation.ts";
import { type ModuleScope, Scope } from "./entities.ts";
import { checkAs } from "./expressions.ts";
import { constructAt, newType } from "./initialize.ts";
import { assign, compare, integerOf, localTarget, outOfMemory, readLocal, reinterpret, sequence } from "./nodes.ts";
import type { ExpressionNode } from "./syntax.ts";
import { functionType, isError, ownedOf, pointerTo, typeName, U64, USIZE, VOID } from "./types.ts";
import { walkStatements } from "./walk.ts";

/** The chapter that builds the heap. */
export const HEAP_CHAPTER = 10;

/** The functions that all allocations go through; their bodies call the kernel's allocator. */
export interface Heap {
  readonly allocate: OpenFunction;
  readonly free: OpenFunction;
}

const ALLOCATE = functionType([USIZE, USIZE], U64);
const FREE = functionType([U64, USIZE, USIZE], VOID);

/** `new C(…)` where an owner is wanted or nothing is said: memory from the kernel's allocator, filled by the constructor. */
export function allocateObject(
  body: Body,
  node: ExpressionNode & { readonly kind: "new" },
  expected: OwnedType["of"] | null,
): Expression {
  const { compilation } = body;
  const { place } = node;
  if (compilation.chapter < HEAP_CHAPTER) {
    return body.error("KT1030", place, `\`new\` comes in chapter ${HEAP_CHAPTER}`);
  }
  if (body.atModuleLevel) {
    return body.error(
      "KT1065",
      place,
      "module-level values are made before there is a heap",
      "let it be `Owned<C> | null`, start with null, and fill it in a function",
    );
  }
  const type = newType(body, node, expected);
  if (type.kind !== "class") {
    return isError(type)
      ? integerOf(0n, type, place)
      : body.error("KT1070", place, `\`${typeName(type)}\` is no class: it has no place on the heap`);
  }
  completeEmbedded(compilation, type, place);
  const { bytes, alignment } = room(type, place);
  const { address, first } = allocateOrPanic(body, bytes, alignment, place);
  const pointer = reinterpret(readLocal(address, place), pointerTo(type));
  const target: Target = { kind: "pointee", pointer, type, place };
  const object = constructAt(body, target, node);
  return isError(object.type) ? object : sequence(first, reinterpret(object, ownedOf(type)));
}

/** What an object takes on the heap. */
export function room(type: ClassType, place: Place): { readonly bytes: Expression; readonly alignment: Expression } {
  return {
    bytes: integerOf(BigInt(Math.max(1, sizeOf(type))), USIZE, place),
    alignment: integerOf(BigInt(alignOf(type)), USIZE, place),
  };
}

/** The functions behind `new`. */
export function heapOf(compilation: Compilation): Heap {
  if (compilation.heap === null) {
    const open = (name: string, type: typeof ALLOCATE): OpenFunction => {
      const place = { file: "kernel.d.ts", line: 1, column: 1 };
      const parameters = type.parameters.map((of, index) => ({
        name: ["address", "bytes", "alignment"].slice(-type.parameters.length)[index]!,
        type: of,
        storage: "register" as const,
        mutable: false,
        place,
      }));
      return {
        symbol: `kernel:${name}`,
        parameters,
        result: type.result,
        convention: "plain",
        inline: "auto",
        body: [],
        locals: [],
        place,
      };
    };
    compilation.heap = { allocate: open("allocate", ALLOCATE), free: open("free", FREE) };
  }
  return compilation.heap;
}

/** The address of memory, or 0. */
export function allocateCall(
  compilation: Compilation,
  bytes: Expression,
  alignment: Expression,
  place: Place,
): Expression {
  return { kind: "call", target: heapOf(compilation).allocate, arguments: [bytes, alignment], type: U64, place };
}

export function freeCall(
  compilation: Compilation,
  address: Expression,
  bytes: Expression,
  alignment: Expression,
  place: Place,
): Expression {
  const args = [address, bytes, alignment];
  return { kind: "call", target: heapOf(compilation).free, arguments: args, type: VOID, place };
}

/** Keeps the address of new memory in a local, and panics where there is none. `bytes` is evaluated twice. */
export function allocateOrPanic(
  body: Body,
  bytes: Expression,
  alignment: Expression,
  place: Place,
): { readonly address: Local; readonly first: readonly Expression[] } {
  const address = body.temporary("memory", U64, place);
  const call = allocateCall(body.compilation, bytes, alignment, place);
  const enough: Expression = {
    kind: "logical",
    operator: "||",
    left: compare("!=", readLocal(address, place), integerOf(0n, U64, place)),
    right: outOfMemory(bytes, place),
    type: VOID,
    place,
  };
  return { address, first: [assign(localTarget(address, place), call), enough] };
}

/** Takes the allocator out of a module-level statement; false where the expression is something else. */
export function declareAllocator(compilation: Compilation, module: ModuleScope, node: ExpressionNode): boolean {
  if (
    node.kind !== "call" ||
    node.callee.kind !== "name" ||
    node.callee.name !== "globalAllocator" ||
    module.scope.find("globalAllocator")?.kind !== "builtin"
  ) {
    return false;
  }
  compilation.allocators.push({ node, module });
  return true;
}

/** Lets allocations go to the allocator that a module of the program installs. */
export function installAllocator(compilation: Compilation): void {
  const installed = compilation.allocators.filter(({ module }) => compilation.started.includes(module));
  for (const { node, module } of compilation.allocators) {
    checkAllocator(compilation, node, module, installed[0]?.node === node);
  }
  const [first, second] = installed;
  if (first !== undefined && second !== undefined) {
    compilation.reporter.report("KT1065", second.node.place, "a second `globalAllocator(…)`", {
      related: [{ place: first.node.place, message: "the first one" }],
    });
  }
}

function checkAllocator(compilation: Compilation, node: CallNode, module: ModuleScope, installs: boolean): void {
  const scope = new Scope(module.scope, module);
  const body = new Body(compilation, { symbol: module.symbol("globalAllocator"), scope });
  const [allocateNode, freeNode, more] = node.arguments;
  if (allocateNode === undefined || freeNode === undefined || more !== undefined) {
    body.report("KT1065", node.place, "`globalAllocator` takes two functions: one that allocates, one that frees");
    return;
  }
  const heap = heapOf(compilation);
  for (const [part, type, open] of [
    [allocateNode, ALLOCATE, heap.allocate],
    [freeNode, FREE, heap.free],
  ] as const) {
    const value = checkAs(body, part, type);
    if (value.kind !== "function") {
      if (!isError(value.type)) {
        body.report("KT1065", part.place, "the allocator's functions are named, or written out, where it is installed");
      }
    } else if (installs) {
      open.body = [callThrough(open, value.target)];
    }
  }
}

function callThrough(open: TreeFunction, target: TreeFunction): TreeFunction["body"][number] {
  const { place } = target;
  const args = open.parameters.map((parameter) => readLocal(parameter, place));
  const call: Expression = { kind: "call", target, arguments: args, type: open.result, place };
  return open.result.kind === "void"
    ? { kind: "expression", expression: call, place }
    : { kind: "return", value: call, place };
}

/** Reports each allocation of a program that installs no allocator. */
export function checkInstalled(compilation: Compilation, functions: Iterable<TreeFunction>): void {
  const { heap, allocators } = compilation;
  if (heap === null || heap.allocate.body.length > 0) {
    return;
  }
  const elsewhere = allocators[0];
  const hint = elsewhere === undefined ? {} : { hint: `\`${elsewhere.module.path}\` has one, but nothing imports it` };
  for (const one of functions) {
    walkStatements(one.body, (expression) => {
      if (expression.kind === "call" && expression.target === heap.allocate) {
        compilation.reporter.report("KT1065", expression.place, "no allocator is installed", hint);
      }
    });
  }
}
