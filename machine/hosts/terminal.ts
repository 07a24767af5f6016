/** Shows a session live in the terminal until it ends or the reader presses Ctrl-]. */
import { typed } from "#machine/platform/scan-codes.ts";
import { type RunEnd, type Session, textWatcher } from "./session.ts";
import { terminalKeys } from "./terminal-keys.ts";
import { ENTER, LEAVE, type TerminalOutput, TerminalView } from "./terminal-view.ts";

const QUIT = "\x1d";
const HINT = "Ctrl-] quits";

export interface TerminalOptions {
  /** Shown in the status line. */
  readonly title: string;
  /** Seconds after which it ends by itself. */
  readonly timeout?: number;
  /** Typed at the beginning, or when `typeAfter` is on the screen or has come over the serial line. */
  readonly type?: string;
  readonly typeAfter?: string;
}

/** The reader's side: a keyboard and a screen. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: TerminalOutput & { on(event: "resize", changed: () => void): unknown };
}

/** What the guest did, or null where the reader quit. The terminal is as before when it returns, or the process exits. */
export async function runInTerminal(
  session: Session,
  options: TerminalOptions,
  terminal: Terminal = process,
): Promise<RunEnd | null> {
  const { stdin, stdout } = terminal;
  const view = new TerminalView(stdout);
  const restore = () => {
    stdout.write(LEAVE);
    if (stdin.isTTY) stdin.setRawMode?.(false);
    stdin.pause();
  };
  process.once("exit", restore);
  stdout.write(ENTER);
  if (stdin.isTTY) stdin.setRawMode?.(true);
  try {
    return await live(session, view, options, terminal);
  } finally {
    await session.stop();
    process.removeListener("exit", restore);
    restore();
  }
}

function live(
  session: Session,
  view: TerminalView,
  { title, timeout, type, typeAfter }: TerminalOptions,
  { stdin, stdout }: Terminal,
): Promise<RunEnd | null> {
  return new Promise((resolve) => {
    const watcher = textWatcher(typeAfter, () => session.press(typed(type ?? "")));
    session.onSerial = (bytes) => {
      view.addSerial(bytes);
      watcher.serial(bytes);
    };
    session.onScreen = (screen) => {
      view.show(screen);
      watcher.screen(screen);
    };
    session.onNotice = (message) => view.setStatus(`${HINT} · ${message}`);
    session.onEnd = resolve;
    stdin.on("data", (data: Buffer | string) => {
      const text = data.toString("utf8");
      if (text.includes(QUIT)) resolve(null);
      else session.press(terminalKeys(text));
    });
    stdout.on("resize", () => view.redraw());
    if (timeout !== undefined) setTimeout(() => resolve({ kind: "timeout" }), timeout * 1000).unref();
    view.setStatus(`${HINT} · ${title}`);
    session.start();
    if (type !== undefined && typeAfter === undefined) session.press(typed(type));
  });
}
