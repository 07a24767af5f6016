/** Random statements about objects on the heap. What is moved away is not spoken of again: the compiler would refuse it. */
import { CONTAINERS } from "../container-source.ts";
import { HEAP } from "../heap-source.ts";
import type { ExpressionMaker } from "./expressions.ts";
import type { Owner, Scope } from "./scope.ts";

/** Behind the classes that every random program has; `record` notes when objects end. */
export const HEAP_PRELUDE = `${HEAP.trim().replaceAll(" order", " heapOrder")}
${CONTAINERS}
class Cell {
  value: u64; tag: u8 = 3; next: Owned<Cell> | null = null; inner: Packed = new Packed();
  constructor(value: u64) { this.value = value; }
  sum(): u64 { if (this.next !== null) { return this.value + this.next.sum(); } return this.value; }
  [Symbol.dispose](): void { record(this.value); }
}
class Wide implements Shape {
  cell: Owned<Cell> = new Cell(8); more: FixedArray<Owned<Cell> | null, 2> = filled(null); side: u32 = 5;
  area(by: u32): u64 { return this.cell.value * u64(by + this.side); }
  grow(by: u8): void { this.cell = new Cell(this.cell.value + u64(by)); this.more[usize(by & 1)] = new Cell(u64(by)); }
}
const bin = new Vec<Owned<Cell>>();
const jobs = new Vec<Owned<(x: u64) => u64>>();
let slot: Owned<Cell> | null = null;
function make(value: u64): Owned<Cell> { const cell = new Cell(value); cell.tag ^= u8(value); return cell; }
function eat(cell: Owned<Cell>): u64 { record(5); return cell.value; }
function look(cell: Cell): u64 { return cell.sum() + u64(cell.tag); }
function join(head: Owned<Cell>, tail: Owned<Cell>): Owned<Cell> { tail.next = take(head.next); head.next = tail; return head; }
function shape(round: bool): Owned<Shape> { return round ? new Wide() : new Square(); }
`;

/** What a program does in the end, so that nothing is left. */
export const HEAP_ENDING = [
  "  while (bin.length > 0) { bin.pop(); }",
  "  while (jobs.length > 0) { record(jobs.pop()(7)); }",
  "  slot = null; bin.clear(); jobs.clear();",
  '  assert(live === 0, "the heap is not empty in the end");',
];

/** Variables whose bytes hold addresses. */
export const HEAP_VARIABLES = ["memory", "bin", "jobs", "slot"].map((name) => `kernel/main:${name}`);

/** A statement about the heap; `fresh` makes names. */
export function heapStatement(scope: Scope, maker: ExpressionMaker, fresh: (prefix: string) => string): string[] {
  const { tape } = maker;
  const value = (): string => maker.make(scope, "u64", 2);
  maker.meter.work += 10 * scope.repeats;
  switch (tape.below(12)) {
    case 0:
    case 1:
    case 2: {
      const mutable = tape.rarely(3);
      const made = tape.pick([
        `new Cell(${value()})`,
        `make(${value()})`,
        `join(make(${value()}), new Cell(${value()}))`,
      ]);
      return declare(scope, fresh("own"), mutable, made);
    }
    case 3:
    case 4:
      return moveAway(scope, maker, fresh);
    case 5:
      return [`record(make(${value()}).value ^ look(new Cell(${value()})));`];
    case 6: {
      const changing = scope.owners.filter((one) => one.mutable && !one.moved && one.closure === scope.closureDepth);
      if (changing.length === 0) {
        return [`slot = new Cell(${value()});`];
      }
      const { name } = tape.pick(changing);
      return [
        `${name} = ${tape.pick([`new Cell(${name}.value + 1)`, `make(${value()})`, `replace(${name}, make(3))`])};`,
      ];
    }
    case 7: {
      const name = fresh("taken");
      const then = tape.pick([
        `bin.push(${name});`,
        `record(eat(${name}));`,
        `record(look(${name}));`,
        `slot = ${name};`,
      ]);
      return [`const ${name} = take(slot);`, `if (${name} !== null) { record(${name}.value); ${then} }`];
    }
    case 8:
      return tape.pick([
        ["for (const cell of bin.all()) { record(look(cell)); }"],
        ["if (bin.length > 0) { const last = bin.pop(); record(look(last)); }"],
        [`if (bin.length > 1) { bin.set(1, new Cell(${value()})); record(bin.at(0).value); }`],
        ["if (slot !== null && slot.next !== null) { record(slot.next.value); }"],
      ]);
    case 9:
      return closure(scope, maker, fresh);
    case 10: {
      const name = fresh("shape");
      return [
        `const ${name}: Owned<Shape> = ${maker.make(scope, "bool", 2)} ? shape(true) : new Wide();`,
        `${name}.grow(${maker.make(scope, "u8", 1)}); record(${name}.area(${maker.make(scope, "u32", 1)}));`,
      ];
    }
    default: {
      const [one, two] = [fresh("rc"), fresh("rc")];
      return [
        `const ${one} = new Rc<Owned<Cell>>(make(${value()}));`,
        `const ${two} = ${one}.share(); record(u64(${two}.count) ^ ${one}.value.value);`,
      ];
    }
  }
}

function declare(scope: Scope, name: string, mutable: boolean, made: string, type = ""): string[] {
  const owner: Owner = { name, mutable, moved: false, level: scope.level, closure: scope.closureDepth };
  scope.owners.push(owner);
  scope.variables.push(
    { text: `${name}.value`, type: "u64", mutable: true, owner },
    { text: `${name}.tag`, type: "u8", mutable: true, owner },
    { text: `${name}.inner.b`, type: "u32", mutable: true, owner },
  );
  return [`${mutable ? "let" : "const"} ${name}${type} = ${made};`];
}

/** Owners that may be moved here: in a loop, only what belongs to the round. */
function movable(scope: Scope): Owner[] {
  return scope.owners.filter((one) => !one.moved && one.level === scope.level);
}

function moveAway(scope: Scope, maker: ExpressionMaker, fresh: (prefix: string) => string): string[] {
  const { tape } = maker;
  const owners = movable(scope);
  if (owners.length === 0) {
    return [`bin.push(make(${maker.make(scope, "u64", 2)}));`];
  }
  const owner = tape.pick(owners);
  const { name } = owner;
  const condition = tape.rarely(3) ? maker.make(scope, "bool", 2) : null;
  owner.moved = true;
  const other = owners.find((one) => one !== owner && !one.moved);
  switch (tape.below(6)) {
    case 0:
      return declare(scope, fresh("own"), false, name, ": Owned<Cell>");
    case 1:
      if (other !== undefined) {
        return [`${other.name}.next = ${name};`];
      }
      break;
    case 2:
      return declare(scope, fresh("own"), true, `join(make(1), ${name})`);
    case 3:
      return [condition === null ? `slot = ${name};` : `if (${condition}) { slot = ${name}; } else { record(3); }`];
    case 4:
      return [condition === null ? `bin.push(${name});` : `if (${condition}) { bin.push(${name}); }`];
  }
  return [condition === null ? `record(eat(${name}));` : `if (${condition}) { record(eat(${name})); }`];
}

/** A closure on the heap with a copy of a number, and perhaps an owner that moves into it. */
function closure(scope: Scope, maker: ExpressionMaker, fresh: (prefix: string) => string): string[] {
  const { tape } = maker;
  const [kept, name] = [fresh("kept"), fresh("job")];
  const lines = [`const ${kept}: u64 = ${maker.make(scope, "u64", 2)};`];
  const owners = movable(scope).filter((one) => !one.mutable);
  let more = "";
  if (owners.length > 0 && tape.rarely(2)) {
    const owner = tape.pick(owners);
    owner.moved = true;
    more = ` ${owner.name}.value += x;`;
  }
  lines.push(`const ${name}: Owned<(x: u64) => u64> = (x) => {${more} return x * 7 + ${kept}; };`);
  lines.push(`record(${name}(${maker.make(scope, "u64", 1)}));`);
  if (tape.rarely(2)) {
    lines.push(`jobs.push(${name});`);
  }
  return lines;
}
