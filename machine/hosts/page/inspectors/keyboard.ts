/** The keyboard controller: its status, how it is set, and the byte that waits to be read. */
import { keyboardReading } from "../../../debug/chips.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { element, hex, literal, note, table } from "./markup.ts";

export const keyboard: Inspector<"keyboard"> = inspector({
  name: "keyboard",
  title: "Keyboard controller",
  show(state) {
    const { settings, status } = keyboardReading(state);
    const waiting = state.output === null ? element("span", "quiet", "none") : literal(hex(state.output, 2));
    return [
      note("Ports ", literal("0x60"), " and ", literal("0x64")),
      table(
        "Keyboard controller",
        ["What", "Bits", "Meaning"],
        [
          ["Byte to read", "", waiting],
          ["Status", literal(hex(state.status, 2)), status.join(", ")],
          ["Settings", literal(hex(state.configuration, 2)), settings.join(", ")],
        ],
      ),
    ];
  },
});
