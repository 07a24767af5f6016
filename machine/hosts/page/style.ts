/** The element's own style sheet, adopted by its shadow root: no inline style, so a strict policy holds. */

/** The sixteen VGA colours in the palette that the DAC has after a mode set. IBM VGA Technical Reference, default palette. */
const PALETTE = [
  "#000000",
  "#0000aa",
  "#00aa00",
  "#00aaaa",
  "#aa0000",
  "#aa00aa",
  "#aa5500",
  "#aaaaaa",
  "#555555",
  "#5555ff",
  "#55ff55",
  "#55ffff",
  "#ff5555",
  "#ff55ff",
  "#ffff55",
  "#ffffff",
];

const colours = PALETTE.map(
  (colour, i) => `.f${i} { color: ${colour}; }${i < 8 ? ` .b${i} { background: ${colour}; }` : ""}`,
).join("\n");

export const STYLE = `
:host {
  --taiji-ink: light-dark(#23211d, #e4e0d8);
  --taiji-quiet: light-dark(#6a655c, #a19b90);
  --taiji-line: light-dark(#d9d3c7, #403c36);
  --taiji-panel: light-dark(#f6f2ea, #24221f);
  --taiji-accent: light-dark(#9c2f1f, #ff9d85);
  --taiji-mono: ui-monospace, "DejaVu Sans Mono", "Cascadia Mono", Menlo, Consolas, monospace;
  display: block;
  color: var(--taiji-ink);
  font: 0.875rem/1.45 system-ui, sans-serif;
  container-type: inline-size;
}
* { box-sizing: border-box; }
.case { border: 1px solid var(--taiji-line); border-radius: 8px; background: var(--taiji-panel); overflow: hidden; }
.bar { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; padding: 0.5rem; }
button {
  font: inherit; color: inherit; background: transparent; border: 1px solid var(--taiji-line); border-radius: 6px;
  padding: 0.25rem 0.7rem; min-height: 2.1rem; cursor: pointer;
}
button.primary { border-color: var(--taiji-accent); color: var(--taiji-accent); font-weight: 600; }
button:hover:not(:disabled) { border-color: currentColor; }
button:disabled { opacity: 0.45; cursor: default; }
:focus-visible { outline: 2px solid var(--taiji-accent); outline-offset: 2px; }
.status { margin-inline-start: auto; color: var(--taiji-quiet); font-variant-numeric: tabular-nums; }
.reason { padding: 0 0.6rem 0.5rem; overflow-wrap: anywhere; }
.reason p { margin: 0; color: var(--taiji-accent); }
.reason .fault { margin-block-start: 0.35rem; padding-inline-start: 1.3em; text-indent: -1.3em; color: inherit; }
.reason .fault-place { padding-inline-start: 1.3em; color: var(--taiji-quiet); }
.reason a { color: inherit; text-decoration-color: var(--taiji-accent); text-underline-offset: 0.16em; }
.glass { background: #000; padding: 2%; }
.screen {
  font-family: var(--taiji-mono); line-height: 1.2; white-space: pre; overflow: hidden; color: #aaaaaa;
  font-variant-ligatures: none; cursor: text;
}
.glass { position: relative; }
.glass:focus-within { outline: 2px solid var(--taiji-accent); outline-offset: -2px; }
.field {
  position: absolute; inset: 0 auto auto 0; width: 1px; height: 1px; padding: 0; border: 0; opacity: 0; resize: none;
  overflow: hidden;
}
p.hint { margin: 0; padding: 0.3rem 0.6rem; color: var(--taiji-quiet); font-size: 0.8rem; }
p.hint:empty { display: none; }
.keyboard { padding: 0.3rem; user-select: none; touch-action: manipulation; }
.keyboard > div { display: flex; gap: 0.2rem; margin-block-end: 0.2rem; }
.keyboard .key {
  flex: 1 1 0; min-width: 0; min-height: 2.75rem; padding: 0; font: 0.85rem/1 var(--taiji-mono); touch-action: manipulation;
}
.keyboard .key:active, .keyboard [aria-pressed="true"], .bar [aria-pressed="true"] { border-color: var(--taiji-accent); color: var(--taiji-accent); }
.keyboard .ShiftLeft, .keyboard .Enter, .keyboard .Backspace { flex-grow: 1.6; font-family: inherit; }
.keyboard .Space { flex-grow: 3; font-family: inherit; }
[hidden] { display: none; }
.screen { height: 30em; contain: strict; }
.row { height: 1.2em; contain: strict; }
.row span { display: inline-block; height: 1.2em; vertical-align: top; }
.cursor { box-shadow: inset 0 -0.15em 0 currentColor; }
${colours}
details { border-top: 1px solid var(--taiji-line); }
summary { padding: 0.45rem 0.6rem; cursor: pointer; }
.body { padding: 0 0.6rem 0.6rem; overflow-x: auto; }
.serial { margin: 0; font: 0.8rem/1.4 var(--taiji-mono); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 14rem; overflow-y: auto; }
@media print { .bar, details { display: none; } }
`;
