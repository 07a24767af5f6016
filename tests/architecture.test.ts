/** The import graph of the project: parts import one way, and only the edges of the toolchain touch Node. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Arrow {
  from: string;
  to: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** The module a specifier means: a path in the repository, or the package's name. */
function resolve(from: string, specifier: string): string {
  if (specifier.startsWith("#isa/")) return `machine/isa/${specifier.slice(5)}`;
  if (specifier.startsWith("#machine/")) return `dist/machine/${specifier.slice(9)}`;
  if (specifier.startsWith(".")) return normalize(join(dirname(from), specifier));
  return specifier;
}

function imports(file: string): Arrow[] {
  const text = readFileSync(join(root, file), "utf8");
  const specifiers = text.matchAll(
    /^\s*(?:import|export)\s(?:[^"'`;]*?\sfrom\s)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\}\sfrom\s"([^"]+)"/gm,
  );
  return [...specifiers].map((match) => ({ from: file, to: resolve(file, (match[1] ?? match[2] ?? match[3])!) }));
}

const PARTS = ["machine/isa", "dist/machine", "machine", "tangle", "site", "tests"] as const;
type Part = (typeof PARTS)[number] | "package";

function part(path: string): Part {
  return PARTS.find((name) => path.startsWith(`${name}/`)) ?? "package";
}

const ALLOWED: Record<Exclude<Part, "tests" | "package">, Part[]> = {
  "machine/isa": [],
  "dist/machine": ["machine/isa"],
  machine: ["dist/machine", "machine/isa", "package"],
  tangle: ["machine/isa", "package"],
  site: ["machine", "dist/machine", "machine/isa", "tangle", "package"],
};

const parts = Object.keys(ALLOWED) as (keyof typeof ALLOWED)[];
const files = ["machine", "dist/machine", "tangle", "site"].flatMap(sources);
const arrows = files.flatMap(imports);

/** Arrows between parts that the design does not draw. */
function forbidden(graph: Arrow[]): Arrow[] {
  return graph.filter(({ from, to }) => {
    const source = part(from);
    if (source === "tests" || source === "package") return false;
    return part(to) !== source && !ALLOWED[source].includes(part(to));
  });
}

describe("imports", () => {
  test.each(parts)("%s is part of the graph", (name) => {
    expect(files.some((file) => part(file) === name)).toBe(true);
  });

  test("run one way between the parts", () => {
    expect(forbidden(arrows)).toEqual([]);
  });

  test("a forbidden arrow would be seen", () => {
    expect(forbidden([{ from: "tangle/cli.ts", to: "machine/hosts/pc.ts" }])).toHaveLength(1);
    expect(forbidden([{ from: "dist/machine/machine.ts", to: "machine/engine/evaluator.ts" }])).toHaveLength(1);
    expect(forbidden([{ from: "machine/isa/decode.ts", to: "tangle/place.ts" }])).toHaveLength(1);
  });

  test("of Node modules stand only in the toolchain's edges", () => {
    const node = arrows.filter((arrow) => part(arrow.from) === "tangle" && /^(node:|chokidar)/.test(arrow.to));
    expect(new Set(node.map((arrow) => arrow.from))).toEqual(new Set(["tangle/cli.ts", "tangle/io.ts"]));
  });

  test("name files that exist", () => {
    const known = new Set(files);
    const inside = arrows.filter(({ to }) => part(to) !== "package" && to.endsWith(".ts") && !to.endsWith(".d.ts"));
    expect(inside.filter(({ to }) => !known.has(to))).toEqual([]);
  });

  test("go round in a circle only inside one folder, where a recursive descent needs it", () => {
    const graph = new Map<string, string[]>();
    for (const file of files) {
      const text = readFileSync(join(root, file), "utf8");
      const values = text.matchAll(/^\s*(?:import|export)\s(?!type\s)(?:[^"'`;]*?\sfrom\s)?\s*"([^"]+)"/gm);
      graph.set(
        file,
        [...values].map((match) => resolve(file, match[1]!)),
      );
    }
    const done = new Set<string>();
    const path: string[] = [];
    const cycles: string[] = [];
    const visit = (file: string): void => {
      if (path.includes(file)) {
        const cycle = [...path.slice(path.indexOf(file)), file];
        if (new Set(cycle.map((member) => dirname(member))).size > 1) cycles.push(cycle.join(" → "));
        return;
      }
      if (done.has(file)) return;
      path.push(file);
      for (const next of graph.get(file) ?? []) visit(next);
      path.pop();
      done.add(file);
    };
    for (const file of files) visit(file);
    expect(cycles).toEqual([]);
  });
});
