/** Where the reader's choice of light or dark is kept. */
export const THEME_KEY = "theme";
