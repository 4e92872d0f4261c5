import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Starts a Node.js program and waits for its line `{"ready":true,"url":...}`.
 *
 * @throws {Error} With what the program said, when it ends before it is ready.
 */
export function startChild({ name, args, env, onExit }) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (piece) => {
    said = `${said}${piece}`.slice(-4000);
    process.stderr.write(piece);
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  let ready = false;
  let stopped = false;

  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const message = parse(line);
      if (ready || message?.ready !== true) {
        console.log(line);
        return;
      }
      ready = true;
      resolve({
        url: message.url,
        async stop() {
          stopped = true;
          // A terminal's Ctrl-C has reached the child already; a second signal does no harm.
          child.kill("SIGTERM");
          const giveUp = setTimeout(() => child.kill("SIGKILL"), 5000);
          await exited;
          clearTimeout(giveUp);
        },
      });
    });
    child.once("exit", (code, signal) => {
      const status = signal ?? `exit code ${code}`;
      if (!ready)
        reject(
          new Error(
            `${name} did not start (${status}).${said === "" ? "" : " It said the lines above."}`,
          ),
        );
      else if (!stopped) onExit(status);
    });
  });
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
