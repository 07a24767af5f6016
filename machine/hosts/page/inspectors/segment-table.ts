/** The global descriptor table, each descriptor with what it describes. */
import type { SegmentDescriptor } from "../../../debug/segment-table.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, hex, literal, note, table } from "./markup.ts";

export const segmentTable: Inspector<"gdt"> = inspector({
  name: "gdt",
  title: "Global descriptor table",
  show({ register, form, descriptors }) {
    if (form === "real") return [note("Real mode has no descriptors: a segment begins at sixteen times its number.")];
    const where = note("GDTR: base ", literal(hex(register.base)), ", limit ", literal(hex(register.limit)));
    if (descriptors === null) return [where, note("No memory is mapped there.")];
    const headings = ["Selector", "What", "Base", "Limit", "Privilege"];
    return [where, table("Global descriptor table", headings, descriptors.map(row))];
  },
});

function row({ selector, kind, base, limit, privilege, present, flags, flat }: SegmentDescriptor): Content[] {
  const name = literal(hex(selector, 2));
  if (kind === "null") return [name, element("span", "quiet", "null"), "", "", ""];
  const what = [kind, ...flags, ...(present ? [] : ["not present"])].join(", ");
  const range = flat ? [element("span", "quiet", "ignored"), ""] : [literal(hex(base)), literal(hex(limit))];
  return [name, what, ...range, String(privilege)];
}
