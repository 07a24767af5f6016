/**
 * `.debug_frame` ("DWARF", version 4, section 6.4): for each instruction, where the frame ends (the canonical frame
 * address, CFA) and where the caller's registers lie, so that a debugger can walk from function to caller.
 */
import type { FrameState, LinkedProgram } from "../compiler/object.ts";
import { ByteBuffer } from "./bytes.ts";
import { sleb, uleb } from "./leb128.ts";

const DW_CFA_advance_loc = 0x40;
const DW_CFA_advance_loc4 = 0x04;
const DW_CFA_offset = 0x80;
const DW_CFA_restore = 0xc0;
const DW_CFA_def_cfa = 0x0c;
const DW_CFA_def_cfa_offset = 0x0e;

/** DWARF's numbers of rax, rcx, rdx … by the processor's (System V AMD64 ABI, figure 3.36); the last is the return address. */
const NUMBERS = [0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const RSP = 7;
const RETURN_ADDRESS = 16;
/** Places of saved registers are told in units of this many bytes. */
const DATA_ALIGNMENT = -8;

export function frameTable(frames: LinkedProgram["frames"]): Uint8Array {
  const out = new ByteBuffer();
  entry(out, () => {
    out.u32(0xffff_ffff); // a common information entry
    out.u8(3);
    out.u8(0); // no augmentation
    uleb(out, 1); // addresses count in bytes
    sleb(out, DATA_ALIGNMENT);
    uleb(out, RETURN_ADDRESS);
    out.u8(DW_CFA_def_cfa);
    uleb(out, RSP);
    uleb(out, 8);
  });
  for (const { address, size, states } of frames) {
    entry(out, () => {
      out.u32(0); // its common information begins at 0
      out.u64(address);
      out.u64(size);
      let before: FrameState = { height: 8, saved: [] };
      let at = 0;
      for (const { offset, state } of states) {
        if (offset >= size) break;
        advance(out, offset - at);
        change(out, before, state);
        [before, at] = [state, offset];
      }
    });
  }
  return out.toBytes();
}

/** Writes an entry with its length before it, and zeros (no operation) up to a multiple of 8 bytes. */
function entry(out: ByteBuffer, body: () => void): void {
  const start = out.length;
  out.u32(0);
  body();
  out.align(8);
  out.patchU32(start, out.length - start - 4);
}

function advance(out: ByteBuffer, bytes: number): void {
  if (bytes === 0) return;
  if (bytes < 0x40) {
    out.u8(DW_CFA_advance_loc | bytes);
  } else {
    out.u8(DW_CFA_advance_loc4);
    out.u32(bytes);
  }
}

function change(out: ByteBuffer, before: FrameState, after: FrameState): void {
  if (before.height !== after.height) {
    out.u8(DW_CFA_def_cfa_offset);
    uleb(out, after.height);
  }
  const has = (state: FrameState, register: number) => state.saved.some((s) => s.register === register);
  for (const { register } of before.saved) {
    if (!has(after, register)) out.u8(DW_CFA_restore | NUMBERS[register]!);
  }
  for (const { register, below } of after.saved) {
    if (has(before, register)) continue;
    out.u8(DW_CFA_offset | NUMBERS[register]!);
    uleb(out, below / -DATA_ALIGNMENT);
  }
}
