/**
 * What changed between two texts, line by line. Lines that stand once in both texts and in the same order are the fixed
 * points (Bram Cohen's patience diff); between them, the shortest edit (Eugene W. Myers, "An O(ND) Difference Algorithm
 * and Its Variations", 1986).
 */

/** Lines `oldStart` to `oldEnd` became lines `newStart` to `newEnd`; the ends are excluded, lines count from 0. */
export interface Edit {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/** Edits that stand close together, with the unchanged lines around them. */
export interface Hunk extends Edit {
  readonly edits: readonly Edit[];
}

/** The edits that make `after` of `before`, ascending, an unchanged line at least between two of them. */
export function diff(before: readonly string[], after: readonly string[]): Edit[] {
  const matches: [number, number][] = [];
  matchRange(before, after, { oldStart: 0, oldEnd: before.length, newStart: 0, newEnd: after.length }, matches);
  const edits: Edit[] = [];
  let [oldStart, newStart] = [0, 0];
  for (const [oldEnd, newEnd] of [...matches, [before.length, after.length] as const]) {
    if (oldEnd > oldStart || newEnd > newStart) edits.push({ oldStart, oldEnd, newStart, newEnd });
    [oldStart, newStart] = [oldEnd + 1, newEnd + 1];
  }
  return edits;
}

/**
 * How far an edit that only adds or only removes lines could be moved up and down, as far as the edits beside it, and
 * mean the same; nowhere for other edits.
 */
export function slack(
  before: readonly string[],
  after: readonly string[],
  edits: readonly Edit[],
  index: number,
): { readonly up: number; readonly down: number } {
  const { oldStart, oldEnd, newStart, newEnd } = edits[index]!;
  const removed = oldEnd > oldStart;
  if (removed && newEnd > newStart) return { up: 0, down: 0 };
  const [lines, start, end] = removed ? [before, oldStart, oldEnd] : [after, newStart, newEnd];
  const above = oldStart - (edits[index - 1]?.oldEnd ?? 0);
  const below = (edits[index + 1]?.oldStart ?? before.length) - oldEnd;
  let [up, down] = [0, 0];
  while (up < above && lines[start - up - 1] === lines[end - up - 1]) up++;
  while (down < below && lines[start + down] === lines[end + down]) down++;
  return { up, down };
}

/** Moves each edit that can be moved to where a reader expects it: a paragraph comes with the empty line after it. */
export function settle(before: readonly string[], after: readonly string[], edits: readonly Edit[]): Edit[] {
  const settled = [...edits];
  for (const [index, edit] of edits.entries()) {
    const { up, down } = slack(before, after, settled, index);
    const removed = edit.oldEnd > edit.oldStart;
    const [lines, start, end] = removed ? [before, edit.oldStart, edit.oldEnd] : [after, edit.newStart, edit.newEnd];
    const cost = (move: number): number => {
      const above = lines[start + move - 1];
      if (above === undefined || above === "") return 0;
      return lines[end + move - 1] === "" ? 1 : 2;
    };
    // An unchanged line at least stays between two edits.
    const highest = index > 0 && edit.oldStart - up === settled[index - 1]!.oldEnd ? 1 - up : -up;
    const lowest = edit.oldEnd + down === settled[index + 1]?.oldStart ? down - 1 : down;
    let best = 0;
    for (let move = highest; move <= lowest; move++)
      if (cost(move) < cost(best) || (cost(move) === cost(best) && move > best)) best = move;
    settled[index] = {
      oldStart: edit.oldStart + best,
      oldEnd: edit.oldEnd + best,
      newStart: edit.newStart + best,
      newEnd: edit.newEnd + best,
    };
  }
  return settled;
}

/** Gathers edits into hunks with up to `context` unchanged lines before, between and after them. */
export function hunksOf(edits: readonly Edit[], oldLength: number, context = 3): Hunk[] {
  const groups: Edit[][] = [];
  for (const edit of edits) {
    const last = groups.at(-1);
    if (last !== undefined && edit.oldStart - last.at(-1)!.oldEnd <= 2 * context) last.push(edit);
    else groups.push([edit]);
  }
  return groups.map((group) => {
    const [first, last] = [group[0]!, group.at(-1)!];
    const before = Math.min(context, first.oldStart);
    const after = Math.min(context, oldLength - last.oldEnd);
    return {
      oldStart: first.oldStart - before,
      oldEnd: last.oldEnd + after,
      newStart: first.newStart - before,
      newEnd: last.newEnd + after,
      edits: group,
    };
  });
}

/** Adds the pairs of lines that a range of both texts keeps, ascending. */
function matchRange(
  before: readonly string[],
  after: readonly string[],
  range: Edit,
  matches: [number, number][],
): void {
  let { oldStart, oldEnd, newStart, newEnd } = range;
  while (oldStart < oldEnd && newStart < newEnd && before[oldStart] === after[newStart])
    matches.push([oldStart++, newStart++]);
  let same = 0;
  while (oldStart < oldEnd - same && newStart < newEnd - same && before[oldEnd - same - 1] === after[newEnd - same - 1])
    same++;
  [oldEnd, newEnd] = [oldEnd - same, newEnd - same];
  if (oldStart < oldEnd && newStart < newEnd) {
    const inner = { oldStart, oldEnd, newStart, newEnd };
    const fixed = fixedPoints(before, after, inner);
    if (fixed.length === 0) shortest(before, after, inner, matches);
    else {
      for (const [old, now] of fixed) {
        matchRange(before, after, { oldStart, oldEnd: old, newStart, newEnd: now }, matches);
        matches.push([old, now]);
        [oldStart, newStart] = [old + 1, now + 1];
      }
      matchRange(before, after, { oldStart, oldEnd, newStart, newEnd }, matches);
    }
  }
  for (let index = 0; index < same; index++) matches.push([oldEnd + index, newEnd + index]);
}

/** The longest row of pairs whose lines stand once in each range. */
function fixedPoints(before: readonly string[], after: readonly string[], range: Edit): [number, number][] {
  const here = once(before, range.oldStart, range.oldEnd);
  const there = once(after, range.newStart, range.newEnd);
  // Patience sorting: each pile's top is the pair that ends the best row of its length so far.
  const piles: { readonly pair: [number, number]; readonly below: number }[] = [];
  const tops: number[] = [];
  for (const [text, old] of here) {
    const now = old === null ? null : (there.get(text) ?? null);
    if (now === null) continue;
    let [low, high] = [0, tops.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (piles[tops[middle]!]!.pair[1] < now) low = middle + 1;
      else high = middle;
    }
    tops[low] = piles.push({ pair: [old!, now], below: low === 0 ? -1 : tops[low - 1]! }) - 1;
  }
  const row: [number, number][] = [];
  for (let at = tops.at(-1) ?? -1; at >= 0; at = piles[at]!.below) row.push(piles[at]!.pair);
  return row.reverse();
}

/** The lines of a range with their numbers, ascending; null for those that stand there more than once. */
function once(lines: readonly string[], start: number, end: number): Map<string, number | null> {
  const found = new Map<string, number | null>();
  for (let index = start; index < end; index++) found.set(lines[index]!, found.has(lines[index]!) ? null : index);
  return found;
}

/** Myers's greedy algorithm, on ranges that begin and end differently. */
function shortest(
  before: readonly string[],
  after: readonly string[],
  { oldStart, oldEnd, newStart, newEnd }: Edit,
  matches: [number, number][],
): void {
  const known = new Set(before.slice(oldStart, oldEnd));
  if (!after.slice(newStart, newEnd).some((text) => known.has(text))) return;
  const [rows, columns] = [oldEnd - oldStart, newEnd - newStart];
  const trace: Reach[] = [];
  for (let cost = 0; ; cost++) {
    const reach = new Int32Array(2 * cost + 1);
    for (let k = -cost; k <= cost; k += 2) {
      let old = cost === 0 ? 0 : step(trace[cost - 1]!, cost, k).old;
      while (old < rows && old - k < columns && before[oldStart + old] === after[newStart + old - k]) old++;
      reach[k + cost] = old;
      if (old < rows || old - k < columns) continue;
      for (const [o, n] of pairsOn(trace, rows, columns)) matches.push([oldStart + o, newStart + n]);
      return;
    }
    trace.push(reach);
  }
}

/**
 * How far edits of one cost reach: for each diagonal k = old − new, at index k + cost, the furthest old line. Every
 * second diagonal is in use.
 */
type Reach = Int32Array;

/** The best edit of `cost` lines that ends on diagonal k with an added or a removed line, from the reach of one line less. */
function step(reach: Reach, cost: number, k: number): { readonly old: number; readonly added: boolean } {
  const [left, right] = [reach[k + cost - 2] ?? -1, reach[k + cost] ?? -1];
  const added = k === -cost || (k !== cost && left < right);
  return { old: added ? right : left + 1, added };
}

/** The pairs of equal lines on the way that the trace has found, ascending. */
function pairsOn(trace: readonly Reach[], rows: number, columns: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [old, now] = [rows, columns];
  for (let cost = trace.length; cost > 0; cost--) {
    const { old: start, added } = step(trace[cost - 1]!, cost, old - now);
    while (old > start) pairs.push([--old, --now]);
    if (added) now--;
    else old--;
  }
  while (old > 0) pairs.push([--old, --now]);
  return pairs.reverse();
}
