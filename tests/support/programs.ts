import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A program that has said that it is ready. */
export interface RunningProgram {
  readonly url: string;
  /** Everything that it has written so far, to both outputs. */
  readonly said: () => string;
  /** Asks it to end, and resolves with its exit code when it has. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A port that nothing uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** The environment of this process without what would reach into a test. */
export function cleanEnvironment(
  variables: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("VALET_"));
  return { ...Object.fromEntries(kept), ...variables };
}

/** Starts a program of the build and waits for its line `{"ready":true,"url":...}`. */
export function startProgram(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<RunningProgram> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: cleanEnvironment(variables),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stderr.on("data", (piece) => {
    said += String(piece);
  });
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      said += `${line}\n`;
      if (!line.startsWith('{"ready":true')) return;
      resolve({
        url: (JSON.parse(line) as { url: string }).url,
        said: () => said,
        stop: (signal) => stop(child, exited, signal),
      });
    });
    child.once("exit", (code) => reject(new Error(`${args[0]} ended with ${code}:\n${said}`)));
  });
}

function stop(
  child: ChildProcess,
  exited: Promise<number | null>,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<number | null> {
  child.kill(signal);
  return exited;
}

/** What a finished command has left. */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `valet` command of the build to its end. */
export function runValet(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<CommandResult> {
  const child = spawn(process.execPath, ["packages/server/dist/main.js", ...args], {
    cwd: root,
    env: cleanEnvironment(variables),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (piece) => {
    stdout += String(piece);
  });
  child.stderr.on("data", (piece) => {
    stderr += String(piece);
  });
  return new Promise((resolve) => {
    child.once("close", (status) => resolve({ status, stdout, stderr }));
  });
}
