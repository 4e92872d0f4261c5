// Statements that write, for 10,000 uses of tokens spread over ten minutes of a clock of its own.
import { Writable } from "node:stream";
import * as parts from "./parts.mjs";

const folder = process.argv[2];
const verifies = 10_000;
const overMs = 10 * 60_000;
const clock = { ms: Date.now() };
const writes = [];
let reads = 0;
const server = await parts.openServer(
  parts.readConfig({ VALET_DATA_DIR: folder, VALET_LOG_LEVEL: "error" }),
  {
    now: () => clock.ms,
    logTo: new Writable({ write: (_piece, _encoding, done) => done() }),
    onStatement: (statement) => {
      if (/^\s*(?:insert|update|delete|replace)\b/i.test(statement)) writes.push(statement);
      else if (/^\s*select\b/i.test(statement)) reads += 1;
    },
  },
);
const headers = { "content-type": "application/json" };
const ask = async (app, path, init) => {
  const answer = await app.request(path, init);
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}.`);
  return answer.json();
};
const post = (path, body) =>
  ask(server.control, path, { method: "POST", headers, body: JSON.stringify(body) });

const { project } = await post("/projects", { name: "bench" });
const base = `/agent/v1/projects/${project.id}/agent`;
const tokens = [];
for (let at = 0; at < 50; at += 1) {
  const { secret } = await post(`/projects/${project.id}/keys`, { name: `key ${at}` });
  const minted = await ask(server.app, `${base}/sessions/`, {
    method: "POST",
    headers: { ...headers, "x-api-key": secret },
    body: JSON.stringify({ external_owner_id: `customer-${at}` }),
  });
  tokens.push(minted.session_token);
}
writes.length = 0;
reads = 0;
for (let at = 0; at < verifies; at += 1) {
  clock.ms += overMs / verifies;
  const authorization = `Bearer ${tokens[at % tokens.length]}`;
  await ask(server.app, `${base}/session/`, { headers: { authorization } });
}
const found = { writes: writes.length, reads, seen: [...new Set(writes)] };
await server.close();
parts.tell(found);
