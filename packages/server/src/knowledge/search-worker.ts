import { parentPort, workerData } from "node:worker_threads";
import { readMarkdownPage } from "./markdown-page.ts";
import { openSearchIndex } from "./search-index.ts";

/** The work that the worker does, by name. Arguments and results cross threads as copies. */
const index = openSearchIndex((workerData as { file: string }).file);
const tasks = {
  parse: readMarkdownPage,
  stamps: index.stamps,
  put: index.put,
  remove: index.remove,
  search: index.search,
  close: index.close,
};

/** What can be asked of the worker. */
export type SearchTasks = typeof tasks;

parentPort?.on("message", (message: { id: number; task: keyof SearchTasks; args: unknown[] }) => {
  const { id, task, args } = message;
  try {
    const result = (tasks[task] as (...values: unknown[]) => unknown)(...args);
    parentPort?.postMessage({ id, result });
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
