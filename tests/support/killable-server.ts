import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  type ControlClient,
  createControlClient,
  socketFetch,
} from "../../packages/server/src/control/control-client.ts";
import { cleanEnvironment, freePort, root } from "./programs.ts";

/** A server in a process of its own. */
export interface KillableServer {
  readonly url: string;
  readonly control: ControlClient;
  /** @param signal @default "SIGKILL" */
  kill(signal?: NodeJS.Signals): void;
  readonly exited: Promise<void>;
}

/** Starts one from what was built, on a free port. */
export async function startKillable(
  dataDir: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<KillableServer> {
  const port = await freePort();
  const child = spawn(process.execPath, ["packages/server/dist/main.js", "start", "--json-ready"], {
    cwd: root,
    env: cleanEnvironment({
      VALET_DATA_DIR: dataDir,
      VALET_PORT: String(port),
      VALET_LOG_LEVEL: "fatal",
      ...variables,
    }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", () => resolve());
    child.once("exit", (code) => reject(new Error(`The server did not start: ${code}.`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    control: createControlClient(socketFetch(join(dataDir, "control.sock"))),
    kill: (signal = "SIGKILL") => void child.kill(signal),
    exited,
  };
}
