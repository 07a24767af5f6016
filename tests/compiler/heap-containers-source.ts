/** Programs that use containers, owners of interfaces and closures on the heap, and what they give. */
import { CONTAINERS } from "./container-source.ts";

/** Vectors of numbers and of owners, shared objects, text, and interfaces; the module-level vector keeps its memory. */
const COLLECTIONS = `${CONTAINERS}
class Node { value: u64; constructor(value: u64) { this.value = value; } [Symbol.dispose](): void { note(this.value); } }
interface Shape { area(): u64; }
class Square implements Shape { side: u64; constructor(side: u64) { this.side = side; } area(): u64 { return this.side * this.side; } [Symbol.dispose](): void { note(77); } }
class Round implements Shape { node: Owned<Node> = new Node(5); area(): u64 { return this.node.value * 3; } }
const shared = new Vec<u16>();
function shape(round: bool): Owned<Shape> { if (round) { return new Round(); } return new Square(4); }
function area(s: Shape): u64 { return s.area(); }
function identity<T>(x: T): T { return x; }
function body(): u64 {
  let s: u64 = 0;
  {
    const v = new Vec<u32>();
    for (const i of range(u32(0), 100)) { v.push(i * i); }
    for (const x of v.all()) { s += u64(x); }
    s += u64(v.pop()) + u64(v.at(3));
  }
  {
    const nodes = onStack(new Vec<Owned<Node>>());
    for (const i of range(u64(0), 10)) { nodes.push(new Node(i)); }
    const n = nodes.pop();
    nodes.pop();
    const m = new Node(50);
    nodes.push(m);
    nodes.set(0, new Node(51));
    for (const x of nodes.all()) { s += x.value; }
    s += nodes.at(2).value + n.value;
  }
  {
    const a = new Rc<Owned<Node>>(new Node(3));
    const b = a.share();
    { const c = b.share(); s += u64(c.count) + c.value.value; }
    s += u64(a.count);
  }
  {
    const t = new Text();
    t.add("hello "); t.add("world");
    const v = t.view();
    s += u64(v.length) + u64(v.byteAt(4));
  }
  {
    const shapes = new Vec<Owned<Shape>>();
    shapes.push(new Square(3)); shapes.push(shape(true)); shapes.push(shape(false));
    for (const x of shapes.all()) { s += area(x); }
    const last = shapes.pop();
    s += last.area();
    s += identity(shape(true)).area();
  }
  shared.push(5); shared.push(6); s += u64(shared.at(1)); shared.pop();
  s += u64(shared.pop());
  return s;
}
`;

/** Closures that are kept, called and dropped; with what they capture. */
const CLOSURES = `${CONTAINERS}
class Node { value: u64; constructor(value: u64) { this.value = value; } [Symbol.dispose](): void { note(this.value); } }
class Counter { n: u64 = 0; [Symbol.dispose](): void { note(this.n + 100); } }
class Button {
  private handlers: Vec<Owned<(by: u64) => u64>> = new Vec<Owned<(by: u64) => u64>>();
  private base: u64 = 7;
  on(handler: Owned<(by: u64) => u64>): void { this.handlers.push(handler); }
  press(by: u64): u64 { let s: u64 = 0; for (const h of this.handlers.all()) { s += h(by); } return s; }
  addOwn(): void { this.on((by) => this.base * by); }
}
function plain(by: u64): u64 { return by + 1000; }
function adder(n: u64): Owned<(x: u64) => u64> { return (x) => x + n; }
function twice(f: Borrowed<Owned<(x: u64) => u64>>, x: u64): u64 { return f(f(x)); }
const quick = inline((f: (x: u64) => u64): u64 => f(1));
function body(): u64 {
  let s: u64 = 0;
  {
    const button = new Button();
    const counter = new Counter();
    const scale: u16 = 3;
    button.on((by) => { counter.n += by; return counter.n * u64(scale); });
    button.on(plain);
    button.on((x: u64): u64 => x);
    button.addOwn();
    s += button.press(5);
    s += button.press(6);
    const a = adder(10);
    s += a(1) + twice(a, 2) + adder(3)(4) + quick((x) => a(x));
    button.on(a);
    s += button.press(1);
    const node = new Node(4);
    const text = "abc";
    const outer: Owned<() => u64> = () => { const inner: Owned<() => u64> = () => u64(text.length); return inner() + node.value; };
 s += outer() + outer();
  }
  return s;
}
`;

export const CONTAINER_PROGRAMS = [
  { name: "collections", text: COLLECTIONS, leaves: "1", value: 338_512n },
  { name: "closures", text: CLOSURES, leaves: "0", value: 3268n },
] as const;
