/** The 64-bit task state segment: the stacks that the processor switches to. Intel SDM vol. 3A, figure 8-11. */

export interface TaskState {
  /** Stack pointers for a switch to privilege 0, 1 and 2. */
  readonly privilegeStacks: readonly bigint[];
  /** Interrupt stack table: the stack pointers that gates ask for as 1 to 7. */
  readonly interruptStacks: readonly bigint[];
  /** Offset of the I/O permission bitmap; at or beyond the segment's limit there is none. */
  readonly portBitmap: number;
}

export const TASK_STATE_SIZE = 104;

const RSP0 = 4;
const IST1 = 36;
const PORT_BITMAP = 102;

/** `bytes` holds at least the `TASK_STATE_SIZE` bytes that every 64-bit TSS has. */
export function decodeTaskState(bytes: Uint8Array): TaskState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pointers = (at: number, count: number): bigint[] =>
    Array.from({ length: count }, (_, index) => view.getBigUint64(at + index * 8, true));
  return {
    privilegeStacks: pointers(RSP0, 3),
    interruptStacks: pointers(IST1, 7),
    portBitmap: view.getUint16(PORT_BITMAP, true),
  };
}
