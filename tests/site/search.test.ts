/** The search of the book: its index, and what it finds. */
import { expect, test } from "vitest";
import { search } from "../../site/client/search-words.ts";
import { buildSearchIndex, type SearchIndex } from "../../site/render/search-index.ts";
import { readBook } from "../../tangle/literate/tangle.ts";

const TEXT = `---
title: Small things
milestone: 1
summary: What is small.
inspect: [registers]
---

# Small things

An opening with a \`lidt\` in it.

## The *first* part

Words about
gates, and a table:

| a | b |
|---|---|
| one cell | another |

\`\`\`ts example
const gate = 1;
\`\`\`

## The first part

The same heading again, about doors.
`;

function index(): SearchIndex {
  const files = [{ path: "book/01-small-things.md", text: TEXT }];
  return buildSearchIndex(readBook(files).book, files);
}

test("every section is in the index with its anchor and its words, of text, tables and code", () => {
  const { pages, sections } = index();
  expect(pages).toEqual([{ href: "01-small-things.html", label: "Chapter 1", title: "Small things" }]);
  expect(sections.map(([, id, heading]) => [id, heading])).toEqual([
    ["", "Small things"],
    ["the-first-part", "The first part"],
    ["the-first-part-1", "The first part"],
  ]);
  expect(sections[0]![3]).toBe("What is small. An opening with a lidt in it.");
  expect(sections[1]![3]).toBe("Words about gates, and a table: a b one cell another const gate = 1;");
});

test("all words must be there, capitals or not, and a match in a heading comes first", () => {
  const hrefs = (query: string): string[] => search(index(), query).map(({ href }) => href);
  expect(hrefs("GATE")).toEqual(["01-small-things.html#the-first-part"]);
  expect(hrefs("gate doors")).toEqual([]);
  expect(hrefs("small")).toEqual(["01-small-things.html"]);
  expect(hrefs("first doors")).toEqual(["01-small-things.html#the-first-part-1"]);
  expect(hrefs("x")).toEqual([]);
  expect(hrefs("  ")).toEqual([]);
});

test("the words stand out in an excerpt around the first of them; signs that mean something to a pattern are words too", () => {
  const [found] = search(index(), "lidt");
  expect(found!.excerpt.filter((_, piece) => piece % 2 === 1)).toEqual(["lidt"]);
  expect(found!.where).toBe("Chapter 1, Small things");
  expect(search(index(), "gate = 1;")).toHaveLength(1);
  expect(search(index(), "ga(te")).toHaveLength(0);
});
