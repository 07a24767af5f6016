/** Finds words in the book: which sections have them all, which of these come first, and what to show of each. */
import type { SearchIndex, SearchSection } from "../render/search-index.ts";

export interface Found {
  readonly href: string;
  /** `Chapter 3, VGA text mode`. */
  readonly where: string;
  readonly heading: string;
  /** Some words around the first match: pieces that match and pieces that do not, in turn, beginning with one that does not. */
  readonly excerpt: readonly string[];
}

/** Results beyond these are not looked at by anyone. */
const MOST = 30;
const EXCERPT = 170;

/** The words of a query; a word matches wherever it stands inside another, capitals or not. */
export function wordsOf(query: string): string[] {
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** Sections with all the words, the best first; equal ones in the order of the book. */
export function search(index: SearchIndex, query: string): Found[] {
  const words = wordsOf(query);
  if (words.length === 0 || words.join("").length < 2) return [];
  return index.sections
    .map((section) => ({ section, score: scoreOf(section, words, index) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST)
    .map(({ section }) => show(section, words, index));
}

/** 0 where a word is missing. A word in the heading counts most, then the number of times it is in the text. */
function scoreOf([page, id, heading, text]: SearchSection, words: readonly string[], index: SearchIndex): number {
  const lowerHeading = heading.toLowerCase();
  const lowerText = text.toLowerCase();
  const title = id === "" ? index.pages[page]!.title.toLowerCase() : "";
  let score = 0;
  for (const word of words) {
    const inText = lowerText.split(word).length - 1;
    const inHeading = lowerHeading.includes(word) || title.includes(word);
    if (inText === 0 && !inHeading) return 0;
    score += (inHeading ? 20 : 0) + (startsWord(lowerHeading, word) ? 20 : 0) + Math.min(inText, 8);
  }
  return score;
}

function startsWord(text: string, word: string): boolean {
  return ` ${text}`.includes(` ${word}`);
}

function show([page, id, heading, text]: SearchSection, words: readonly string[], index: SearchIndex): Found {
  const { href, label, title } = index.pages[page]!;
  const lower = text.toLowerCase();
  const places = words.map((word) => lower.indexOf(word)).filter((at) => at >= 0);
  const first = places.length === 0 ? 0 : Math.min(...places);
  const from = first < 40 ? 0 : text.lastIndexOf(" ", first - 30) + 1;
  const to = from + EXCERPT >= text.length ? text.length : text.lastIndexOf(" ", from + EXCERPT);
  const piece = `${from > 0 ? "… " : ""}${text.slice(from, to)}${to < text.length ? " …" : ""}`;
  return {
    href: id === "" ? href : `${href}#${id}`,
    where: `${label}, ${title}`,
    heading,
    excerpt: split(piece, words),
  };
}

function split(text: string, words: readonly string[]): string[] {
  const pattern = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(${pattern})`, "gi"));
}
