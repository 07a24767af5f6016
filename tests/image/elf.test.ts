/** The kernel's ELF file, read by the tools that others use: readelf, objdump, gdb. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../../tangle/compiler/compile.ts";
import type { LinkedProgram } from "../../tangle/compiler/object.ts";
import { debugSections } from "../../tangle/image/dwarf.ts";
import { writeElf } from "../../tangle/image/elf.ts";
import type { Place } from "../../tangle/place.ts";
import { lacks } from "../requires.ts";

const SOURCE = `import { halt2 } from "./halt";
let counter: u64 = 3;
let buffer: FixedArray<u8, 5000> = filled(0);

export function _start(): never {
  counter += u64(buffer[7]);
  buffer[9] = u8(counter);
  halt2(counter);
}

export const onPanic = panicHandler((info) => {
  halt2(u64(info.line));
});
`;
const HALT = `export const halt2 = noInline((value: u64): never => {
  asm\`mov rax, \${value}
       nop\`;
  for (;;) {
    halt();
  }
});
`;

/** The book's line for each line of the sources: they begin at other lines of other files. */
const toBook = (place: Place): Place => ({
  file: place.file === "kernel/main.ts" ? "book/07-somewhere.md" : "book/01-else.md",
  line: place.line + 100,
  column: place.column,
});

function build(): LinkedProgram {
  const files = [
    { path: "kernel/main.ts", text: SOURCE },
    { path: "kernel/halt.ts", text: HALT },
  ];
  const { linked, diagnostics } = compile(files, { entryFile: "kernel/main.ts", chapter: 3 });
  expect(diagnostics).toEqual([]);
  return linked!;
}

let directory: string;
let path: string;
let linked: LinkedProgram;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "elf-"));
  path = join(directory, "kernel.elf");
  linked = build();
  writeFileSync(path, writeElf(linked, debugSections(linked, toBook)));
});
afterAll(() => rmSync(directory, { recursive: true }));

const tool = (name: string, ...options: string[]) =>
  execFileSync(name, [...options, path], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("the same program gives the same file", () => {
  const again = build();
  expect(writeElf(again, debugSections(again, toBook))).toEqual(writeElf(linked, debugSections(linked, toBook)));
});

test("the file without tools: what the boot loader checks", () => {
  const bytes = writeElf(linked);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  expect([...bytes.slice(0, 6)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  expect(view.getBigUint64(24, true)).toBe(linked.entry);
  expect(view.getUint16(54, true)).toBe(56);
  const count = view.getUint16(56, true);
  expect(count).toBe(linked.segments.length);
  for (let i = 0; i < count; i++) {
    const at = 64 + i * 56;
    const [offset, address] = [view.getBigUint64(at + 8, true), view.getBigUint64(at + 16, true)];
    const [inFile, inMemory] = [view.getBigUint64(at + 32, true), view.getBigUint64(at + 40, true)];
    expect(view.getUint32(at, true)).toBe(1);
    expect(address % 0x1000n).toBe(0n);
    expect(inMemory).toBeGreaterThan(0n);
    expect(inFile).toBeLessThanOrEqual(inMemory);
    expect(offset + inFile).toBeLessThanOrEqual(BigInt(bytes.length));
    const segment = linked.segments[i]!;
    expect(bytes.slice(Number(offset), Number(offset + inFile))).toEqual(segment.bytes);
  }
});

describe.skipIf(lacks("readelf", "objdump"))("binutils", () => {
  test("readelf finds nothing wrong", () => {
    const output = execFileSync(
      "sh",
      ["-c", `readelf --all --wide --debug-dump=info,abbrev,decodedline "${path}" 2>&1`],
      {
        encoding: "utf8",
      },
    );
    expect(output).not.toMatch(/warning|error/i);
    expect(output).toMatch(/LOAD .* R E /);
    expect(output).toMatch(/5000 OBJECT +GLOBAL DEFAULT +\d+ kernel\/main:buffer/);
  });

  test("objdump shows the book's lines beside the instructions", () => {
    const output = tool("objdump", "-d", "-l", "-M", "intel");
    expect(output).toMatch(/<kernel\/main:_start>:/);
    expect(output).toMatch(/book\/07-somewhere\.md:106\n.*movzx /);
    expect(output).toMatch(/book\/01-else\.md:103\n.*\bnop\n/);
    expect(output).not.toContain("(bad)");
  });

  test("every line that the linker tells stands in the file", () => {
    const decoded = tool("objdump", "--dwarf=decodedline");
    const rows = new Set(
      [...decoded.matchAll(/^(\S+) +(\d+) +(0x[0-9a-f]+)/gm)].map((m) => `${BigInt(m[3]!)} ${m[2]}`),
    );
    for (const { address, place } of linked.lines) expect(rows).toContain(`${address} ${toBook(place).line}`);
  });
});

test.skipIf(lacks("gdb"))("gdb knows functions and lines", () => {
  const output = tool("gdb", "-batch", "-ex", "info line *&'kernel/main:_start'", "-ex", "info functions");
  expect(output).toContain('Line 106 of "book/07-somewhere.md"');
  expect(output).toContain("kernel/halt:halt2");
});

describe.skipIf(lacks("gdb") || process.platform !== "linux" || process.arch !== "x64")("gdb walks the stack", () => {
  const NESTED = `
let depth: u64 = 0;
const inner = noInline((a: u64, b: u64, c: u64): u64 => {
  depth += a ^ b ^ c;
  breakpoint();
  return depth;
});
const middle = noInline((a: u64): u64 => {
  let sum: u64 = 0;
  for (let i: u64 = 0; i < a; i++) {
    sum += inner(i, sum, a) * i;
  }
  return sum;
});
const outer = noInline((): u64 => {
  const first = middle(3);
  return first + middle(first);
});
export function _start(): never {
  depth = outer();
  for (;;) {
  }
}
panicHandler((info) => {
  for (;;) {
    spinHint();
  }
});
`;
  test("from a breakpoint to the entry, with the book's lines", () => {
    const file = { path: "kernel/main.ts", text: NESTED };
    const options = { entryFile: file.path, chapter: 5, base: 0x40_0000n };
    const { linked: program, diagnostics } = compile([file], options);
    expect(diagnostics).toEqual([]);
    const nested = join(directory, "nested.elf");
    writeFileSync(nested, writeElf(program!, debugSections(program!, toBook)), { mode: 0o755 });
    const commands = ["run", "bt", "finish", "bt"].flatMap((command) => ["-ex", command]);
    const output = execFileSync("gdb", ["-batch", ...commands, nested], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    const names = [...output.matchAll(/^#\d .*?(kernel\/main:\w+) \(\) at book\/07-somewhere\.md:(\d+)/gm)];
    expect(names.map(([, name, line]) => `${name} ${line}`)).toEqual([
      "kernel/main:inner 106",
      "kernel/main:middle 111",
      "kernel/main:outer 116",
      "kernel/main:_start 120",
      "kernel/main:middle 111",
      "kernel/main:outer 116",
      "kernel/main:_start 120",
    ]);
  });
});
