/** The order in which test files run: those that take longest begin first, so that none of them is left alone at the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take half a minute and more. */
const LONGEST: readonly string[] = [
  "chapters/chapters",
  "site/page",
  "machine/memory-bound",
  "machine/fault-matrix",
  "hosts/boot",
  "foreign/foreign",
  "machine/snapshots",
  "hosts/fresh-clone",
];

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.findIndex((name) => moduleId.endsWith(`tests/${name}.test.ts`));
  return index < 0 ? LONGEST.length : index;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
