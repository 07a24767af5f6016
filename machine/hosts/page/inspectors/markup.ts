/** Elements that the inspectors are made of. */

export type Content = Node | string;

/** An element with a class, or none where `className` is empty, and its children. */
export function element(tag: string, className: string, ...children: Content[]): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** A table whose first column names the row. `caption` is for those who cannot see what the panel is called. */
export function table(
  caption: string,
  headings: readonly string[],
  rows: readonly (readonly Content[])[],
): HTMLElement {
  const head = headings.map((heading) => {
    const cell = element("th", "", heading);
    cell.setAttribute("scope", "col");
    return cell;
  });
  const body = rows.map((row) => {
    const cells = row.map((content, column) => {
      const cell = element(column === 0 ? "th" : "td", "", content);
      if (column === 0) cell.setAttribute("scope", "row");
      return cell;
    });
    return element("tr", "", ...cells);
  });
  return element(
    "table",
    "",
    element("caption", "unseen", caption),
    element("thead", "", element("tr", "", ...head)),
    element("tbody", "", ...body),
  );
}

/** A sentence above or instead of a table. */
export function note(...content: Content[]): HTMLElement {
  return element("p", "note", ...content);
}

/** Text in the machine's own type: a number, an address, a name of the kernel. */
export function literal(text: string): HTMLElement {
  return element("code", "", text);
}

export function hex(value: bigint | number, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** Bytes in the largest unit that divides them: `102,400 bytes`, `16 KiB`, `4 GiB`. */
export function size(bytes: bigint | number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = BigInt(bytes);
  let unit = 0;
  for (; unit < units.length - 1 && value >= 1024n && value % 1024n === 0n; unit++) value /= 1024n;
  return value === 1n && unit === 0 ? "1 byte" : `${value.toLocaleString("en")} ${units[unit]}`;
}

/** Content that can be folded away; it stays as the reader left it while its panel is drawn anew. */
export function foldable(key: string, open: boolean, summary: readonly Content[], ...content: Content[]): HTMLElement {
  const details = element("details", "fold", element("summary", "", ...summary), ...content) as HTMLDetailsElement;
  details.dataset.key = key;
  details.open = open;
  return details;
}
