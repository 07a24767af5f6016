/** What the literate format means, as plainly as it can be said: lists of lines, and lists of names side by side. */
import type { Plan, PlannedBlock } from "./generate.ts";

/** The files of one edition: chapter 0 stands for the machine. */
export function modelFiles(plan: Plan, chapter: number, variant: string | null): Map<string, string> {
  const lines = new Map<string, string[]>();
  const definitions = new Map<string, PlannedBlock>();
  const removed = new Set<string>();
  /** For each chunk with a slot of its own, the row of chunks that stand there. */
  const rows: string[][] = [];

  for (const block of plan.blocks) {
    const counts =
      block.variant === null
        ? chapter === 0 || block.chapter <= chapter
        : block.chapter === chapter && block.variant === variant;
    if (!counts) continue;
    const { name } = block;
    removed.delete(name);
    if (block.operation === "append") lines.get(name)!.push(...block.lines);
    else lines.set(name, [...block.lines]);
    if (block.operation === "remove") removed.add(name);
    if (block.operation !== "define") continue;
    definitions.set(name, block);
    const anchor = block.after ?? block.before;
    const row = rows.find((names) => names.includes(anchor ?? ""));
    if (row === undefined) rows.push([name]);
    else row.splice(row.indexOf(anchor!) + (block.after === null ? 0 : 1), 0, name);
  }

  const applies = (name: string): boolean => {
    const { since, until } = definitions.get(name)!;
    return chapter === 0 || (chapter >= (since ?? 0) && chapter <= (until ?? 99));
  };
  const text = (name: string): string[] => {
    if (!applies(name)) return [];
    return lines.get(name)!.flatMap((line) => {
      const slot = /^( *)(?:\/\/|;) <<(.+)>>$/.exec(line);
      if (slot === null) return [line];
      const row = rows.find((names) => names.includes(slot[2]!)) ?? [];
      return row.flatMap(text).map((inner) => (inner === "" ? "" : slot[1]! + inner));
    });
  };
  const files = [...definitions.keys()].filter((name) => name.includes("/") && !removed.has(name) && applies(name));
  const wanted = files.filter((name) => name.startsWith("machine/") === (chapter === 0));
  return new Map(
    wanted.map((name) => [
      name,
      text(name)
        .map((line) => `${line}\n`)
        .join(""),
    ]),
  );
}
