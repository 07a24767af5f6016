/** The page tables: the way of any address through them, and all of them as a tree. */
import type { PagesView } from "../../../debug/inspection.ts";
import type { EntryRun, PageTree, TableNode } from "../../../debug/page-tables.ts";
import { ENTRY_NAMES, type EntryBit, TABLE_NAMES, type Verdict, type Walk } from "../../../debug/paging.ts";
import { type Asking, type Inspector, inspector } from "./inspector.ts";
import { type Content, element, foldable, hex, literal, note, size, table } from "./markup.ts";

/** Registers whose addresses are worth a button. */
const OFFERED = ["rip", "rsp", "cr2"] as const;

export const pages: Inspector<"pages"> = inspector({
  name: "pages",
  title: "Page tables",
  controls: addressField,
  show({ asked, walk, tree }) {
    if (walk === null) return [note("Paging is off: every linear address is a physical one.")];
    return [...showWalk(asked, walk), ...showTree(tree, walk)];
  },
});

function addressField({ parse, walk }: Asking): HTMLElement {
  const input = element("input", "") as HTMLInputElement;
  Object.assign(input, { type: "text", value: "rip", spellcheck: false, autocapitalize: "off", autocomplete: "off" });
  const mistake = element("span", "mistake");
  mistake.setAttribute("role", "status");
  const ask = (): void => {
    const address = parse(input.value);
    mistake.textContent = address === null ? "That is no address, register or name of the kernel." : "";
    input.setAttribute("aria-invalid", String(address === null));
    if (address !== null) walk(address);
  };
  input.addEventListener("change", ask);
  const buttons = OFFERED.map((name) => {
    const button = element("button", "", name) as HTMLButtonElement;
    button.type = "button";
    button.setAttribute("aria-label", `The way of the address in ${name}`);
    button.addEventListener("click", () => {
      input.value = name;
      ask();
    });
    return button;
  });
  const label = element("label", "", "The way of ", input);
  input.title = "An address, a register, or a name of the kernel; Enter shows its way";
  return element("div", "ask", label, ...buttons, mistake);
}

function showWalk(asked: PagesView["asked"], walk: Walk): Content[] {
  const { address, canonical, steps, physical, pageBytes, verdicts } = walk;
  const from = typeof asked === "string" ? `${asked} = ${hex(address)}` : hex(address);
  if (!canonical)
    return [note(literal(from), " is not canonical: bits 63 to 48 are not copies of bit 47. No table is looked at.")];
  const rows = steps.map(({ level, index, at, entry, bits }, step): Content[] => [
    `${ENTRY_NAMES[level]} ${index}`,
    literal(hex(at)),
    literal(hex(entry)),
    element("span", "", ...((entry & 1n) === 0n ? [] : [...bitNames(bits), " "]), ...refusals(walk, step)),
  ]);
  const end =
    physical === null || pageBytes === null
      ? note(literal(from), " leads nowhere.")
      : note(literal(from), " is physical ", literal(hex(physical)), `, in a page of ${size(pageBytes)}.`);
  return [
    end,
    table("The way of the address through the tables", ["Entry", "At", "Holds", "Bits"], rows),
    verdictTable(verdicts, steps),
  ];
}

/** What an entry keeps from happening, for whoever runs now. */
function refusals({ verdicts, user }: Walk, step: number): Content[] {
  const mine = verdicts.filter((verdict) => verdict.user === user && verdict.refusal?.step === step);
  if (mine.length === 0) return [];
  const whys = new Set(mine.map(({ refusal }) => refusal!.why.replace(/^(is|has) /, "")));
  const acts = mine.length === 3 ? "everything" : mine.map(({ act }) => act).join(", ");
  return [element("strong", "", `refuses ${acts}: ${[...whys].join(", ")}`)];
}

function verdictTable(verdicts: readonly Verdict[], steps: Walk["steps"]): HTMLElement {
  const cell = (verdict: Verdict): Content => {
    if (verdict.refusal === null) return "yes";
    const { step, why } = verdict.refusal;
    const entry = step === null ? "" : `${ENTRY_NAMES[steps[step]!.level]} ${steps[step]!.index} `;
    return element("strong", "", `no: ${entry}${why}`);
  };
  const rows = [false, true].map((user): Content[] => [
    user ? "a user's program" : "the kernel",
    ...verdicts.filter((verdict) => verdict.user === user).map(cell),
  ]);
  return table("Who may do what there", ["May", "read", "write", "run"], rows);
}

function bitNames(bits: readonly EntryBit[]): Content[] {
  if (bits.length === 0) return [element("span", "quiet", "present")];
  return bits.flatMap(({ name, meaning }, index) => {
    const abbreviation = element("abbr", "", name);
    abbreviation.title = meaning;
    return index === 0 ? [abbreviation] : [" ", abbreviation];
  });
}

function showTree({ form, root, tables, cut }: PageTree, walk: Walk): Content[] {
  if (root === null) return [];
  const count = `${tables.length} ${tables.length === 1 ? "table" : "tables"} of 4 KiB`;
  const way = new Set(walk.steps.map(({ at, index }) => `${at - index * form.entryBytes}:${index}`));
  return [
    note(`${count}, from CR3 = `, literal(hex(form.root)), ":"),
    tableList(root, "", way),
    ...(cut ? [note("Some tables lead back to tables above them, or are too many: they are not followed.")] : []),
  ];
}

function tableList(node: TableNode, key: string, way: ReadonlySet<string>): HTMLElement {
  const items = node.runs.map((run) => {
    const onWay = [...way].some((place) => {
      const [at, index] = place.split(":").map(Number);
      return at === node.at && index! >= run.first && index! <= run.last;
    });
    const item = element("li", onWay ? "on-way" : "", runEntry(node, run, `${key}/${run.first}`, way));
    if (onWay) item.setAttribute("aria-current", "true");
    return item;
  });
  return items.length === 0 ? note("No entry is present.") : element("ul", "tree", ...items);
}

function runEntry(node: TableNode, run: EntryRun, key: string, way: ReadonlySet<string>): HTMLElement {
  const { first, last, address, target, bits, table: below } = run;
  const index = element("span", "index", first === last ? String(first) : `${first}–${last}`);
  const from = literal(hex(address, 16));
  if (below === null) {
    return element(
      "span",
      "",
      index,
      " ",
      from,
      " ",
      pagesText(node, run),
      " at ",
      literal(hex(target)),
      " ",
      ...marks(run),
    );
  }
  const name = TABLE_NAMES[below.level]!;
  const summary = [index, " ", from, ` ${name} at `, literal(hex(target)), " ", ...bitNames(bits)];
  // The first two levels show how the address space is divided; what is below comes when it is asked for.
  return foldable(key, node.level === 4, summary, tableList(below, key, way));
}

function pagesText({ level }: TableNode, { first, last, bytes }: EntryRun): string {
  const count = last - first + 1;
  const page = size(bytes / BigInt(count));
  return count === 1 ? `a page of ${page}${level > 1 ? ", large" : ""}` : `${count} pages of ${page}`;
}

/** Bits that all the pages have, and how many of them were used. */
function marks({ first, last, bits, accessed, dirty }: EntryRun): Content[] {
  if (first === last) return bitNames(bits);
  const used = accessed === 0 ? "none used" : `${accessed} used, ${dirty} written to`;
  return [...bitNames(bits), element("span", "quiet", `; ${used}`)];
}
