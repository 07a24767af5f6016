/** A map of memory: one cell for so many bytes, row by row, each in the colour of what it is used for. */

const SVG = "http://www.w3.org/2000/svg";
/** Cells of a row. */
export const COLUMNS = 128;

/** Cells `from` to before `to`. */
export interface CellRun {
  readonly from: number;
  readonly to: number;
  /** The style sheet has a colour for `kind-NAME`. */
  readonly kind: string;
  /** Shown where the pointer rests on it. */
  readonly title: string;
}

/** `label` says in words what the map shows; a table beside it says the rest. */
export function cellMap(label: string, cells: number, runs: readonly CellRun[]): SVGElement {
  const rows = Math.ceil(cells / COLUMNS);
  const svg = make("svg", { viewBox: `0 0 ${COLUMNS} ${rows}`, role: "img", "aria-label": label, class: "cell-map" });
  svg.setAttribute("preserveAspectRatio", "none");
  for (const { from, to, kind, title } of runs) {
    const path = make("path", { d: outline(from, to), class: `kind-${kind}` });
    const text = make("title", {});
    text.textContent = title;
    path.append(text);
    svg.append(path);
  }
  return svg;
}

/** The rest of the first row, the whole rows, and the beginning of the last. */
function outline(from: number, to: number): string {
  const pieces: string[] = [];
  const rectangle = (x: number, y: number, width: number, height: number): void => {
    if (width > 0 && height > 0) pieces.push(`M${x} ${y}h${width}v${height}h${-width}z`);
  };
  const [first, last] = [Math.floor(from / COLUMNS), Math.floor(to / COLUMNS)];
  const [left, right] = [from % COLUMNS, to % COLUMNS];
  if (first === last) rectangle(left, first, right - left, 1);
  else {
    const whole = left === 0 ? first : first + 1;
    if (left > 0) rectangle(left, first, COLUMNS - left, 1);
    rectangle(0, whole, COLUMNS, last - whole);
    rectangle(0, last, right, 1);
  }
  return pieces.join("");
}

function make(tag: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A square in the colour of a kind, for the table that goes with the map. */
export function swatch(kind: string): SVGElement {
  const svg = make("svg", { viewBox: "0 0 1 1", class: "swatch", "aria-hidden": "true" });
  svg.append(make("path", { d: "M0 0h1v1h-1z", class: `kind-${kind}` }));
  return svg;
}
