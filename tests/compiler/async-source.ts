/**
 * Random programs made asynchronous: every function that a random program has beside its own becomes an async one, calls
 * are awaited, and here and there a task waits for a few polls. Polled to its end it computes what the program did before.
 */

/** An allocator that only counts what it gets back, and what tests wait for and poll with. */
export const ASYNC_PRELUDE = `const HEAP: FixedArray<u64, 16384> = filled(0);
let used: u64 = 0; let live: u64 = 0; let polls: u64 = 0;
globalAllocator((size: usize, alignment: usize): u64 => {
  used = (used + u64(alignment) - 1) & ~(u64(alignment) - 1); const at = used; used += u64(size); live++;
  return used > 131072 ? 0 : addressOf(HEAP[0]).address + at;
}, (address: u64, size: usize, alignment: usize): void => { live--; if (live === 0) { used = 0; } });
class Pause implements Future { left: u64; constructor(left: u64) { this.left = left; }
  poll(waker: Waker): Poll { polls += waker; if (this.left === 0) { return Poll.Ready; } this.left--; return Poll.Pending; } }
async function pause(left: u64): Promise<void> { const p = onStack(new Pause(left)); await p; }
function drive<T>(promise: Promise<T>): T { while (promise.poll(1) === Poll.Pending) { polls++; } return promise.result(); }
`;

/** Where an `await` cannot stand: in closures, and while a guard is held. Each ends at a line of the same indentation. */
const NO_AWAIT = [/^\s*within\(\(\) => \{$/, /^\s*using /] as const;

/** The asynchronous form of a source as `generate.ts` grows them; on the same lines. */
export function makeAsync(source: string): string {
  const results = new Map<string, string>();
  for (const [, name, result] of source.matchAll(/^function (f\d+)\([^\n]*\): (\w+) \{$/gm))
    results.set(name!, result!);
  let blocked: string | null = null;
  let inRun = false;
  let count = 0;
  const lines = source.split("\n").map((line) => {
    const head = /^function (f\d+|body)\((.*)\): (\w+) \{$/.exec(line);
    if (head) return `async function ${head[1]}(${head[2]}): Promise<${head[3]}> {`;
    inRun ||= line.startsWith("export const run ");
    if (line === "  record(body());") return "  record(drive<u64>(body()));";
    const indent = /^ */.exec(line)![0];
    if (blocked === null && NO_AWAIT.some((pattern) => pattern.test(line))) {
      blocked = line.includes("within") ? `${indent}});` : `${indent.slice(2)}}`;
    }
    const text = calls(line, results, blocked !== null);
    const waits = !inRun && blocked === null && /^ +(record\(|let |const |if \()/.test(line);
    if (line === blocked) blocked = null;
    return waits && count++ % 3 !== 2 ? `${indent}await pause(${count % 4}); ${text.trimStart()}` : text;
  });
  return ASYNC_PRELUDE + lines.join("\n");
}

/** The same, polled only so often and then dropped: what counts is that no memory is left. */
export function givenUp(source: string, polled: number): string {
  return makeAsync(source)
    .replace(
      "  record(drive<u64>(body()));",
      `  { const promise = body(); for (const i of range(u32(0), ${polled})) { if (promise.poll(1) === Poll.Ready) { break; } } }`,
    )
    .replace("  return checksum;\n", '  assert(live === 0, "memory is left");\n  return checksum;\n');
}

/** Calls of async functions are awaited, or driven to their end where no `await` can stand. */
function calls(line: string, results: ReadonlyMap<string, string>, blocked: boolean): string {
  let text = "";
  let at = 0;
  const closures: number[] = [];
  while (at < line.length) {
    while (closures.length > 0 && at > closures.at(-1)!) closures.pop();
    if (line.startsWith("twice(", at)) closures.push(endOfCall(line, at + "twice".length));
    const name = /^f\d+(?=\()/.exec(line.slice(at))?.[0];
    const isWord = at > 0 && /\w/.test(line[at - 1]!);
    if (name === undefined || isWord || !results.has(name)) {
      text += line[at++];
      continue;
    }
    const end = endOfCall(line, at + name.length);
    const driven = blocked || closures.length > 0;
    const inside = calls(line.slice(at + name.length + 1, end), results, driven);
    text += driven ? `drive<${results.get(name)}>(${name}(${inside}))` : `(await ${name}(${inside}))`;
    at = end + 1;
  }
  return text;
}

/** The position of the parenthesis that closes the one at `open`. */
function endOfCall(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")" && --depth === 0) return at;
  }
  throw new Error(`no end of ${text}`);
}
