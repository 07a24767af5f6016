/** copyMemory and fillMemory: moves for few bytes, string instructions for many. */
import type { Value } from "../ssa/ir.ts";
import { copyPieces, fillPieces } from "./loads.ts";
import { ImmediateOperand, MemoryOperand, RegisterOperand } from "./machine.ts";
import { RAX, RCX, RDI, RDX, RSI } from "./registers.ts";
import type { Selection } from "./selection.ts";

const STRING_MOVE = { reads: [RSI, RDI, RCX], writes: [RSI, RDI, RCX] };
const STRING_STORE = { reads: [RAX, RDI, RCX], writes: [RDI, RCX] };

/**
 * The two ranges may overlap. Forwards (eight bytes at a time, then the rest) is right unless `to` lies inside `from`'s
 * range, that is `to - from < bytes` unsigned; then the copy goes backwards, byte by byte, with the direction flag set.
 */
export function copyMemory(s: Selection, [to, from, bytes]: readonly Value[]): void {
  if (copyPieces(s, to!, from!, s.constantOf(bytes!))) return;
  // What follows the copy was lowered already: it becomes a block of its own, after both ways.
  const after = s.split();
  const { place } = s;
  const forwards = s.newBlock(s.current.cold);
  forwards.instructions = s.capture(() => {
    s.copy(RDX, RCX, 64);
    s.emit("shr", [new RegisterOperand(RCX, 64), new ImmediateOperand(3n, 8)]);
    s.emit("rep movsq", [], STRING_MOVE);
    s.copy(RCX, RDX, 64);
    s.emit("and", [new RegisterOperand(RCX, 32), new ImmediateOperand(7n, 32)]);
    s.emit("rep movsb", [], STRING_MOVE);
  });
  forwards.terminator = { kind: "jump", to: after, place };
  const backwards = s.newBlock(true);
  backwards.instructions = s.capture(() => {
    s.emit("lea", [new RegisterOperand(RSI, 64), new MemoryOperand(0, RSI, -1, RCX)]);
    s.emit("lea", [new RegisterOperand(RDI, 64), new MemoryOperand(0, RDI, -1, RCX)]);
    s.emit("std", []);
    s.emit("rep movsb", [], STRING_MOVE);
    s.emit("cld", []);
  });
  backwards.terminator = { kind: "jump", to: after, place };

  s.moveTo(RDI, to!);
  s.moveTo(RSI, from!);
  s.moveTo(RCX, bytes!);
  const distance = s.machine.register();
  s.copy(distance, RDI, 64);
  s.emit("sub", [new RegisterOperand(distance, 64), new RegisterOperand(RSI, 64)]);
  s.emit("cmp", [new RegisterOperand(distance, 64), new RegisterOperand(RCX, 64)]);
  s.current.terminator = { kind: "branch", condition: "b", then: backwards, otherwise: forwards, place };
}

export function fillMemory(s: Selection, [to, byte, bytes]: readonly Value[]): void {
  const constant = s.constantOf(byte!);
  if (fillPieces(s, to!, constant, s.constantOf(bytes!))) return;
  s.moveTo(RDI, to!);
  if (constant !== null) {
    s.constant(RAX, constant * 0x0101_0101_0101_0101n);
  } else {
    // The byte in all eight bytes of rax.
    const pattern = s.machine.register();
    s.constant(pattern, 0x0101_0101_0101_0101n);
    s.emit("movzx", [new RegisterOperand(RAX, 32), s.registerOperand(byte!, 8)]);
    s.emit("imul", [new RegisterOperand(RAX, 64), new RegisterOperand(pattern, 64)]);
  }
  const count = s.constantOf(bytes!);
  if (count !== null && count % 8n === 0n) {
    s.constant(RCX, count / 8n);
    s.emit("rep stosq", [], STRING_STORE);
    return;
  }
  s.moveTo(RCX, bytes!);
  s.copy(RDX, RCX, 64);
  s.emit("shr", [new RegisterOperand(RCX, 64), new ImmediateOperand(3n, 8)]);
  s.emit("rep stosq", [], STRING_STORE);
  s.copy(RCX, RDX, 64);
  s.emit("and", [new RegisterOperand(RCX, 32), new ImmediateOperand(7n, 32)]);
  s.emit("rep stosb", [], STRING_STORE);
}
