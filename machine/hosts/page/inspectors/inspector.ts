/** What every inspector is: a name, a title, and a way to show what was seen of the machine. */
import type { AskedAddress } from "../../../debug/address.ts";
import type { Inspections, InspectorName } from "../../../debug/inspection.ts";
import type { Guide } from "../guide.ts";
import type { Content } from "./markup.ts";

export interface Inspector<Name extends InspectorName = InspectorName> {
  readonly name: Name;
  /** The panel's heading. */
  readonly title: string;
  /** What the reader can ask it, above what it shows. */
  readonly controls?: (asking: Asking) => HTMLElement;
  /** `before`: what it showed last of the same machine; null at first. */
  readonly show: (seen: Inspections[Name], guide: Guide, before: Inspections[Name] | null) => Content[];
}

/** How the controls of an inspector ask. */
export interface Asking {
  /** An address as it was typed; null where it is none. */
  readonly parse: (text: string) => AskedAddress | null;
  /** Asks for the way of an address through the page tables. */
  readonly walk: (address: AskedAddress) => void;
}

/** Keeps the name and the type of what is seen together. */
export function inspector<Name extends InspectorName>(made: Inspector<Name>): Inspector<Name> {
  return made;
}
