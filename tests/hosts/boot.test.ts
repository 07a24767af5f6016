/** `npm run boot`, run as its user runs it: what goes where, and with which status it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { readArguments, UsageError } from "../../machine/hosts/arguments.ts";
import { bootImage } from "../machine/boot-image.ts";
import { lacks } from "../requires.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "taiji-boot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

function boot(
  args: readonly string[],
  onOutput: (text: string, child: ChildProcess) => void = () => {},
  path = process.env.PATH,
): Promise<Run> {
  const child = spawn(process.execPath, ["--import", "tsx", "machine/hosts/cli.ts", ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PATH: path },
  });
  let out = "";
  let error = "";
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    out += text;
    onOutput(out, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error += text;
  });
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, out, error })));
}

let images = 0;

/** Writes a disk with this boot sector; its path. */
function disk(body: string): string {
  const path = join(folder, `disk-${images++}.img`);
  writeFileSync(path, bootImage(body));
  return path;
}

const HELLO = `
      mov ax, 3
      int 0x10
      mov si, text
    .next:
      lodsb
      test al, al
      jz .done
      mov dx, 0x3f8
      out dx, al
      mov ah, 0x0e
      mov bx, 7
      int 0x10
      jmp .next
    .done:`;
const TEXT = `\ntext: db "guest says hello", 0`;

describe.each([
  ["our machine", [] as string[]],
  ["QEMU", ["--qemu"]],
])("in %s", (name, peer) => {
  const needed = test.skipIf(name === "QEMU" && lacks("qemu-system-x86_64"));

  needed("serial bytes go to standard output and nothing else does; the debug exit gives the status", async () => {
    const run = await boot(["--image", disk(`${HELLO}\njmp exit${TEXT}`), "--headless", "--timeout", "500", ...peer]);
    expect(run).toEqual({ status: 33, out: "guest says hello", error: "" });
  });

  needed("--screen adds the 25 rows; a guest that sleeps for ever ends with 0", async () => {
    const image = disk(`${HELLO}\njmp stop${TEXT}`);
    const run = await boot(["--image", image, "--headless", "--screen", "--timeout", "500", ...peer]);
    expect(run.status).toBe(0);
    expect(run.out).toBe(`guest says helloguest says hello${"\n".repeat(25)}`);
  });

  needed("--until ends with 0 when the text comes over the serial line", async () => {
    const image = disk(`${HELLO}\nforever: jmp forever${TEXT}`);
    const run = await boot(["--image", image, "--headless", "--until", "says hello", "--timeout", "500", ...peer]);
    expect(run.status).toBe(0);
  });

  needed("--until ends with 0 when the text is on the screen", async () => {
    const image = disk(`${HELLO.replace("out dx, al", "nop")}\nforever: jmp forever${TEXT}`);
    const run = await boot(["--image", image, "--headless", "--until", "says hello", "--timeout", "500", ...peer]);
    expect(run).toMatchObject({ status: 0, out: "" });
  });

  needed("a guest that ends without the text ends with 1", async () => {
    const image = disk(`${HELLO}\njmp stop${TEXT}`);
    const run = await boot(["--image", image, "--headless", "--until", "goodbye", "--timeout", "500", ...peer]);
    expect(run.status).toBe(1);
  });

  needed("--type-after types when the guest is ready", async () => {
    const image = disk(`${HELLO}
      mov ah, 0
      int 0x16
      mov dx, 0x3f8
      out dx, al
      jmp exit${TEXT}`);
    const typing = ["--type", "Q", "--type-after", "says hello"];
    const run = await boot(["--image", image, "--headless", "--timeout", "500", ...typing, ...peer]);
    expect(run).toEqual({ status: 33, out: "guest says helloQ", error: "" });
  });

  needed("--timeout ends with 1", async () => {
    const run = await boot(["--image", disk("forever: jmp forever"), "--headless", "--timeout", "0.5", ...peer]);
    expect(run).toEqual({ status: 1, out: "", error: "" });
  });

  needed("a triple fault ends with 4 and a reason", async () => {
    const image = disk("lidt [zero]\nint3\njmp stop\nalign 4\nzero: dw 0\ndd 0");
    const run = await boot(["--image", image, "--headless", "--timeout", "500", ...peer]);
    expect(run.status).toBe(4);
    expect(run.error).toMatch(/triple fault/i);
    expect(run.error).not.toMatch(/^\s+at .*\.ts:/m);
  });
});

describe("standard output", () => {
  test("gets the guest's bytes as they come, not at the end", async () => {
    const image = disk(`${HELLO}\nforever: jmp forever${TEXT}`);
    // It would never end by itself.
    const run = await boot(["--image", image, "--headless"], (text, child) => {
      if (text === "guest says hello") child.kill();
    });
    expect(run).toEqual({ status: 143, out: "guest says hello", error: "" });
  });

  test("without a terminal, a run without --headless is headless and shows the screen", async () => {
    const run = await boot(["--image", disk(`${HELLO}\njmp stop${TEXT}`), "--timeout", "500"]);
    expect(run.status).toBe(0);
    expect(run.out).toContain("guest says hello\n");
  });
});

describe("a user's mistake is told in words, with status 2", () => {
  test.each([
    [["--chapter"], /--chapter/],
    [["--bogus"], /--bogus/],
    [["file.img"], /file\.img/],
    [[], /say what to boot/],
    [["--image", "a", "--elf", "b"], /say what to boot/],
    [["--variant", "x", "--image", "a"], /--variant goes with --chapter/],
    [["--image", "a", "--timeout", "soon"], /--timeout takes a number/],
    [["--image", "a", "--memory", "1"], /--memory takes a number/],
    [["--image", "a", "--memory", "2.5"], /--memory takes whole MiB/],
    [["--image", "a", "--screen"], /--screen goes with --headless/],
    [["--image", "a", "--until", ""], /--until needs a text/],
    [["--image", "a", "--type-after", "b"], /--type-after goes with --type/],
    [["--image", "a", "--type", "x", "--type-after", ""], /--type-after needs a text/],
    [["--elf", "a", "--qemu"], /QEMU boots disk images only/],
  ])("arguments %j", (args, message) => {
    expect(() => readArguments(args)).toThrow(UsageError);
    expect(() => readArguments(args)).toThrow(message);
  });

  test.each([
    [["--bogus"], /--bogus.*Usage:/s],
    [["--image", join(folder, "missing.img")], /cannot read .*missing\.img/],
    [["--chapter", "99"], /no chapter 99/],
  ])("command line %j", async (args, message) => {
    const run = await boot(args);
    expect(run).toMatchObject({ status: 2, out: "" });
    expect(run.error).toMatch(message);
    expect(run.error).not.toMatch(/^\s+at /m);
  });

  test("a file that is no ELF", async () => {
    const run = await boot(["--elf", disk("jmp stop"), "--headless"]);
    expect(run).toMatchObject({ status: 2, out: "" });
    expect(run.error).toMatch(/is not an ELF file/);
    const path = join(folder, "broken.elf");
    writeFileSync(path, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1));
    const broken = await boot(["--elf", path, "--headless"]);
    expect(broken).toMatchObject({ status: 2, out: "" });
    expect(broken.error).toMatch(/not a kernel that this machine can load/);
  });

  test("QEMU that is not installed", async () => {
    const run = await boot(["--image", disk("jmp stop"), "--qemu", "--headless"], undefined, "/nowhere");
    expect(run.status).toBe(2);
    expect(run.error).toMatch(/qemu-system-x86_64 is not installed\. On Debian/);
  });
});

test("--help explains itself", async () => {
  const run = await boot(["--help"]);
  expect(run).toMatchObject({ status: 0, error: "" });
  expect(run.out).toMatch(/^Usage: npm run boot/);
});
