/** The interrupt descriptor table: who handles what. */
import type { Gate } from "../../../debug/interrupt-table.ts";
import { nameVector } from "../../../debug/vectors.ts";
import type { Guide } from "../guide.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, hex, literal, note, table } from "./markup.ts";

const REAL_MODE = "Real mode: far pointers to the handlers, four bytes for each vector.";

export const interruptTable: Inspector<"idt"> = inspector({
  name: "idt",
  title: "Interrupt descriptor table",
  show({ register, form, controllers, gates }, guide) {
    const where = note("IDTR: base ", literal(hex(register.base)), ", limit ", literal(hex(register.limit)));
    if (gates === null) return [where, note("No memory is mapped there.")];
    if (gates.length === 0) return [where, note("It has no gates.")];
    const name = (vector: number): string => nameVector(vector, form === "real" ? [] : controllers);
    const rows = runs(gates).map(([first, last]) =>
      first.present ? gateRow(first, name(first.vector), guide) : absentRow(first.vector, last.vector, name),
    );
    const caption = "Interrupt descriptor table";
    const headings = ["Vector", "For", "Handler", "Gate"];
    return [where, ...(form === "real" ? [note(REAL_MODE)] : []), table(caption, headings, rows)];
  },
});

/** Each gate that is present on its own, those that are not in runs from the first to the last. */
function runs(gates: readonly Gate[]): (readonly [first: Gate, last: Gate])[] {
  const found: (readonly [Gate, Gate])[] = [];
  for (const gate of gates) {
    const run = found.at(-1);
    if (run !== undefined && !run[0].present && !gate.present) found[found.length - 1] = [run[0], gate];
    else found.push([gate, gate]);
  }
  return found;
}

function gateRow(gate: Gate, name: string, guide: Guide): Content[] {
  const stack = gate.stack === 0 ? "" : `, stack ${gate.stack}`;
  const form =
    gate.type === "far pointer"
      ? literal(`${gate.selector.toString(16).padStart(4, "0")}:${gate.offset.toString(16).padStart(4, "0")}`)
      : `${gate.type}, selector ${hex(gate.selector, 2)}, privilege ${gate.privilege}${stack}`;
  const handler = gate.type === "far pointer" ? "" : guide.describe(gate.offset);
  return [String(gate.vector), name, handler, form];
}

function absentRow(first: number, last: number, name: (vector: number) => string): Content[] {
  const range = first === last ? String(first) : `${first}–${last}`;
  return [range, first === last ? name(first) : "", element("span", "quiet", "not present"), ""];
}
