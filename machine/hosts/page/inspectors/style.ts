/** How the inspectors look; part of the element's style sheet, whose colours it uses. */
export const INSPECTOR_STYLE = `
.inspectors .note { margin: 0 0 0.4rem; color: var(--taiji-quiet); overflow-wrap: anywhere; }
.inspectors code { font-family: var(--taiji-mono); font-size: 0.94em; }
.inspectors a { color: inherit; text-decoration-color: var(--taiji-accent); text-underline-offset: 0.16em; }
.inspectors a:hover { color: var(--taiji-accent); }
.inspectors abbr { text-decoration: none; cursor: help; }
.inspectors table { width: 100%; border-collapse: collapse; font-size: 0.8rem; line-height: 1.4; }
.inspectors th, .inspectors td { padding: 0.18rem 0.8rem 0.18rem 0; text-align: start; vertical-align: top; font-weight: 400; }
.inspectors :is(th, td):last-child { padding-inline-end: 0; }
.inspectors thead th { color: var(--taiji-quiet); border-bottom: 1px solid var(--taiji-line); }
.inspectors tbody tr + tr > * { border-top: 1px solid color-mix(in srgb, var(--taiji-line) 45%, transparent); }
.inspectors tbody th { font-variant-numeric: tabular-nums; white-space: nowrap; }
.inspectors td { overflow-wrap: break-word; }
.inspectors td code { overflow-wrap: anywhere; }
.inspectors strong { color: var(--taiji-accent); font-weight: 600; }
.inspectors .quiet { color: var(--taiji-quiet); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.registers {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 0 1rem; margin: 0;
  font: 0.76rem/1.55 var(--taiji-mono);
}
.registers div { display: flex; gap: 0.6rem; border-radius: 3px; }
.registers dt { min-width: 3.6em; color: var(--taiji-quiet); }
.registers dd { margin: 0; }
.changed dd { color: var(--taiji-accent); font-weight: 600; }
.listing { list-style: none; margin: 0; padding: 0; font: 0.76rem/1.55 var(--taiji-mono); white-space: pre; }
.listing .place { display: block; margin-top: 0.3rem; font-family: system-ui, sans-serif; color: var(--taiji-quiet); }
.listing .place code { margin-inline-start: 1.2ch; color: var(--taiji-ink); }
.listing .label { display: block; color: var(--taiji-quiet); }
.listing .address, .listing .bytes { color: var(--taiji-quiet); padding-inline-end: 1.5ch; }
.listing .bytes { display: inline-block; min-width: 25ch; }
.listing .current > code { color: var(--taiji-accent); font-weight: 600; }
.listing .current > .address::before { content: "▸"; position: absolute; margin-inline-start: -1.4ch; color: var(--taiji-accent); }
.ask { display: flex; flex-wrap: wrap; align-items: center; gap: 0.4rem; padding: 0 0.6rem 0.5rem; }
.ask label { display: flex; flex: 1 1 14rem; align-items: center; gap: 0.5rem; white-space: nowrap; color: var(--taiji-quiet); }
.ask input {
  flex: 1; min-width: 0; min-height: 2.1rem; padding: 0.2rem 0.5rem; color: var(--taiji-ink); background: transparent;
  border: 1px solid var(--taiji-line); border-radius: 6px; font: 0.82rem/1.4 var(--taiji-mono);
}
.ask input[aria-invalid="true"] { border-color: var(--taiji-accent); }
.ask .mistake { color: var(--taiji-accent); }
.ask .mistake:empty { display: none; }
.ask button { font-family: var(--taiji-mono); font-size: 0.82rem; }
.inspectors table + table, .inspectors table + .note, .inspectors table + .fold { margin-block-start: 0.7rem; }
.fold { border: 0; }
.fold > summary { padding: 0.12rem 0; }
.tree { list-style: none; margin: 0; padding: 0; font-size: 0.8rem; line-height: 1.5; }
.tree .tree { padding-inline-start: 1.1rem; border-inline-start: 1px solid var(--taiji-line); margin-inline-start: 0.25rem; }
.tree li > span { display: block; padding-block: 0.12rem; }
.tree .index { display: inline-block; min-width: 3.2em; color: var(--taiji-quiet); font-variant-numeric: tabular-nums; }
.tree .on-way > span, .tree .on-way > .fold > summary { color: var(--taiji-accent); }
.cell-map { display: block; width: 100%; height: auto; min-height: 1.4rem; margin-block-end: 0.6rem; border: 1px solid var(--taiji-line); }
.swatch { width: 0.8em; height: 0.8em; margin-inline-end: 0.5em; border: 1px solid var(--taiji-line); vertical-align: -0.05em; }
.key { white-space: normal; }
.kind-free { fill: transparent; }
.kind-reserved { fill: light-dark(#cfc8ba, #4a4640); }
.kind-firmware { fill: light-dark(#8d8577, #8a8377); }
.kind-screen { fill: light-dark(#0a7f86, #4fc6cc); }
.kind-kernel { fill: light-dark(#9c2f1f, #ff9d85); }
.kind-stack { fill: light-dark(#6a3d8f, #cfaaf0); }
.kind-page-tables { fill: light-dark(#1d5a8a, #8cc0ea); }
.kind-boot-loader { fill: light-dark(#b08a4a, #c9a366); }
.kind-heap { fill: light-dark(#4d6a1d, #b5cf86); }
.kind-handed-out { fill: light-dark(#c06a1e, #f0a860); }
.kind-window { fill: light-dark(#e3dccd, #38342f); }
.kind-mapped { fill: light-dark(#b03a76, #f08cbb); }
.kind-used { fill: light-dark(#9c2f1f, #ff9d85); }
.kind-used-too { fill: light-dark(#c2604f, #d97a62); }
.kind-listed { fill: light-dark(#1d5a8a, #8cc0ea); }
.time-line { display: block; width: 100%; min-width: 6rem; height: 1.1em; margin-block: 0.1rem; background: color-mix(in srgb, var(--taiji-line) 35%, transparent); }
.legend { margin-inline-end: 0.9rem; white-space: nowrap; }
.kind-task-ran { fill: light-dark(#9c2f1f, #ff9d85); }
.kind-task-ready { fill: light-dark(#c98a2c, #e8c07a); }
.kind-task-waiting { fill: light-dark(#8d8577, #8a8377); }
@container (max-width: 36rem) { .listing .bytes { display: none; } }
`;
