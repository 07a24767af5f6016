/** What the async functions of a chapter keep while they wait, as a table for a terminal; from the chapter's map.json. */

interface Frame {
  readonly function: string;
  readonly bytes: number;
  readonly states: readonly {
    readonly line: number | null;
    readonly items: readonly { readonly name: string | null; readonly offset: number; readonly size: number }[];
  }[];
}

/** A line for each function, and below it one for each of its states. */
export function formatFrames(map: string): string {
  const { frames } = JSON.parse(map) as { readonly frames: readonly Frame[] };
  if (frames.length === 0) return "no async functions";
  return frames
    .map(({ function: name, bytes, states }) => {
      const lines = states.map(({ line, items }, state) => {
        const kept = items.map((item) => `${item.name ?? "?"} [${item.offset}, ${item.size}]`).join(", ");
        return `  ${String(state).padStart(3)}  line ${String(line ?? "?").padEnd(5)} ${kept || "nothing"}`;
      });
      return [`${String(bytes).padStart(5)} bytes  ${name}`, ...lines].join("\n");
    })
    .join("\n");
}
