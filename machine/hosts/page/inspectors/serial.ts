/** The chip behind the serial line; what it has sent is shown by the element itself. */
import { serialReading } from "../../../debug/chips.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { note } from "./markup.ts";

export const serial: Inspector<"serial"> = inspector({
  name: "serial",
  title: "Serial line",
  show(state) {
    const { baud, interrupts, status, received } = serialReading(state);
    const asked = interrupts.length === 0 ? "no interrupts" : `interrupts for ${interrupts.join(", ")}`;
    const waiting = received === 0 ? "" : `; ${received} ${received === 1 ? "byte waits" : "bytes wait"} to be read`;
    return [note(`${baud.toLocaleString("en")} baud, ${asked}; ${status.join(", ")}${waiting}.`)];
  },
});
