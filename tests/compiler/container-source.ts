/** Containers as a kernel writes them: a vector, a reference count, text that grows. */
export const CONTAINERS = `
class Vec<T> {
  private items: Pointer<T> = pointer<T>(0);
  private capacity: usize = 0;
  length: usize = 0;
  push(item: T): void {
    if (this.length === this.capacity) { this.grow(); }
    this.items.offset(this.length).put(item);
    this.length++;
  }
  pop(): T { assert(this.length > 0, "empty"); this.length--; return this.items.offset(this.length).take(); }
  at(i: usize): Borrowed<T> { assert(i < this.length, "out of bounds"); return this.items.offset(i).value; }
  set(i: usize, item: T): void { this.items.offset(i).value = item; }
  all(): Slice<T> { return sliceFrom(this.items, this.length); }
  private grow(): void {
    const room = this.capacity === 0 ? 4 : this.capacity * 2;
    const address = allocateMemory(room * sizeOf<T>(), alignOf<T>());
    if (address === 0) { panic(\`out of memory: \${room * sizeOf<T>()} bytes\`); }
    if (this.capacity > 0) {
      copyMemory(pointer<u8>(address), this.items.cast<u8>(), this.length * sizeOf<T>());
      freeMemory(this.items.address, this.capacity * sizeOf<T>(), alignOf<T>());
    }
    this.items = pointer<T>(address);
    this.capacity = room;
  }
  [Symbol.dispose](): void { this.clear(); }
  clear(): void {
    if (needsDrop<T>()) { for (const i of range(usize(0), this.length)) { this.items.offset(i).drop(); } }
    if (this.capacity > 0) { freeMemory(this.items.address, this.capacity * sizeOf<T>(), alignOf<T>()); }
    this.length = 0;
    this.capacity = 0;
  }
}
class Rc<T> implements Shared {
  count: usize = 1;
  readonly value: T;
  constructor(value: T) { this.value = value; }
  share(): Owned<Rc<T>> { this.count++; return own(addressOf(this)); }
  release(): bool { this.count--; return this.count === 0; }
}
class Text {
  private bytes: Vec<u8> = new Vec<u8>();
  add(text: string): void { for (const b of text.bytes) { this.bytes.push(b); } }
  view(): string { return stringFrom(this.bytes.all()); }
}
`;
