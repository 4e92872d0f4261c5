import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Starts the load driver. */
export function startDriver() {
  const child = fork(fileURLToPath(new URL("./driver.mjs", import.meta.url)), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      const onExit = () => reject(new Error("The load driver ended."));
      child.once("exit", onExit);
      child.once("message", (answer) => {
        child.off("exit", onExit);
        if (answer.error) reject(new Error(answer.error));
        else resolve(answer.result);
      });
      child.send(message);
    });
  return {
    /** Gives the driver requests to send, each `{method, path, headers, body?}`. */
    setPool: (name, requests) => ask({ pool: { name, requests } }),
    run: (window) => ask({ window }),
    stop: () => child.kill(),
  };
}

/**
 * One window: exactly `amount` requests, and the processor time that the server took for them.
 *
 * @throws When a single answer is not 2xx: a figure of refusals is no figure.
 */
export async function measureWindow({ driver, server, pool, amount, connections }) {
  const before = await server.cpuUs();
  const { requests, refused, statuses, tookMs, p50Ms, p99Ms } = await driver.run({
    url: server.url,
    pool,
    amount,
    connections,
  });
  const used = (await server.cpuUs()) - before;
  if (refused > 0 || requests < amount) {
    throw new Error(`${refused} of ${amount} requests of ${pool} were refused (${statuses})`);
  }
  return { cpuUs: used / requests, perSecond: (requests * 1000) / tookMs, p50Ms, p99Ms };
}
