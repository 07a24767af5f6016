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
.inspectors td { overflow-wrap: anywhere; }
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
@container (max-width: 36rem) { .listing .bytes { display: none; } }
`;
