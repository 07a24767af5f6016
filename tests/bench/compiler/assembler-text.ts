/** Object code as text for the GNU assembler, so that gcc can link it with C: bytes, and holes with symbols. */
import type { ObjectProgram } from "../../../tangle/compiler/object.ts";

/** Symbols that begin with `prefix` begin with `replacement` instead; what C cannot name becomes `_`. */
export function assemblerText(object: ObjectProgram, prefix: string, replacement: string): string {
  const name = (symbol: string) => {
    const replaced = symbol.startsWith(prefix) ? replacement + symbol.slice(prefix.length) : `.L${symbol}`;
    return replaced.replace(/[^\w.]/g, "_");
  };
  const lines: string[] = [];
  const bytes = (data: Uint8Array) => {
    if (data.length > 0) lines.push(`.byte ${data.join()}`);
  };
  lines.push(".text");
  for (const { symbol, code, relocations } of object.functions) {
    lines.push(`.globl ${name(symbol)}`, ".p2align 4", `${name(symbol)}:`);
    let at = 0;
    for (const relocation of [...relocations].sort((a, b) => a.at - b.at)) {
      bytes(code.subarray(at, relocation.at));
      const target = `${name(relocation.symbol)} + ${relocation.addend}`;
      lines.push(relocation.kind === "relative32" ? `.long ${target} - . - 4` : `.long ${target}`);
      at = relocation.at + 4;
    }
    bytes(code.subarray(at));
  }
  for (const item of object.data) {
    lines.push(item.section === "bss" ? ".bss" : ".data", `.p2align ${Math.log2(item.align)}`, `${name(item.symbol)}:`);
    let at = 0;
    for (const { at: hole, symbol, offset } of [...item.relocations].sort((a, b) => a.at - b.at)) {
      bytes(item.bytes.subarray(at, hole));
      lines.push(`.quad ${name(symbol)} + ${offset}`);
      at = hole + 8;
    }
    bytes(item.bytes.subarray(at));
    if (item.section === "bss") lines.push(`.zero ${item.size}`);
  }
  return `${lines.join("\n")}\n.section .note.GNU-stack,"",@progbits\n`;
}
