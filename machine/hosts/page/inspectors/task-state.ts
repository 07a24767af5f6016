/** The task state segment: the stacks that the processor changes to by itself. */
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, hex, literal, note, table } from "./markup.ts";

export const taskState: Inspector<"tss"> = inspector({
  name: "tss",
  title: "Task state segment",
  show({ register, form, state }, guide) {
    if (form !== "long") return [note("The stacks of a task are shown in 64-bit mode.")];
    if ((register.selector & ~3) === 0) return [note("The task register has not been loaded.")];
    const where = note(
      "TR: selector ",
      literal(hex(register.selector, 2)),
      ", base ",
      literal(hex(register.base)),
      ", limit ",
      literal(hex(register.limit)),
    );
    if (state === null) return [where, note("No memory is mapped there, or it is too short for a task state.")];
    const row = (name: string, use: string, pointer: bigint): Content[] => {
      if (pointer === 0n) return [name, use, element("span", "quiet", "none")];
      return [name, use, guide.describeTop(pointer)];
    };
    const rows = [
      ...state.privilegeStacks.map((pointer, level) => row(`RSP${level}`, `privilege ${level}`, pointer)),
      ...state.interruptStacks.map((pointer, index) =>
        row(`IST${index + 1}`, `gates with stack ${index + 1}`, pointer),
      ),
    ];
    return [where, table("Task state segment", ["Field", "For", "Top of stack"], rows)];
  },
});
