/**
 * Random books without mistakes. A plan is a list of operations as data, made valid by construction: from it the test
 * writes Markdown, and the model reads the operations themselves.
 */

import type { BookFile, Operation } from "../../tangle/literate/book.ts";
import fc from "../properties.ts";

/** One operation, before it is Markdown. */
export interface PlannedBlock {
  /** 0 for the appendix. */
  readonly chapter: number;
  readonly operation: Operation;
  /** A path for files. */
  readonly name: string;
  readonly after: string | null;
  readonly before: string | null;
  readonly variant: string | null;
  readonly since: number | null;
  readonly until: number | null;
  readonly language: "ts" | "asm";
  /** Slots are lines `// <<name>>` or `; <<name>>`. */
  readonly lines: readonly string[];
}

export interface Plan {
  readonly chapters: number;
  readonly blocks: readonly PlannedBlock[];
}

/** One random step; what it means depends on what the book has by then. */
interface Step {
  readonly action: number;
  readonly pick: number;
  readonly how: number;
  readonly lines: readonly { readonly kind: number; readonly indent: number }[];
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.nat(99),
  pick: fc.nat(999),
  how: fc.nat(999),
  lines: fc.array(fc.record({ kind: fc.nat(9), indent: fc.nat(3) }), { maxLength: 5 }),
});

/** A chunk or file that the book has by now. */
interface Known {
  readonly name: string;
  readonly machine: boolean;
  readonly language: "ts" | "asm";
  /** Names of the slots in its text. */
  slots: string[];
  /** The last chapter that worked on it. */
  touched: number;
}

/** A slot that no chapter has filled yet. */
interface Pending {
  readonly name: string;
  readonly machine: boolean;
  readonly language: "ts" | "asm";
  /** The first chapter that may fill it outside variants. */
  earliest: number;
}

const SHARED = "shared";

class Planner {
  readonly blocks: PlannedBlock[] = [];
  private readonly live = new Map<string, Known>();
  private pending: Pending[] = [];
  private count = 0;
  private chapter = 0;
  private sharedIn = false;

  constructor(
    readonly chapters: number,
    steps: readonly Step[],
  ) {
    const perChapter = Math.ceil(steps.length / (chapters + 1));
    for (this.chapter = 0; this.chapter <= chapters; this.chapter++) {
      const from = this.chapter * perChapter;
      for (const step of steps.slice(from, from + perChapter)) this.take(step);
    }
    this.chapter = chapters;
    while (this.pending.some(({ earliest }) => earliest <= chapters))
      this.fill(0, { action: 0, pick: 0, how: 0, lines: [{ kind: 0, indent: 0 }] });
    if (this.sharedIn) this.add({ operation: "define", name: SHARED, lines: [`shared ${this.count++};`] });
  }

  private add(block: Partial<PlannedBlock> & Pick<PlannedBlock, "operation" | "name" | "lines">): void {
    const none = { after: null, before: null, variant: null, since: null, until: null, language: "ts" } as const;
    this.blocks.push({ chapter: this.chapter, ...none, ...block });
  }

  private take(step: Step): void {
    const { action, pick } = step;
    const known = [...this.live.values()].filter(({ machine }) => machine || this.chapter > 0);
    const one = known[pick % known.length];
    if (one === undefined || action < 10) this.file(step);
    else if (action < 32) this.fill(pick, step);
    else if (action < 44) this.append(one, step);
    else if (action < 56) this.replace(one, step);
    else if (action < 62) this.remove(one);
    else if (action < 80) this.beside(one, step);
    else this.vary(one, step);
  }

  /** Random lines; new slots wait to be filled. */
  private lines(step: Step, owner: Pick<Known, "machine" | "language">): { lines: string[]; slots: string[] } {
    const slots: string[] = [];
    const lines = step.lines.map(({ kind, indent }) => {
      const space = " ".repeat(indent * 2);
      if (kind === 0) return "";
      if (kind > 3) return `${space}line ${this.count++};${kind === 9 ? "  " : ""}`;
      const name = `chunk-${this.count++}`;
      this.pending.push({ name, machine: owner.machine, language: owner.language, earliest: this.chapter });
      slots.push(name);
      return space + slot(name, owner.language);
    });
    return { lines, slots };
  }

  private file(step: Step): void {
    const folder = this.chapter === 0 ? "machine" : ["boot", "kernel", "machine", "kernel/tests"][step.pick % 4]!;
    const language = folder === "boot" ? "asm" : "ts";
    const name = `${folder}/file-${this.count++}.${language}`;
    const owner = { machine: folder === "machine", language } as const;
    const { lines, slots } = this.lines(step, owner);
    if (folder === "kernel" && step.how % 3 === 0) {
      lines.splice(step.how % (lines.length + 1), 0, `  ${slot(SHARED, "ts")}`);
      slots.push(SHARED);
      this.sharedIn = true;
    }
    this.live.set(name, { name, ...owner, slots, touched: this.chapter });
    this.add({ operation: "define", name, language, lines, ...this.range(step, owner.machine) });
  }

  /** `since=` and `until=`, now and then, for kernels. */
  private range({ how }: Step, machine: boolean): Pick<PlannedBlock, "since" | "until"> {
    const since = !machine && how % 7 === 1 ? 1 + (how % 5) : null;
    const until = !machine && how % 11 === 1 ? (since ?? 1) + (how % 3) : null;
    return { since, until };
  }

  private fill(pick: number, step: Step): void {
    const open = this.pending.filter(
      ({ machine, earliest }) => earliest <= this.chapter && (machine || this.chapter > 0),
    );
    const one = open[pick % open.length];
    if (one === undefined) return;
    this.pending = this.pending.filter((other) => other !== one);
    const { lines, slots } = this.lines(step, one);
    this.live.set(one.name, {
      name: one.name,
      machine: one.machine,
      language: one.language,
      slots,
      touched: this.chapter,
    });
    this.add({ operation: "define", name: one.name, language: one.language, lines, ...this.range(step, one.machine) });
  }

  private append(one: Known, step: Step): void {
    const { lines, slots } = this.lines(step, one);
    one.slots = [...one.slots, ...slots];
    one.touched = this.chapter;
    this.add({ operation: "append", name: one.name, language: one.language, lines });
  }

  /** Writes a chunk anew: without its inner chunks where the book allows that, otherwise with their slots in reverse. */
  private replace(one: Known, step: Step): void {
    const dropped = this.droppable(one);
    const kept = dropped === null || step.how % 2 === 0 ? one.slots : [];
    if (kept.length === 0) for (const name of dropped ?? []) this.live.delete(name);
    const { lines, slots } = this.lines(step, one);
    one.slots = [...kept, ...slots];
    one.touched = this.chapter;
    const again = [...kept].reverse().map((name) => `    ${slot(name, one.language)}`);
    this.add({ operation: "replace", name: one.name, language: one.language, lines: [...again, ...lines] });
  }

  private remove(one: Known): void {
    const dropped = this.droppable(one);
    if (dropped === null) return;
    for (const name of dropped) this.live.delete(name);
    one.slots = [];
    one.touched = this.chapter;
    this.add({ operation: "remove", name: one.name, language: one.language, lines: [] });
  }

  /**
   * The chunks that go when the text of this one goes; null where that would be a mistake: a slot still waits to be
   * filled, or a chunk was worked on in this chapter, or is the machine's, and so would be in no snapshot.
   */
  private droppable(one: Known): string[] | null {
    const names: string[] = [];
    for (const name of one.slots) {
      const inner = this.live.get(name);
      if (inner === undefined || inner.machine || inner.touched === this.chapter) return null;
      const below = this.droppable(inner);
      const neighbours = this.blocks.filter(({ after, before }) => after === name || before === name);
      if (below === null || neighbours.length > 0) return null;
      names.push(name, ...below);
    }
    return names;
  }

  private beside(one: Known, step: Step): void {
    if (one.name.includes("/")) return;
    const name = `chunk-${this.count++}`;
    const { lines, slots } = this.lines(step, one);
    this.live.set(name, { name, machine: one.machine, language: one.language, slots, touched: this.chapter });
    one.touched = this.chapter;
    const side = step.how % 2 === 0 ? { after: one.name } : { before: one.name };
    this.add({ operation: "define", name, language: one.language, lines, ...side });
  }

  /** An operation in a variant of this chapter: on a chunk of the kernel, or on a slot that waits. */
  private vary(one: Known, step: Step): void {
    if (this.chapter === 0 || one.machine) return;
    const variant = ["red", "green"][step.how % 2]!;
    const lines = [`  variant ${this.count++};`, ""];
    const waiting = this.pending.find(({ machine, earliest }) => !machine && earliest <= this.chapter);
    if (step.how % 5 === 0 && waiting !== undefined) {
      waiting.earliest = this.chapter + 1;
      this.add({ operation: "define", name: waiting.name, language: waiting.language, variant, lines });
      return;
    }
    one.touched = this.chapter;
    const target = { name: one.name, language: one.language, variant };
    if (step.how % 5 === 1) this.add({ operation: "append", ...target, lines });
    else if (step.how % 5 === 2 && one.slots.length === 0) this.add({ operation: "remove", ...target, lines: [] });
    else if (step.how % 5 === 3 && !one.name.includes("/")) {
      this.add({ operation: "define", ...target, name: `chunk-${this.count++}`, after: one.name, lines });
    } else {
      const kept = one.slots.map((name) => `  ${slot(name, one.language)}`);
      this.add({ operation: "replace", ...target, lines: [...lines, ...kept] });
    }
  }
}

function slot(name: string, language: "ts" | "asm"): string {
  return `${language === "ts" ? "//" : ";"} <<${name}>>`;
}

/** Random plans of one to five chapters and an appendix. */
export const plans: fc.Arbitrary<Plan> = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.array(step, { minLength: 1, maxLength: 60, size: "max" }))
  .map(([chapters, steps]) => ({ chapters, blocks: new Planner(chapters, steps).blocks }));

const SIGN: Record<Operation, string> = { define: "", append: " +=", replace: " :=", remove: " -=" };

/** Writes a plan as Markdown: fences bare, in lists and in quotations, among prose. */
export function write(plan: Plan): BookFile[] {
  return Array.from({ length: plan.chapters + 1 }, (_, chapter) => {
    const head = [
      "---",
      `title: Part ${chapter}`,
      ...(chapter === 0 ? [] : [`milestone: ${chapter}`]),
      "---",
      "",
      "# A title",
    ];
    const body = plan.blocks.filter((block) => block.chapter === chapter).flatMap(writeBlock);
    const path = chapter === 0 ? "book/machine-a.md" : `book/${chapter}.md`;
    return { path, text: [...head, ...body, "The end."].join("\n") };
  });
}

function writeBlock(block: PlannedBlock, index: number): string[] {
  const words = [
    block.name.includes("/") ? `file=${block.name}` : `#${block.name}`,
    SIGN[block.operation].trim(),
    ...(["after", "before", "variant", "since", "until"] as const).map((key) =>
      block[key] === null ? "" : `${key}=${block[key]}`,
    ),
  ].filter((word) => word !== "");
  const mark = index % 3 === 0 ? "~~~~" : "```";
  const fence = [`${mark}${block.language} ${words.join(" ")}`, ...block.lines, mark];
  switch (index % 4) {
    case 1:
      return ["", "- An item:", "", ...fence.map((line) => (line === "" ? "" : `  ${line}`)), ""];
    case 2:
      return ["", ...fence.map((line) => `> ${line}`), ""];
    default:
      return ["", "Prose before a fence.", ...fence];
  }
}
