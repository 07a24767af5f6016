/** The pair of interrupt controllers: each of the sixteen request lines. */
import { type RequestLine, requestLines } from "../../../debug/chips.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, note, table } from "./markup.ts";

export const interruptControllers: Inspector<"pic"> = inspector({
  name: "pic",
  title: "Interrupt controllers",
  show(controllers) {
    const lines = requestLines(controllers);
    const rows = lines.map((line): Content[] => [String(line.line), line.device, String(line.vector), stateOf(line)]);
    const bases = controllers.map(({ base }) => `${base} to ${base + 7}`).join(" and ");
    return [
      note(`Vectors ${bases}.`),
      table("Lines of the interrupt controllers", ["IRQ", "Device", "Vector", "State"], rows),
    ];
  },
});

function stateOf({ masked, requested, inService }: RequestLine): Content {
  const words = [...(inService ? ["in service"] : []), ...(requested ? ["requested"] : [])];
  if (words.length > 0) return element("strong", "", [...words, ...(masked ? ["masked"] : [])].join(", "));
  return masked ? element("span", "quiet", "masked") : "open";
}
