import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { sessionEndpoint } from "../session-tokens/session-endpoint.ts";
import { createSessionTokenManager } from "../session-tokens/session-token-manager.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapMib(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}

/** What many rounds have left behind. */
export interface Left {
  readonly issued: number;
  readonly heapGrowthMib: number;
  readonly sockets: number;
}

/**
 * Fetches a token over HTTP, has it refused, and at each tenth round changes the person, so many
 * times after a tenth of that to warm up.
 */
export async function fetchRefuseReset(rounds: number): Promise<Left> {
  let issued = 0;
  const sockets = new Set<Socket>();
  const server = createServer((_, response) => {
    issued += 1;
    const token = `token-${issued}-${"x".repeat(200)}`;
    response.end(JSON.stringify({ session_token: token, expires_in: 3600 }));
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let nowMs = 0;
  const manager = createSessionTokenManager(sessionEndpoint(url), {
    // A minute for each round, so that the budget lets every one through.
    clock: { wall: () => nowMs, mono: () => nowMs },
  });
  const { signal } = new AbortController();
  const run = async (times: number): Promise<void> => {
    for (let at = 0; at < times; at += 1) {
      nowMs += 60_000;
      manager.reportRejected(await manager.getToken({ signal }));
      if (at % 10 === 0) manager.reset();
    }
  };
  await run(rounds / 10);
  const before = heapMib();
  await run(rounds);
  const left = { issued, heapGrowthMib: heapMib() - before, sockets: sockets.size };
  manager.dispose();
  server.closeAllConnections();
  server.close();
  return left;
}
