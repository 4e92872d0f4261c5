import { join } from "node:path";
import { startServerProcess } from "../server/server-process.mjs";
import { mintForVerify, mintRequests, startValet } from "../server/servers/valet.mjs";

const serverFile = (name) => new URL(`./servers/${name}.mjs`, import.meta.url);
const execArgv = ["--expose-gc"];
let questions = 0;

/** The body of a chat request whose question tells the model what to do. */
function bodyOf(order) {
  questions += 1;
  const parts = [{ type: "text", text: JSON.stringify(order) }];
  return JSON.stringify({ messages: [{ id: `u-${questions}`, role: "user", parts }] });
}

/**
 * Starts Valet with sessions of its own and gives the requests that ask it; each session asks in
 * its turn, so that default limits hold.
 */
export async function startValetLane({ folder, sessions }) {
  const dataDir = join(folder, `valet-${sessions}`);
  const server = await startValet({
    folder: dataDir,
    projects: 20,
    keysEach: 10,
    program: serverFile("valet"),
    execArgv,
    // A machine that has much to do must not end runs while the last streams are opened.
    env: { VALET_RUN_MAX_SECONDS: "3600" },
  });
  const requests = mintRequests(server.keys, sessions);
  const made = [];
  for (let at = 0; at < sessions; at += 50) {
    const group = requests.slice(at, at + 50).map((request) => mintForVerify(server, request));
    made.push(...(await Promise.all(group)));
  }
  let next = 0;
  return {
    id: "valet",
    server,
    ask(order) {
      const { path, headers } = made[next % made.length];
      next += 1;
      const url = server.url + path.replace(/session\/$/, "chat/");
      return { url, headers, body: bodyOf(order) };
    },
  };
}

/** Starts a server that knows nothing of sessions. */
export async function startPlainLane(id) {
  const server = await startServerProcess(serverFile(id), { execArgv });
  return { id, server, ask: (order) => ({ url: server.url, headers: {}, body: bodyOf(order) }) };
}
