/** Paths of tangled files: which target a path belongs to, and which language its ending asks for. */
import type { Diagnostic, Place } from "../place.ts";
import { LT } from "./errors.ts";

/** What a file is tangled for: a chapter's kernel and its boot loader, or the one machine. */
export type Target = "kernel" | "machine";

/** Which comments a language has, as far as slots are concerned. */
export type Dialect = "ts" | "asm" | "other";

/** The dialect of a fence's language. */
export function dialect(language: string): Dialect {
  if (language === "ts" || language === "typescript") return "ts";
  return language === "asm" || language === "nasm" ? "asm" : "other";
}

/** The target of a tangled file. */
export function targetOf(path: string): Target {
  return path.startsWith("machine/") ? "machine" : "kernel";
}

const PATH = /^(boot|kernel|machine)\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-]+((?:\.[A-Za-z0-9_-]+)*)$/;

/** Whether a tangled file may have this path. */
export function isTangledPath(path: string): boolean {
  return PATH.test(path);
}

/** What is wrong with a `file=` attribute. */
export function checkPath(path: string, place: Place, language: string, appendix: boolean): Diagnostic[] {
  const wrong = (message: string, hint: string): Diagnostic[] => [{ code: LT.badPath, message, place, hint }];
  const [, folder, ending] = PATH.exec(path) ?? [];
  if (folder === undefined)
    return wrong(
      `\`${path}\` is no path of a tangled file`,
      "write `file=kernel/vga.ts`, below boot/, kernel/ or machine/",
    );
  if (appendix && folder !== "machine")
    return wrong(`an appendix belongs to the machine, so it cannot hold \`${path}\``, "its files are below machine/");
  const wanted: Dialect = ending!.endsWith(".ts") ? "ts" : ending!.endsWith(".asm") ? "asm" : "other";
  const allowed = folder === "boot" ? "asm" : "ts";
  if (wanted !== allowed && wanted !== "other")
    return wrong(`\`${path}\`: files below ${folder}/ are not in ${wanted}`, `they end with \`.${allowed}\``);
  if (dialect(language) !== wanted)
    return wrong(
      `\`${path}\` is not a file for a ${language || "nameless"} block`,
      `its fence begins with \`${wanted === "other" ? "text" : wanted}\``,
    );
  return [];
}
