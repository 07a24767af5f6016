/** The instructions around the next one, each group under the line of the book that it comes from. */
import { type Inspector, inspector } from "./inspector.ts";
import { element, note } from "./markup.ts";

export const disassembly: Inspector<"disassembly"> = inspector({
  name: "disassembly",
  title: "Next instructions",
  show({ next, lines }, guide) {
    if (lines.length === 0) return [note("There is no memory at the next instruction's address.")];
    const list = element("ol", "listing");
    let shown = "";
    for (const { address, bytes, text } of lines) {
      const item = element("li", address === next ? "current" : "");
      const label = guide.labelOf(address);
      if (label !== null) item.append(element("span", "label", `${label}:`));
      const place = guide.placeOf(address);
      const at = place === null ? "" : `${place.file}:${place.line}`;
      if (place !== null && at !== shown) item.append(guide.quote(place));
      shown = at;
      const dump = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      const digits = address > 0xffff_ffffn ? 16 : 8;
      item.append(
        element("span", "address", address.toString(16).padStart(digits, "0")),
        element("span", "bytes", dump),
        element("code", "", text),
      );
      if (address === next) item.setAttribute("aria-current", "step");
      list.append(item);
    }
    return [list];
  },
});
