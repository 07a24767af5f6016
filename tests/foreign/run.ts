/** `npm run foreign`: boots disks and kernels that others compiled, in our machine and in QEMU, and tells the times. */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { MachineSession } from "../../machine/hosts/headless.ts";
import { ENGINES, type EngineName } from "../../machine/hosts/pc.ts";
import { QemuSession } from "../../machine/hosts/qemu.ts";
import { lacks } from "../requires.ts";
import { type Talk, talk } from "./dialogue.ts";
import { GUESTS, type Guest } from "./guests.ts";
import { linuxGuest } from "./linux.ts";

const HELP = `Usage: npm run foreign [-- OPTION …] [NAME …]

Boots disks and kernels that were not made here, each in our machine and in QEMU, and says how far it came and how long
that took. NAME: only guests whose name contains it.

  --engines A,B   ${Object.keys(ENGINES).join(", ")} (wasm)
  --seconds T     for each boot at most (300)
  --linux FILE    boots this kernel instead, a distribution's vmlinuz, to the prompt of a shell
  --busybox FILE  the shell (/bin/busybox), linked statically
  --print         prints what each has said
  --help          this text

Guests: ${GUESTS.map(({ name }) => name).join(" · ")}`;

function parse() {
  const string = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  return parseArgs({
    options: { engines: string, seconds: string, linux: string, busybox: string, print: flag, help: flag },
    allowPositionals: true,
  });
}

/** What is wrong with the arguments; exit status 2. */
function refuse(message: string): number {
  console.error(`${message}\n\n${HELP}`);
  return 2;
}

async function main(): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return refuse((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const engines = (values.engines?.split(",") ?? ["wasm"]) as EngineName[];
  const seconds = Number(values.seconds ?? 300);
  const unknown = engines.find((name) => !(name in ENGINES));
  const wanted = (name: string) => positionals.every((part) => name.toLowerCase().includes(part.toLowerCase()));
  const busybox = values.busybox ?? "/bin/busybox";
  const linux = values.linux && linuxGuest(values.linux, busybox);
  const guests = linux ? [linux] : GUESTS.filter(({ name }) => wanted(name));
  if (unknown !== undefined) return refuse(`there is no engine ${unknown}`);
  if (!Number.isFinite(seconds)) return refuse(`--seconds takes a number, not ${values.seconds}`);
  if (guests.length === 0) return refuse(`there is no guest ${positionals.join(" ")}`);
  const missing = [values.linux, values.linux && busybox].find((file) => file && !existsSync(file));
  if (missing) return refuse(`there is no file ${missing}`);
  let failed = 0;
  for (const guest of guests) {
    if (lacks(...guest.needs)) console.log(`${guest.name}: left out, it needs ${guest.needs.join(" ")}`);
    else failed += await compare(guest, engines, seconds, values.print ?? false);
  }
  return failed > 0 ? 1 : 0;
}

/** Gives how many machines did not come as far as the steps lead. */
async function compare(guest: Guest, engines: readonly EngineName[], seconds: number, print: boolean): Promise<number> {
  const { memory, steps, more } = guest;
  const image = guest.image();
  const disk = guest.disk?.() ?? image;
  const machines: [string, () => Promise<Talk>][] = [
    ["QEMU", () => talk(new QemuSession({ image: disk, memory, keepHalted: true, more: more ?? [] }), steps, seconds)],
    ...engines.map((engine): [string, () => Promise<Talk>] => [
      engine,
      () => talk(new MachineSession({ image, memory, engine }), steps, seconds),
    ]),
  ];
  let failed = 0;
  for (const [name, hold] of machines) {
    const result = await hold();
    const far = `${result.reached} of ${steps.length} steps`;
    console.log(`${guest.name} in ${name}: ${far}, ${result.end?.kind ?? "done"}, ${result.seconds.toFixed(1)} s`);
    if (print) console.log(guest.said(result).join("\n"));
    if (result.reached < steps.length - (guest.ends === undefined ? 0 : 1)) failed++;
  }
  return failed;
}

process.exit(await main());
