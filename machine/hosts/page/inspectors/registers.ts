/** The registers, with the flags by name; those that changed since the last look are marked. */
import { setFlags } from "../../../debug/flags.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { element, note } from "./markup.ts";

const SELECTORS: ReadonlySet<string> = new Set(["cs", "ds", "es", "fs", "gs", "ss"]);

export const registers: Inspector<"registers"> = inspector({
  name: "registers",
  title: "Registers",
  show({ mode, ...values }, _guide, before) {
    const list = element("dl", "registers");
    for (const [name, value] of Object.entries(values)) {
      const changed = before !== null && before[name as keyof typeof values] !== value;
      const digits = SELECTORS.has(name) ? 4 : name === "rflags" ? 8 : 16;
      const shown = element("dd", `r-${name}`, value.toString(16).padStart(digits, "0"));
      if (name === "rflags") shown.append(" ", ...flagNames(value));
      list.append(element("div", changed ? "changed" : "", element("dt", "", name), shown));
    }
    return [note(`${mode}-bit code`), list];
  },
});

function flagNames(rflags: bigint): (Node | string)[] {
  const set = setFlags(rflags);
  if (set.length === 0) return ["no flag set"];
  return set.flatMap(({ name, meaning }, index) => {
    const abbreviation = element("abbr", "", name);
    abbreviation.title = meaning;
    return index === 0 ? [abbreviation] : [" ", abbreviation];
  });
}
