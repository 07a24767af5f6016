/** What memory is used for: every frame of physical memory in a map, and all that is mapped. */
import type { MemoryMapView, PhysicalRange, Purpose, VirtualRange } from "../../../debug/memory-map.ts";
import { COLUMNS, cellMap, swatch } from "./cell-map.ts";
import { type Inspector, inspector } from "./inspector.ts";
import { type Content, element, foldable, hex, literal, note, size, table } from "./markup.ts";

/** What a purpose is called. */
const NAMES: Readonly<Record<Purpose, string>> = {
  free: "free",
  reserved: "reserved, or no memory",
  firmware: "firmware",
  screen: "text screen",
  kernel: "kernel",
  stack: "the kernel's stack",
  "page tables": "page tables",
  "boot loader": "left by the boot loader",
  heap: "heap",
  "handed out": "handed out by the frame allocator",
  window: "window on physical memory",
  mapped: "mapped by the kernel",
};

const PAGE = 4096;
/** Cells of the map; each stands for one frame until memory is larger than this many. */
const MOST_CELLS = 8192;

export const memory: Inspector<"memory"> = inspector({
  name: "memory",
  title: "Memory map",
  show({ ranges, physical, virtual, cut }) {
    return [
      ...physicalMap(physical),
      foldable("ranges", false, ["Physical memory, range by range"], physicalTable(physical)),
      foldable("firmware", false, ["What the firmware says (E820)"], firmwareTable(ranges)),
      foldable("virtual", true, ["What is mapped"], ...virtualTable(virtual, cut)),
    ];
  },
});

const kindOf = (purpose: Purpose): string => purpose.replace(" ", "-");

function physicalMap(physical: readonly PhysicalRange[]): Content[] {
  const frames = physical.reduce((sum, { bytes }) => sum + bytes / PAGE, 0);
  const perCell = Math.max(1, Math.ceil(frames / MOST_CELLS));
  const runs = physical.map(({ base, bytes, purpose }) => ({
    from: Math.floor(base / PAGE / perCell),
    to: Math.ceil((base + bytes) / PAGE / perCell),
    kind: kindOf(purpose),
    title: `${NAMES[purpose]}: ${size(bytes)} from ${hex(base)}`,
  }));
  const totals = new Map<Purpose, number>();
  for (const { purpose, bytes } of physical) totals.set(purpose, (totals.get(purpose) ?? 0) + bytes);
  const rows = [...totals].map(([purpose, bytes]): Content[] => [
    element("span", "key", swatch(kindOf(purpose)), NAMES[purpose]),
    size(bytes),
    (bytes / PAGE).toLocaleString("en"),
  ]);
  const label = `Physical memory, ${frames.toLocaleString("en")} frames, by what they are used for`;
  // A long free end would be an empty rectangle.
  const last = physical.at(-1);
  const rest = last?.purpose === "free" ? last : null;
  const shown = rest === null ? frames : rest.base / PAGE;
  const after = rest === null ? "" : ` After the cells shown, ${size(rest.bytes)} more are free.`;
  return [
    note(
      `Physical memory: ${size(frames * PAGE)}. A cell is ${size(perCell * PAGE)}, a row ${size(perCell * PAGE * COLUMNS)}.${after}`,
    ),
    cellMap(label, Math.ceil(shown / perCell), rest === null ? runs : runs.slice(0, -1)),
    table("Physical memory by purpose", ["For", "Size", "Frames"], rows),
  ];
}

function physicalTable(physical: readonly PhysicalRange[]): HTMLElement {
  const rows = physical.map(({ base, bytes, purpose }): Content[] => [
    literal(hex(base)),
    size(bytes),
    element("span", "key", swatch(kindOf(purpose)), NAMES[purpose]),
  ]);
  return table("Physical memory, range by range", ["From", "Size", "For"], rows);
}

function firmwareTable(ranges: MemoryMapView["ranges"]): HTMLElement {
  if (ranges === null) return note("The boot loader has not handed over to the kernel yet.");
  const rows = ranges.map(({ base, length, kind }): Content[] => [literal(hex(base)), size(length), kind]);
  return table("The firmware's memory map", ["From", "Size", "Kind"], rows);
}

function virtualTable(virtual: MemoryMapView["virtual"], cut: boolean): Content[] {
  if (virtual === null) return [note("Paging is off: every linear address is a physical one.")];
  const rows = virtual.map((range): Content[] => [
    literal(hex(range.address)),
    size(range.bytes),
    permissions(range),
    element("span", "key", swatch(kindOf(range.purpose)), nameOf(range)),
    range.contiguous ? literal(hex(range.physical)) : "scattered",
  ]);
  const headings = ["From", "Size", "May", "What", "Physical"];
  return [
    table("What is mapped", headings, rows),
    ...(cut ? [note("Some page tables were not followed; they may map more.")] : []),
  ];
}

function nameOf({ purpose, writable, executable }: VirtualRange): string {
  if (purpose !== "kernel") return NAMES[purpose];
  return `kernel: ${executable ? "code" : writable ? "variables" : "constants"}`;
}

function permissions({ writable, executable, user }: VirtualRange): string {
  const words = ["read", ...(writable ? ["write"] : []), ...(executable ? ["run"] : [])];
  return `${words.join(", ")}${user ? "; users too" : ""}`;
}
