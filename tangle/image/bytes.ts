/** A growing buffer of bytes with little-endian writes, for file formats. */
export class ByteBuffer {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  private room(more: number): number {
    const at = this.length;
    this.length += more;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.room(1);
    this.view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.room(2);
    this.view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }
  u64(value: bigint | number): void {
    const at = this.room(8);
    this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  }
  put(bytes: Uint8Array): void {
    const at = this.room(bytes.length);
    this.bytes.set(bytes, at);
  }
  /** UTF-8 with a zero byte at its end. */
  text(value: string): void {
    this.put(new TextEncoder().encode(value));
    this.u8(0);
  }
  /** Zeros up to a multiple of `multiple`. */
  align(multiple: number): void {
    this.room((multiple - (this.length % multiple)) % multiple);
  }
  patchU32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
