import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEventStreamDecoder, type StoredThread, type StreamPart } from "@valet/protocol";
import { expect, test } from "vitest";
import {
  type OpenAiServer,
  startOpenAiServer,
  streams,
  streamsThen,
} from "../packages/server/src/agent/testing/openai-server.ts";
import { testDatabases } from "../packages/server/src/database/testing/test-databases.ts";
import { type KillableServer, startKillable } from "./support/killable-server.ts";

const searches = streams(
  [
    { role: "assistant", content: "Let me look." },
    {
      tool_calls: [
        {
          index: 0,
          id: "call_1",
          type: "function",
          function: { name: "search_knowledge_base", arguments: '{"query":"limits"}' },
        },
      ],
    },
  ],
  "tool_calls",
);
const hangs = streamsThen([{ content: "Half an answer" }], () => undefined);
const answers = streams([{ role: "assistant", content: "Nothing is known." }], "stop");

interface Session {
  readonly base: string;
  readonly headers: Record<string, string>;
}

/** A session with an owner and a bound on its tokens. */
async function openSession(
  { control }: KillableServer,
  url: string,
): Promise<Session & { moveTo(url: string): Session }> {
  const { project } = await control.post<{ project: { id: string } }>("/projects", {
    name: "Test",
  });
  const { secret } = await control.post<{ secret: string }>(`/projects/${project.id}/keys`, {
    name: "Server",
  });
  const at = (host: string) => `${host}/agent/v1/projects/${project.id}/agent`;
  const minted = await fetch(`${at(url)}/sessions/`, {
    method: "POST",
    headers: { "x-api-key": secret, "content-type": "application/json" },
    body: JSON.stringify({ external_owner_id: "jo", limits: { model_tokens: 100_000 } }),
  });
  const { session_token: token } = (await minted.json()) as { session_token: string };
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return { base: at(url), headers, moveTo: (host) => ({ base: at(host), headers }) };
}

function chat({ base, headers }: Session, body: unknown): Promise<Response> {
  return fetch(`${base}/chat/`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Reads events until one of them holds a text; gives the id of the last one. */
async function readUntil(response: Response, text: string): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = createEventStreamDecoder();
  for (;;) {
    const { value } = await reader.read();
    if (!value) throw new Error(`The stream ended without ${text}.`);
    const events = decoder.push(value);
    const found = events.find(({ data }) => data.includes(text));
    if (found) return found.id;
  }
}

async function readParts(response: Response): Promise<StreamPart[]> {
  const events = createEventStreamDecoder().push(new Uint8Array(await response.arrayBuffer()));
  expect(events.at(-1)?.data).toBe("[DONE]");
  return events.slice(0, -1).map(({ data }) => JSON.parse(data) as StreamPart);
}

async function modelTokensLeft({ base, headers }: Session): Promise<number> {
  const answer = await fetch(`${base}/session/`, { headers });
  const { left } = (await answer.json()) as { left: { model_tokens: number } };
  return left.model_tokens;
}

for (const kind of await testDatabases()) {
  for (const signal of ["SIGKILL", "SIGTERM"] as const) {
    test(`${kind.name}: a run that ${signal} cut off ends in words for who attaches again, stands in its thread, is paid for, and may be asked again`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "valet-interrupted-"));
      const postgres = kind.name === "PostgreSQL" ? await kind.createPlace() : undefined;
      const provider: OpenAiServer = await startOpenAiServer(searches, hangs, answers);
      const variables = {
        VALET_MODEL: "openai-compatible/test",
        VALET_MODEL_BASE_URL: provider.baseUrl,
        ...(postgres && { VALET_DATABASE_URL: postgres.place }),
      };
      const start = () => startKillable(join(folder, "data"), variables);
      let server = await start();
      try {
        const before = await openSession(server, server.url);
        const question = { id: "u_1", role: "user", parts: [{ type: "text", text: "Limits?" }] };
        const response = await chat(before, { messages: [question] });
        const id = response.headers.get("x-thread-id");
        const lastEventId = await readUntil(response, "Half an answer");
        server.kill(signal);
        await server.exited;
        server = await start();
        const after = before.moveTo(server.url);

        const attached = await fetch(`${after.base}/chat/${id}/stream/`, {
          headers: { ...after.headers, "last-event-id": lastEventId },
        });
        expect(attached.status).toBe(200);
        const parts = await readParts(attached);
        expect(parts.map(({ type }) => type)).toEqual(["data-error", "error", "finish"]);
        expect(parts[0]).toMatchObject({ data: { code: "run_interrupted", retryable: true } });

        const read = async () => {
          const answer = await fetch(`${after.base}/threads/${id}/`, { headers: after.headers });
          return (await answer.json()) as StoredThread;
        };
        const { messages, active_run_id } = await read();
        expect(active_run_id).toBeNull();
        expect(messages).toHaveLength(2);
        expect(messages[1]?.error?.code).toBe("run_interrupted");
        expect(messages[1]?.parts.slice(0, 2)).toMatchObject([
          { type: "text", text: "Let me look." },
          { type: "tool-call", state: "completed" },
        ]);
        const left = await modelTokensLeft(after);
        expect(left).toBeLessThan(100_000 - 10);
        expect(left).toBeGreaterThan(90_000);

        const again = await chat(after, { id, messages: [question] });
        const said = await readParts(again);
        expect(said.at(-1)).toEqual({ type: "finish", finishReason: "stop" });
        const healed = (await read()).messages;
        expect(healed).toHaveLength(2);
        expect(healed[1]?.error).toBeUndefined();
        expect(healed[1]?.parts).toEqual([{ type: "text", text: "Nothing is known." }]);
      } finally {
        server.kill("SIGKILL");
        await server.exited;
        await provider.close();
        await postgres?.drop();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
