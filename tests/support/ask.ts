import { createEventStreamDecoder, doneData, type StreamPart } from "@valet/protocol";
import { expect } from "vitest";
import type { TestServer } from "./valet-server.ts";

/** An answer as a client without the SDK sees it. */
export interface RawAnswer {
  readonly threadId: string;
  readonly parts: readonly StreamPart[];
  /** All text of the answer. */
  readonly text: string;
  readonly sources: readonly Extract<StreamPart, { type: "source-url" }>[];
}

/** A new session's token. */
export async function mintToken(valet: TestServer, body?: unknown): Promise<string> {
  const answer = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/sessions/`,
    {
      method: "POST",
      headers: {
        "x-api-key": valet.apiKey,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    },
  );
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { session_token: string }).session_token;
}

/** Asks one question over HTTP and reads the whole stream, which must end as the protocol says. */
export async function ask(
  valet: TestServer,
  token: string,
  question: string,
  threadId?: string,
): Promise<RawAnswer> {
  const answer = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent/chat/`,
    {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        ...(threadId === undefined ? {} : { id: threadId }),
        messages: [
          { id: crypto.randomUUID(), role: "user", parts: [{ type: "text", text: question }] },
        ],
      }),
    },
  );
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  const decoder = createEventStreamDecoder();
  const events = decoder.push(new Uint8Array(await answer.arrayBuffer()));
  expect(events.at(-1)?.data).toBe(doneData);
  const parts = events.slice(0, -1).map(({ data }) => JSON.parse(data) as StreamPart);
  expect(events.slice(0, -1).map(({ id }) => Number(id.split(":")[1]))).toEqual(
    parts.map((_, at) => at),
  );
  return {
    threadId: answer.headers.get("x-thread-id") ?? "",
    parts,
    text: parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join(""),
    sources: parts.filter((part) => part.type === "source-url"),
  };
}
