/** The stack frame of a function, and the code that sets it up and takes it down. */
import type { FrameState } from "../object.ts";
import {
  type FrameObject,
  ImmediateOperand,
  type MachineFunction,
  MachineInstruction,
  RegisterOperand,
} from "./machine.ts";
import { ALLOCATABLE, CALLEE_SAVED, type Register, RIP, RSP } from "./registers.ts";

export interface Frame {
  /** Before the prologue; null for naked functions, whose frame is their own affair. */
  readonly arrival: FrameState | null;
  readonly prologue: readonly MachineInstruction[];
  /** With the return. */
  readonly epilogue: readonly MachineInstruction[];
}

const STACK_ALIGN = 16;

const RETURN_ADDRESS = { register: RIP, below: 8 };
const INTERRUPT_FRAME = [
  { register: RIP, below: 40 },
  { register: RSP, below: 16 },
];

/**
 * What lies on the stack when a function begins, in bytes: since rsp was last a multiple of 16, and of that what the
 * function must take away itself. A call pushes rip; the processor aligns the stack, then pushes ss, rsp, rflags, cs and
 * rip, and for some vectors an error code (SDM vol. 3A, section 6.14.2).
 */
const ARRIVAL = {
  plain: { pushed: 8, dropped: 0, saved: [RETURN_ADDRESS] },
  interrupt: { pushed: 40, dropped: 0, saved: INTERRUPT_FRAME },
  interruptWithError: { pushed: 48, dropped: 8, saved: INTERRUPT_FRAME },
} as const;

/**
 * Gives every frame object its offset from rsp, and writes prologue and epilogue. From low to high addresses: stack
 * arguments of calls, objects, saved registers, what the call or interrupt pushed, stack arguments of this function.
 * There is no red zone: an interrupt writes below rsp. `written` are the registers that the body writes.
 */
export function layOutFrame(fn: MachineFunction, written: ReadonlySet<Register>): Frame {
  if (fn.convention === "naked") return { arrival: null, prologue: [], epilogue: [] };
  const isInterrupt = fn.convention !== "plain";
  const arrival = ARRIVAL[fn.convention];
  const saved = savedRegisters(fn, written);
  const { size, align } = placeObjects(fn);
  const savedSize = saved.length * 8;
  const above = arrival.pushed + savedSize;
  // At a call rsp is a multiple of 16 (System V AMD64 ABI, section 3.2.2).
  const body = fn.calls || align > 8 ? roundUp(size + above, STACK_ALIGN) - above : size;
  // An interrupt's frame begins with what the processor pushed last, a function's arguments lie above its return address.
  const arguments_ = body + savedSize + (isInterrupt ? 0 : arrival.pushed);
  for (const object of fn.frame) if (object.kind === "incoming") object.offset = arguments_;

  const make = (mnemonic: string, ...operands: MachineInstruction["operands"]) =>
    new MachineInstruction(mnemonic, operands, fn.place);
  const register = (r: Register) => new RegisterOperand(r, 64);
  const adjust = (mnemonic: string, bytes: number) =>
    bytes === 0 ? [] : [make(mnemonic, register(RSP), new ImmediateOperand(BigInt(bytes), 64))];
  return {
    arrival: { height: arrival.pushed, saved: arrival.saved },
    prologue: [
      ...saved.map((r) => make("push", register(r))),
      ...adjust("sub", body),
      // The interrupted code may have left the direction flag set; compiled code expects it clear.
      ...(isInterrupt ? [make("cld")] : []),
    ],
    epilogue: [
      ...adjust("add", body),
      ...[...saved].reverse().map((r) => make("pop", register(r))),
      ...adjust("add", arrival.dropped),
      make(isInterrupt ? "iretq" : "ret"),
    ],
  };
}

/** How the frame looks after an instruction of a prologue or epilogue. */
export function frameAfter(state: FrameState, { mnemonic, operands }: MachineInstruction): FrameState {
  const { height, saved } = state;
  const [first, second] = operands;
  const register = first?.kind === "register" ? first.register : null;
  const bytes = second?.kind === "immediate" ? Number(second.value) : 0;
  switch (mnemonic) {
    case "push":
      return { height: height + 8, saved: [...saved, { register: register!, below: height + 8 }] };
    case "pop":
      return { height: height - 8, saved: saved.filter((s) => s.register !== register) };
    case "sub":
      return { height: height + bytes, saved };
    case "add":
      return { height: height - bytes, saved };
    default:
      return state;
  }
}

/** A function keeps the callee-saved registers, an interrupt handler all; what never returns keeps none. */
function savedRegisters(fn: MachineFunction, written: ReadonlySet<Register>): Register[] {
  if (!fn.blocks.some((block) => block.terminator.kind === "return")) return [];
  const kept = fn.convention === "plain" ? CALLEE_SAVED : ALLOCATABLE;
  return kept.filter((register) => written.has(register));
}

/** Places stack arguments, slots and spilled registers from rsp upwards; the size is a multiple of 8. */
function placeObjects(fn: MachineFunction): { size: number; align: number } {
  const isPlaced = ({ kind }: FrameObject) => kind === "slot" || kind === "spill";
  let size = fn.outgoing;
  let align = 8;
  // Large alignments first: fewer gaps. Sorting is stable, so the order is the same every time.
  for (const object of fn.frame.filter(isPlaced).sort((a, b) => b.align - a.align)) {
    if (object.align > STACK_ALIGN) throw new Error(`${fn.symbol}: a frame cannot align to ${object.align} bytes`);
    size = roundUp(size, object.align);
    object.offset = size;
    size += object.size;
    align = Math.max(align, object.align);
  }
  return { size: roundUp(size, 8), align };
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
