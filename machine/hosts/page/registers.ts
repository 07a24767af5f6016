/** The register inspector: general registers, flags by name, segments, control registers, and the next instructions. */
import type { AddressMap } from "../../debug/map.ts";
import type { RegisterFile } from "./protocol.ts";

/** RFLAGS bits by their names in the manual. Intel SDM vol. 1, figure 3-8. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0, "CF"],
  [2, "PF"],
  [4, "AF"],
  [6, "ZF"],
  [7, "SF"],
  [8, "TF"],
  [9, "IF"],
  [10, "DF"],
  [11, "OF"],
];

const hex = (value: bigint, bits: number): string => value.toString(16).padStart(bits / 4, "0");

/** Shows a `RegisterFile`; values that changed since the last one are marked. */
export class RegisterInspector {
  readonly element: HTMLElement;
  private previous = new Map<string, bigint>();

  constructor(private readonly document: Document) {
    this.element = document.createElement("div");
    this.element.className = "inspector";
    this.element.setAttribute("part", "registers");
    this.clear("Pause the machine to see its registers.");
  }

  clear(message: string): void {
    this.previous.clear();
    this.element.replaceChildren(this.make("p", "hint", message));
  }

  show(file: RegisterFile, map: AddressMap | null): void {
    const table = this.make("dl", "registers");
    for (const { name, value, bits } of file.values) {
      const row = this.make("div", this.previous.get(name) !== value && this.previous.size > 0 ? "changed" : "");
      const text = name === "rflags" ? `${hex(value, 32)} ${this.flags(value)}` : hex(value, bits);
      row.append(this.make("dt", "", name), this.make("dd", `r-${name}`, text));
      table.append(row);
    }
    this.previous = new Map(file.values.map(({ name, value }) => [name, value]));
    this.element.replaceChildren(this.make("p", "mode", `${file.mode}-bit code`), table, this.listing(file, map));
  }

  private flags(value: bigint): string {
    const set = FLAGS.filter(([bit]) => ((value >> BigInt(bit)) & 1n) === 1n).map(([, name]) => name);
    return set.length > 0 ? set.join(" ") : "none set";
  }

  private listing(file: RegisterFile, map: AddressMap | null): HTMLElement {
    const list = this.make("ol", "listing");
    let shownPlace = "";
    for (const { address, bytes, text } of file.code) {
      const item = this.make("li", address === file.rip ? "current" : "");
      const place = map?.placeOf(address) ?? null;
      const label = place === null ? "" : `${place.file.replace(/^book\//, "")}:${place.line}`;
      if (label !== "" && label !== shownPlace) item.append(this.make("span", "place", label));
      shownPlace = label;
      const dump = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      item.append(
        this.make("span", "address", hex(address, address > 0xffff_ffffn ? 64 : 32)),
        this.make("span", "bytes", dump),
        this.make("code", "", text),
      );
      list.append(item);
    }
    return list;
  }

  private make(tag: string, className: string, text?: string): HTMLElement {
    const element = this.document.createElement(tag);
    if (className !== "") element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }
}
