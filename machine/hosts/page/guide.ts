/** From addresses of the guest to names and lines of the book, and from those to links into its pages. */
import type { AddressMap, MapPlace } from "../../debug/map.ts";
import { type Content, element, hex, literal } from "./inspectors/markup.ts";

/** Where the book can be read; either may be missing. */
export interface BookSource {
  /** The files that the map names, as Markdown, are found relative to this. */
  readonly sources: URL | null;
  /** The pages made from them are here: `book/02-….md` → `02-….html`. */
  readonly pages: URL | null;
}

const FENCE = /^\s*```\S/;
const CHAPTER = /(?:^|\/)0*(\d+)-[^/]*\.md$/;
const APPENDIX = /(?:^|\/)machine-([a-z]\d*)-[^/]*\.md$/;
/** A place as `AddressMap.describe` and the stories of faults write it. */
const PLACE = /([\w./-]+\.md):(\d+)/g;

export class Guide {
  /** Lines of a file, or null while it is being fetched and where it cannot be. */
  private readonly files = new Map<string, readonly string[] | null>();

  /** `arrived` is called when a text has come that was missing before. */
  constructor(
    private readonly map: AddressMap | null,
    private readonly book: BookSource,
    private readonly arrived: () => void,
  ) {}

  placeOf(address: bigint): MapPlace | null {
    return this.map?.placeOf(address) ?? null;
  }

  /** The name of the symbol that begins here. */
  labelOf(address: bigint): string | null {
    const symbol = this.map?.symbolOf(address) ?? null;
    return symbol?.offset === 0 ? symbol.name : null;
  }

  /** An address of the kernel: its symbol's name, linked to the line that it comes from, or the bare number. */
  describe(address: bigint): Content {
    const symbol = this.map?.symbolOf(address) ?? null;
    if (symbol === null) return literal(hex(address));
    const name = symbol.offset === 0 ? symbol.name : `${symbol.name}+${hex(symbol.offset)}`;
    const place = this.placeOf(address);
    const text = element("code", "", ...breakable(name));
    const shown = place === null ? text : this.link(place, text);
    shown.title = hex(address);
    return shown;
  }

  /** A line of the function with this name, linked; null where the map does not know the function. */
  lineOf(symbol: string, line: number): Content | null {
    const address = this.map?.addressOf(symbol)?.address ?? null;
    const place = address === null ? null : this.placeOf(address);
    return place === null ? null : this.link({ ...place, line }, `line ${line}`);
  }

  /** The top of a stack, which is the first byte after it. */
  describeTop(address: bigint): Content {
    const symbol = this.map?.symbolOf(address - 1n) ?? null;
    const number = literal(hex(address));
    if (symbol === null) return number;
    return element("span", "", number, ", end of ", element("code", "", ...breakable(symbol.name)));
  }

  /** `chapter 3, line 120`, linked, and the text of that line. */
  quote(place: MapPlace): HTMLElement {
    const text = this.lines(place.file)?.[place.line - 1]?.trim() ?? "";
    return element("span", "place", this.link(place, nameOf(place)), text === "" ? "" : element("code", "", text));
  }

  /** A text with every place in it made a link. */
  linked(text: string): Content[] {
    const content: Content[] = [];
    let end = 0;
    for (const match of text.matchAll(PLACE)) {
      const place = { file: match[1]!, line: Number(match[2]), column: 1 };
      content.push(text.slice(end, match.index), this.link(place, nameOf(place)));
      end = match.index + match[0].length;
    }
    return [...content, text.slice(end)];
  }

  private link({ file, line }: MapPlace, content: Content): HTMLElement {
    const { pages } = this.book;
    if (pages === null) return element("span", "", content);
    const anchor = element("a", "", content) as HTMLAnchorElement;
    const url = new URL(file.replace(/^.*\//, "").replace(/\.md$/, ".html"), pages);
    const fence = this.fenceBefore(file, line);
    if (fence !== null) url.hash = `L${fence}`;
    anchor.href = url.href;
    return anchor;
  }

  /** The line of the fence that opens the block in which `line` stands; pages have an anchor of that name. */
  private fenceBefore(file: string, line: number): number | null {
    const lines = this.lines(file);
    if (lines === null) return null;
    for (let at = line; at > 0; at--) if (FENCE.test(lines[at - 1] ?? "")) return at;
    return null;
  }

  private lines(file: string): readonly string[] | null {
    const known = this.files.get(file);
    if (known !== undefined) return known;
    this.files.set(file, null);
    if (this.book.sources !== null) void this.fetch(new URL(file, this.book.sources), file);
    return null;
  }

  private async fetch(url: URL, file: string): Promise<void> {
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok) return;
    this.files.set(file, (await answer.text()).split(/\r\n|\r|\n/));
    this.arrived();
  }
}

/** A long name of the kernel, which may go on in the next line after its module. */
function breakable(name: string): Content[] {
  return name.split(/(?<=[/:])/).flatMap((part) => [part, document.createElement("wbr")]);
}

function nameOf({ file, line }: MapPlace): string {
  const chapter = CHAPTER.exec(file)?.[1];
  const appendix = APPENDIX.exec(file)?.[1]?.toUpperCase();
  const name = chapter !== undefined ? `chapter ${chapter}` : appendix !== undefined ? `appendix ${appendix}` : file;
  return `${name}, line ${line}`;
}
