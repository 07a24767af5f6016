/** The search of the whole book: loaded when it is first opened. The index is one file of the site. */
import type { SearchIndex } from "../render/search-index.ts";
import { type Found, search } from "./search-words.ts";

let index: Promise<SearchIndex> | null = null;

function loadIndex(): Promise<SearchIndex> {
  index ??= fetch("search.json").then((answer) => {
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    return answer.json() as Promise<SearchIndex>;
  });
  // A failure is not kept: the next key may have more luck.
  index.catch(() => {
    index = null;
  });
  return index;
}

function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const input = element("input", { type: "search", autocomplete: "off", spellcheck: false });
const status = element("p", { className: "search-status" });
const results = element("ol", { className: "search-results" });
const dialog = element("dialog", { className: "search" });

function build(): void {
  input.setAttribute("aria-label", "Words to look for in the book");
  input.placeholder = "Words to look for in the book";
  status.setAttribute("role", "status");
  dialog.setAttribute("aria-label", "Search");
  const close = element("button", { type: "button", textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(element("div", { className: "search-head" }, input, close), status, results);
  input.addEventListener("input", () => void show());
  dialog.addEventListener("keydown", move);
  // A click beside the box, which is on the dialog itself.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
}

async function show(): Promise<void> {
  const query = input.value;
  try {
    const found = search(await loadIndex(), query);
    if (query !== input.value) return; // another key has come meanwhile
    results.replaceChildren(...found.map(item));
    status.textContent = query.trim().length < 2 ? "" : tellCount(found.length);
  } catch (error) {
    status.textContent = `The index cannot be loaded: ${(error as Error).message}.`;
  }
}

const tellCount = (count: number): string =>
  count === 0 ? "Nothing has all these words." : `${count} ${count === 1 ? "section" : "sections"}`;

function item({ href, where, heading, excerpt }: Found): HTMLLIElement {
  const words = excerpt.map((piece, index) => (index % 2 === 1 ? element("mark", {}, piece) : piece));
  const link = element(
    "a",
    { href },
    element("span", { className: "search-heading" }, heading),
    element("span", { className: "search-where" }, where),
    element("span", { className: "search-excerpt" }, ...words),
  );
  // The section may be on this very page.
  link.addEventListener("click", () => dialog.close());
  return element("li", {}, link);
}

/** Arrows go through the results and back to the field; Enter in the field opens the first. */
function move(event: KeyboardEvent): void {
  const links = [...results.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  if (event.key === "ArrowDown") links[Math.min(at + 1, links.length - 1)]?.focus();
  else if (event.key === "ArrowUp") (links[at - 1] ?? input).focus();
  else if (event.key === "Enter" && document.activeElement === input) links[0]?.click();
  else return;
  event.preventDefault();
}

/** Opens the search with the field ready to be typed into. */
export function openSearch(): void {
  if (!dialog.isConnected) build();
  if (!dialog.open) dialog.showModal();
  input.select();
  void loadIndex().catch(() => undefined);
}
