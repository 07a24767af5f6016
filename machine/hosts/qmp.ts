/** A client of QEMU's machine protocol (QMP): one JSON object a line over a socket, one command at a time. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 10;

interface Reply {
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
}

/** A connected client, past the handshake. */
export class QmpClient {
  private buffer = "";
  private readonly waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];

  private constructor(private readonly socket: Socket) {
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => this.receive(text));
    const fail = () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error("QEMU closed its monitor"));
    };
    socket.on("close", fail);
    socket.on("error", fail);
  }

  /** Tries until QEMU listens at the socket; null when `alive` says that there is no hope. */
  static async connect(path: string, alive: () => boolean): Promise<QmpClient | null> {
    while (alive()) {
      const socket = await new Promise<Socket | null>((resolve) => {
        const attempt = connect(path, () => resolve(attempt));
        attempt.on("error", () => resolve(null));
      });
      if (socket === null) {
        await sleep(RETRY_MS);
        continue;
      }
      const client = new QmpClient(socket);
      await client.execute("qmp_capabilities").catch(() => {});
      return client;
    }
    return null;
  }

  /** No command will be answered any more: QEMU has ended, or somebody has closed the connection. */
  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  /** Runs a command; rejects with QEMU's own words where it refuses. */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.isClosed) {
        reject(new Error("QEMU closed its monitor"));
        return;
      }
      this.waiting.push({ resolve, reject });
      this.socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  /** Runs a command of the monitor for humans; its output. */
  async human(line: string): Promise<string> {
    return String(await this.execute("human-monitor-command", { "command-line": line }));
  }

  close(): void {
    this.socket.destroy();
  }

  /** Replies come in the order of the commands; greeting and events are neither. */
  private receive(text: string): void {
    this.buffer += text;
    const lines = this.buffer.split("\n");
    this.buffer = lines.pop()!;
    for (const line of lines.filter((candidate) => candidate.trim() !== "")) {
      const reply = JSON.parse(line) as Reply;
      if (!("return" in reply) && !("error" in reply)) continue;
      const call = this.waiting.shift();
      if (reply.error !== undefined) call?.reject(new Error(reply.error.desc));
      else call?.resolve(reply.return);
    }
  }
}
