import { Worker } from "node:worker_threads";
import type { SearchTasks } from "./search-worker.ts";

/** The index and the Markdown parser in a thread of their own, so that neither stalls a stream. */
export interface SearchThread {
  /** Does one task there. Rejects when it fails, or when the thread dies meanwhile. */
  run<Task extends keyof SearchTasks>(
    task: Task,
    ...args: Parameters<SearchTasks[Task]>
  ): Promise<ReturnType<SearchTasks[Task]>>;
  close(): Promise<void>;
}

/** What {@link createSearchThread} needs. */
export interface SearchThreadOptions {
  /** The index's file. */
  readonly file: string;
  /** Called with each thread that is started: the first, and those after a crash. */
  readonly onStart?: (worker: Worker) => void;
  /** How long reading one document may take, in milliseconds. @default 30_000 */
  readonly maxReadingMs?: number;
}

/** A task that came to no good end by what it was given; the thread, or the next one, does others. */
export class SearchTaskError extends Error {
  override readonly name = "SearchTaskError";
}

// Node.js 20 runs no TypeScript in a worker: from source, the built file beside it serves.
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/knowledge/search-worker.js" : "./search-worker.js",
  import.meta.url,
);

/** Starts the thread. One that dies is started again with the next task. */
export function createSearchThread({
  file,
  onStart = () => undefined,
  maxReadingMs = 30_000,
}: SearchThreadOptions): SearchThread {
  const waiting = new Map<
    number,
    { resolve: (value: never) => void; reject: (error: Error) => void }
  >();
  let worker: Worker | undefined;
  let nextId = 0;
  let isClosed = false;

  function failAll(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(workerFile, { workerData: { file } });
    started.on("message", ({ id, result, error }) => {
      const task = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) task?.resolve(result as never);
      else task?.reject(new SearchTaskError(error));
    });
    started.on("error", failAll);
    started.on("exit", () => {
      if (worker !== started) return;
      worker = undefined;
      failAll(new Error("The search thread ended."));
    });
    onStart(started);
    return started;
  }

  return {
    run(task, ...args) {
      if (isClosed) return Promise.reject(new Error("The search thread is closed."));
      worker ??= start();
      nextId += 1;
      const id = nextId;
      const running = worker;
      const result = new Promise<never>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        running.postMessage({ id, task, args });
      });
      if (task !== "parse") return result;
      // A document may be made to be endless: then the thread is given up, and with the next task
      // there is another.
      const giveUp = setTimeout(() => {
        waiting.get(id)?.reject(new SearchTaskError("It took too long to read."));
        waiting.delete(id);
        if (worker !== running) return;
        worker = undefined;
        failAll(new Error("The search thread was given up."));
        void running.terminate();
      }, maxReadingMs);
      return result.finally(() => clearTimeout(giveUp));
    },
    async close() {
      if (isClosed) return;
      if (worker) await this.run("close").catch(() => undefined);
      isClosed = true;
      await worker?.terminate();
    },
  };
}
