/** The arguments of `npm run boot`. */
import { parseArgs } from "node:util";

export const HELP = `Usage: npm run boot -- [OPTION …]

Boots a chapter of the book in the terminal, in the book's own machine.

  --chapter N      builds chapter N first, then boots its disk (chapter 1: its kernel file)
  --variant NAME   with --chapter: that variant of the chapter
  --image FILE     boots any disk image that a PC with BIOS boots
  --elf FILE       starts a kernel's ELF file without a boot loader
  --qemu           runs the same image in QEMU
  --headless       no screen: the guest's serial bytes go to standard output as they come
  --screen         with --headless: writes the screen's 25 rows at the end
  --until TEXT     ends with status 0 when TEXT is on the screen or has come over the serial line
  --timeout S      ends with status 1 after S seconds
  --memory MIB     RAM in MiB, 2 to 2048; 32 unless given
  --type TEXT      types TEXT on the guest's keyboard; \\n is the Enter key, ↑ ← → ↓ are the arrows
  --type-after T   with --type: types when the text T is on the screen or has come over the serial line
  --help           this text

Ctrl-] quits. Exit status: 0 done (quit, TEXT seen, or the guest sleeps for ever) · 1 the time is over, or the guest
ended without TEXT · 2 wrong arguments, a file or a chapter that cannot be used · 4 the machine had to stop, after a
triple fault for example · any other, always odd: the guest's own, from the debug exit.`;

const OPTIONS = {
  chapter: { type: "string" },
  variant: { type: "string" },
  image: { type: "string" },
  elf: { type: "string" },
  qemu: { type: "boolean" },
  headless: { type: "boolean" },
  screen: { type: "boolean" },
  until: { type: "string" },
  timeout: { type: "string" },
  memory: { type: "string" },
  type: { type: "string" },
  "type-after": { type: "string" },
  help: { type: "boolean" },
} as const;

/** What to boot. */
export type Source =
  | { readonly kind: "chapter"; readonly chapter: string; readonly variant: string | null }
  | { readonly kind: "image"; readonly path: string }
  | { readonly kind: "elf"; readonly path: string };

export interface BootArguments {
  readonly source: Source;
  readonly qemu: boolean;
  readonly headless: boolean;
  readonly screen: boolean;
  readonly until?: string;
  /** Seconds. */
  readonly timeout?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly type?: string;
  readonly typeAfter?: string;
}

/** The arguments make no sense; the message says why. */
export class UsageError extends Error {}

/** Reads the arguments; `null` asks for the help. Throws `UsageError`. */
export function readArguments(args: readonly string[]): BootArguments | null {
  const values = parse(args);
  if (values.help) return null;
  if (values.screen && !values.headless) throw new UsageError("--screen goes with --headless");
  const after = values["type-after"];
  if (after !== undefined && values.type === undefined) throw new UsageError("--type-after goes with --type");
  if (after === "") throw new UsageError("--type-after needs a text that is not empty");
  if (values.until === "") throw new UsageError("--until needs a text that is not empty");
  const timeout = numberOf(values.timeout, "--timeout", 0.001, 1e6);
  const memory = numberOf(values.memory, "--memory", 2, 2048);
  if (memory !== null && !Number.isInteger(memory)) throw new UsageError("--memory takes whole MiB");
  return {
    source: sourceOf(values),
    qemu: values.qemu === true,
    headless: values.headless === true,
    screen: values.screen === true,
    ...(values.until === undefined ? {} : { until: values.until }),
    ...(timeout === null ? {} : { timeout }),
    ...(memory === null ? {} : { memory: memory * 0x100000 }),
    ...(values.type === undefined ? {} : { type: values.type.replaceAll("\\n", "\n") }),
    ...(after === undefined ? {} : { typeAfter: after }),
  };
}

type Values = ReturnType<typeof parse>;

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function sourceOf({ chapter, variant, image, elf, qemu }: Values): Source {
  if ([chapter, image, elf].filter((value) => value !== undefined).length !== 1) {
    throw new UsageError("say what to boot: one of --chapter, --image, --elf");
  }
  if (variant !== undefined && chapter === undefined) throw new UsageError("--variant goes with --chapter");
  if (chapter !== undefined) return { kind: "chapter", chapter, variant: variant ?? null };
  if (image !== undefined) return { kind: "image", path: image };
  if (qemu) throw new UsageError("QEMU boots disk images only; --elf is for the book's machine");
  return { kind: "elf", path: elf! };
}

function numberOf(text: string | undefined, option: string, least: number, most: number): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (text.trim() === "" || !(value >= least && value <= most)) {
    throw new UsageError(`${option} takes a number from ${least} to ${most}, not \`${text}\``);
  }
  return value;
}
