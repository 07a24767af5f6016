/** What a page can do beyond being read: switch its colours, copy code, reload while its book is being edited. */
import type {} from "../../machine/hosts/page/api.ts";
import { addTestButton } from "./kernel-tests.ts";
import { THEME_KEY } from "./theme-key.ts";

function addThemeButton(): void {
  const root = document.documentElement;
  const isDark = (): boolean =>
    root.dataset.theme === undefined
      ? matchMedia("(prefers-color-scheme: dark)").matches
      : root.dataset.theme === "dark";
  const button = document.createElement("button");
  button.type = "button";
  button.className = "theme";
  const label = (): void => {
    button.textContent = isDark() ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(THEME_KEY, root.dataset.theme);
    } catch {
      // Storage is off: the choice lasts for this page.
    }
    label();
  });
  label();
  document.querySelector(".masthead")?.append(button);
}

function addCopyButtons(): void {
  for (const block of document.querySelectorAll<HTMLElement>("figure.block")) {
    const code = block.querySelector("pre code");
    const caption = block.querySelector("figcaption");
    if (code === null || caption === null) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tools";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const lines = [...code.querySelectorAll(".line")].map((line) => line.textContent);
      try {
        await navigator.clipboard.writeText(`${lines.join("\n")}\n`);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => {
        button.textContent = "Copy";
      }, 1500);
    });
    caption.append(button);
  }
}

/** The buttons under the machine put the disk of the chapter, or of one of its variants, into it and switch it on. */
function addVariantButtons(): void {
  for (const group of document.querySelectorAll<HTMLElement>(".variants")) {
    const machine = group.parentElement?.querySelector("taiji-machine");
    const buttons = [...group.querySelectorAll("button")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        machine?.setAttribute("map", button.dataset.map ?? "");
        machine?.setAttribute("src", button.dataset.image ?? "");
        // A failure to load is shown by the element itself.
        void machine?.power().catch(() => undefined);
      });
    }
  }
}

/** A button, and the key `/`, for the search, whose script comes when it is asked for. */
function addSearch(): void {
  const open = async (): Promise<void> => {
    const { openSearch } = await import("./search.ts");
    openSearch();
  };
  const button = document.createElement("button");
  button.type = "button";
  button.className = "search-button";
  button.textContent = "Search";
  button.setAttribute("aria-keyshortcuts", "/");
  button.title = "Search the book: /";
  button.addEventListener("click", () => void open());
  document.querySelector(".masthead")?.append(button);
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    const isTyping = target instanceof Element && target.closest("input, textarea, taiji-machine") !== null;
    if (key !== "/" || ctrlKey || metaKey || altKey || isTyping) return;
    event.preventDefault();
    void open();
  });
}

/** While the development server builds the kernel of a page, it lets those who ask for its disk wait. */
async function tellWaiting(): Promise<void> {
  const machine = document.querySelector("aside taiji-machine");
  const src = machine?.getAttribute("src") ?? null;
  const caption = document.querySelector(".machine .caption");
  if (document.querySelector('meta[name="live-reload"]') === null || src === null || caption === null) return;
  const note = document.createElement("p");
  note.className = "building";
  note.setAttribute("role", "status");
  caption.before(note);
  const soon = setTimeout(() => {
    note.textContent = "This chapter's disk is being built. The machine starts when it is there.";
  }, 200);
  const answer = await fetch(src, { method: "HEAD" }).catch(() => null);
  clearTimeout(soon);
  if (answer?.status === 503) note.textContent = "This chapter's kernel cannot be built; the terminal says why.";
  else note.remove();
}

/** The development server says when the book was built anew; a published page has no such stream. */
function reloadOnChange(): void {
  if (document.querySelector('meta[name="live-reload"]') === null) return;
  new EventSource("/live-reload").addEventListener("rebuilt", () => location.reload());
}

addSearch();
addThemeButton();
addCopyButtons();
addVariantButtons();
addTestButton();
reloadOnChange();
void tellWaiting();
