/** Builds chapters on all cores: threads that each take the next chapter of a queue. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { BuiltChapter, ThreadData } from "./chapter-worker.ts";

/** More threads than this only wait for each other's memory. */
const MOST_THREADS = 4;

interface Job {
  readonly chapter: number;
  readonly promise: Promise<BuiltChapter>;
  readonly done: (built: BuiltChapter) => void;
  readonly failed: (error: Error) => void;
}

export class ChapterBuilds {
  private readonly queue: Job[] = [];
  private readonly idle: Worker[] = [];
  private readonly workers: Worker[] = [];
  private readonly running = new Map<Worker, Job>();
  private readonly threads = Math.min(availableParallelism(), MOST_THREADS);
  /** Threads that are not used now, because the one that asks is busy itself. */
  private spared = 0;
  private script: string | null = null;

  /** `script`: the bundled site/chapter-worker.ts. `root`: the folder that holds book/ and dist/. */
  constructor(
    script: Promise<string>,
    private readonly root: string,
  ) {
    void script.then((path) => {
      this.script = path;
      this.work();
    });
  }

  /** While `isBusy`, a core is left to the one who asks. */
  set callerIsBusy(isBusy: boolean) {
    this.spared = isBusy && this.threads > 1 ? 1 : 0;
    this.work();
  }

  /** Builds a chapter, as the book is then, as soon as a thread is free. Rejects where the disk refuses. */
  build(chapter: number): Promise<BuiltChapter> {
    const queued = this.queue.find((job) => job.chapter === chapter);
    if (queued !== undefined) return queued.promise;
    const { promise, ...settle } = settled();
    this.queue.push({ chapter, promise, ...settle });
    this.work();
    return promise;
  }

  /** Somebody waits for this chapter: it is the next one. */
  hurry(chapter: number): void {
    const at = this.queue.findIndex((job) => job.chapter === chapter);
    if (at > 0) this.queue.unshift(...this.queue.splice(at, 1));
  }

  /** Ends all threads; what is still being built is given up. */
  async close(): Promise<void> {
    this.queue.length = 0;
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private work(): void {
    while (this.queue.length > 0 && this.running.size < this.threads - this.spared && this.script !== null) {
      const worker = this.idle.pop() ?? this.newWorker(this.script);
      const job = this.queue.shift()!;
      this.running.set(worker, job);
      worker.ref();
      worker.postMessage(job.chapter);
    }
  }

  private newWorker(script: string): Worker {
    const worker = new Worker(script, { workerData: { root: this.root } satisfies ThreadData });
    worker.on("message", (built: BuiltChapter) => {
      this.running.get(worker)!.done(built);
      this.running.delete(worker);
      this.idle.push(worker);
      // A thread without work keeps no process alive.
      worker.unref();
      this.work();
    });
    worker.on("error", (error: Error) => {
      this.workers.splice(this.workers.indexOf(worker), 1);
      this.running.get(worker)?.failed(error);
      this.running.delete(worker);
      this.work();
    });
    this.workers.push(worker);
    return worker;
  }
}

function settled(): Pick<Job, "promise" | "done" | "failed"> {
  let done!: Job["done"];
  let failed!: Job["failed"];
  const promise = new Promise<BuiltChapter>((resolve, reject) => {
    done = resolve;
    failed = reject;
  });
  return { promise, done, failed };
}
