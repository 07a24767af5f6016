/** What a guest of bench.asm prints: four marks, whose arrival is timed, then its checksum. Runs in Node and in pages. */

export interface GuestResult {
  /** Milliseconds from the start of the clock to each mark: boot sector, mode entered, start and end of the workload. */
  readonly times: Readonly<Partial<Record<"B" | "M" | "S" | "E", number>>>;
  /** Hexadecimal, as the guest prints it; null where the guest did not get so far. */
  readonly checksum: string | null;
  /** What was printed beside the marks, or why the run failed. */
  readonly text: string;
}

const MARKS = ["B", "M", "S", "E"] as const;

export class Marks {
  private readonly times: Partial<Record<(typeof MARKS)[number], number>> = {};
  private text = "";
  private seen = 0;

  /** `now` gives milliseconds. */
  constructor(private readonly now: () => number) {}

  /** Takes a byte of the serial line; true for the last one. */
  take(byte: number): boolean {
    const character = String.fromCharCode(byte);
    const mark = MARKS[this.seen];
    if (character === mark) {
      this.times[mark] = this.now();
      this.seen++;
      return false;
    }
    this.text += character;
    return character === "\n" || character === "!" || character === "?";
  }

  get result(): GuestResult {
    const checksum = /chk=([0-9a-f]+)\n/.exec(this.text)?.[1] ?? null;
    return { times: this.times, checksum, text: this.text.trim() };
  }
}

/** Milliseconds that the workload took; null where it failed. */
export function duration({ times, checksum }: GuestResult): number | null {
  return checksum === null || times.S === undefined || times.E === undefined ? null : times.E - times.S;
}
