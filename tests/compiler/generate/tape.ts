/**
 * A source of choices. Programs are grown from a list of numbers, so that fast-check can shrink them: an empty or
 * smaller list gives a simpler program, since the first choice is always the simplest and a used-up tape answers zero.
 */
export class Tape {
  private position = 0;
  constructor(private readonly numbers: readonly number[]) {}

  next(): number {
    return this.numbers[this.position++] ?? 0;
  }

  /** 0 … below − 1. */
  below(below: number): number {
    return this.next() % below;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** True once in `odds` times; never on a used-up tape. */
  rarely(odds: number): boolean {
    return this.below(odds) === odds - 1;
  }

  /** Whether all numbers have been used: time to come to an end. */
  get isOver(): boolean {
    return this.position >= this.numbers.length;
  }
}
