import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";

const usage = new URL("./usage.mjs", import.meta.url).href;

/**
 * Starts a server in a process of its own, with a channel over which it tells its processor time.
 * It says where it listens in a line of JSON, as `valet start --json-ready` does.
 */
export async function startServerProcess(
  file,
  { args = [], env = {}, logFile, execArgv = [] } = {},
) {
  const log = logFile === undefined ? "inherit" : openSync(logFile, "a");
  const child = fork(fileURLToPath(file), args, {
    env: { ...process.env, ...env },
    execArgv: ["--no-warnings", ...execArgv, "--import", usage],
    stdio: ["ignore", "pipe", log, "ipc"],
  });
  if (typeof log === "number") closeSync(log);
  const url = await new Promise((resolve, reject) => {
    let out = "";
    child.stdout.on("data", (piece) => {
      out += piece;
      const ready = out.split("\n").find((line) => line.startsWith('{"ready"'));
      if (ready) resolve(JSON.parse(ready).url);
    });
    child.once("exit", (code) =>
      reject(new Error(`${file} ended with ${code} before it was ready`)),
    );
  });
  const ask = (what) =>
    new Promise((resolve) => {
      child.once("message", resolve);
      child.send(what);
    });
  return {
    url: url.replace("localhost", "127.0.0.1"),
    /** Processor time used so far, by all threads, in microseconds. */
    cpuUs: async () => {
      const { user, system } = (await ask("usage")).usage;
      return user + system;
    },
    /** Resident memory, in bytes, after what can be collected was collected (`--expose-gc`). */
    residentBytes: async () => (await ask("memory")).memory,
    /** Tells it something that only it knows. */
    tell: (message) => void child.send(message),
    async stop() {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}
