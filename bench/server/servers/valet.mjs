import { mkdirSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { startServerProcess } from "../server-process.mjs";

const valet = new URL("../../../packages/server/dist/main.js", import.meta.url);

/**
 * Starts the real server on a data folder of its own, as `valet start` does, with all defaults,
 * and makes projects and keys through the command's socket. Another `program` is one that starts
 * it in its own way.
 */
export async function startValet({
  folder,
  projects,
  keysEach,
  program = valet,
  execArgv,
  env = {},
}) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await startServerProcess(program, {
    args: ["start", "--json-ready"],
    logFile: join(folder, "server.log"),
    ...(execArgv && { execArgv }),
    env: { VALET_DATA_DIR: folder, VALET_PORT: "0", ...env },
  });
  const socketPath = join(folder, "control.sock");
  const keys = [];
  for (let at = 0; at < projects; at += 1) {
    const { project } = await ask(socketPath, "/projects", { name: `bench ${at}` });
    const made = Array.from({ length: keysEach }, (_, number) =>
      ask(socketPath, `/projects/${project.id}/keys`, { name: `key ${number}` }),
    );
    for (const { secret } of await Promise.all(made)) keys.push({ projectId: project.id, secret });
  }
  return { ...server, keys };
}

/** The requests of a mint: every key in turn, and an owner of its own for each. */
export function mintRequests(keys, count) {
  return Array.from({ length: count }, (_, at) => {
    const { projectId, secret } = keys[at % keys.length];
    return {
      method: "POST",
      path: `/agent/v1/projects/${projectId}/agent/sessions/`,
      headers: { "x-api-key": secret, "content-type": "application/json" },
      body: JSON.stringify({ external_owner_id: `customer-${at}` }),
    };
  });
}

/** Mints a session and gives the request that verifies it, which was sent once: its token is in memory. */
export async function mintForVerify(server, request) {
  const answer = await fetch(server.url + request.path, request);
  if (answer.status !== 201) throw new Error(`A mint was answered ${answer.status}.`);
  const { session_token: token } = await answer.json();
  const verify = {
    method: "GET",
    path: request.path.replace(/sessions\/$/, "session/"),
    headers: { authorization: `Bearer ${token}` },
  };
  const first = await fetch(server.url + verify.path, verify);
  if (first.status !== 200) throw new Error(`A verify was answered ${first.status}.`);
  await first.arrayBuffer();
  return verify;
}

/** One answer as it is on the wire, without the headers that Node.js adds by itself. */
export function sample(server, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const asking = httpRequest(server.url + path, { method, headers }, async (answer) => {
      const own = new Set(["date", "connection", "keep-alive"]);
      const pairs = [];
      for (let at = 0; at < answer.rawHeaders.length; at += 2) {
        const name = answer.rawHeaders[at];
        if (!own.has(name.toLowerCase())) pairs.push([name, answer.rawHeaders[at + 1]]);
      }
      const text = (await answer.setEncoding("utf8").toArray()).join("");
      resolve({ status: answer.statusCode, headers: pairs, body: text });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

function ask(socketPath, path, body) {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
    };
    const asking = httpRequest({ socketPath, path, method: "POST", headers }, async (answer) => {
      const said = (await answer.setEncoding("utf8").toArray()).join("");
      if (answer.statusCode !== 201) reject(new Error(`${path}: ${answer.statusCode} ${said}`));
      else resolve(JSON.parse(said));
    });
    asking.on("error", reject);
    asking.end(text);
  });
}
