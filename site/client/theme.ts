/** Light and dark: the reader's system decides until the reader does. Runs before the page is drawn. */
import { THEME_KEY } from "./theme-key.ts";

function stored(): string | null {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null; // storage is off: the choice then lasts for this page
  }
}

const choice = stored();
if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
