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
.reason { margin: 0; padding: 0 0.6rem 0.5rem; color: var(--taiji-accent); overflow-wrap: anywhere; white-space: pre-wrap; }
.glass { background: #000; padding: 2%; }
.screen {
  font-family: var(--taiji-mono); line-height: 1.2; white-space: pre; overflow: hidden; color: #aaaaaa;
  font-variant-ligatures: none; cursor: text;
}
.row { height: 1.2em; }
.row span { display: inline-block; height: 1.2em; vertical-align: top; }
.cursor { box-shadow: inset 0 -0.15em 0 currentColor; }
${colours}
details { border-top: 1px solid var(--taiji-line); }
summary { padding: 0.45rem 0.6rem; cursor: pointer; }
.body { padding: 0 0.6rem 0.6rem; overflow-x: auto; }
.serial { margin: 0; font: 0.8rem/1.4 var(--taiji-mono); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 14rem; overflow-y: auto; }
.hint, .mode { margin: 0 0 0.4rem; color: var(--taiji-quiet); }
.registers {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 0 1rem; margin: 0 0 0.6rem;
  font: 0.76rem/1.55 var(--taiji-mono);
}
.registers div { display: flex; gap: 0.6rem; border-radius: 3px; }
.registers dt { min-width: 3.6em; color: var(--taiji-quiet); }
.registers dd { margin: 0; }
.changed dd { color: var(--taiji-accent); font-weight: 600; }
.listing { list-style: none; margin: 0; padding: 0; font: 0.76rem/1.55 var(--taiji-mono); white-space: pre; }
.listing .place { display: block; color: var(--taiji-quiet); font-family: system-ui, sans-serif; }
.listing .address, .listing .bytes { color: var(--taiji-quiet); padding-inline-end: 1.5ch; }
.listing .bytes { display: inline-block; min-width: 25ch; }
.listing .current code { color: var(--taiji-accent); font-weight: 600; }
@container (max-width: 30rem) { .listing .bytes { display: none; } }
@media print { .bar, details { display: none; } }
`;
