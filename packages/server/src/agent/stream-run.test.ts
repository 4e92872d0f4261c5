import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { createEventStreamDecoder, type StreamEvent } from "@valet/protocol";
import { expect, onTestFinished, test } from "vitest";
import {
  createAgentHarness,
  readAnswer,
  someQuestion,
  someSession,
} from "./testing/agent-harness.ts";
import { createPausingModel } from "./testing/scripted-model.ts";

/** The harness on a real port. */
async function listen() {
  const { model, release } = createPausingModel();
  const harness = await createAgentHarness({ model });
  const session = someSession();
  // Makes the session known by its name.
  await harness.request(session, "/threads");
  const server = serve({ fetch: harness.app.fetch, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  onTestFinished(async () => {
    release();
    await harness.agent.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const chat = (signal?: AbortSignal) =>
    fetch(`http://127.0.0.1:${port}/chat`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-test-session": session.sid },
      body: JSON.stringify({ messages: [someQuestion("One?")] }),
      ...(signal ? { signal } : {}),
    });
  return { ...harness, session, release, chat };
}

/** Reads events until one of them holds a text. */
async function readUntil(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  text: string,
): Promise<StreamEvent[]> {
  const decoder = createEventStreamDecoder();
  const events: StreamEvent[] = [];
  while (!events.some(({ data }) => data.includes(text))) {
    const { value, done } = await reader.read();
    if (done) break;
    events.push(...decoder.push(value));
  }
  return events;
}

test("over a socket a frame arrives when it is written, not when the answer is done", async () => {
  const { chat, release } = await listen();
  const response = await chat();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const first = await readUntil(reader, "One ");
  expect(first.some(({ data }) => data.includes("two."))).toBe(false);
  release();
  expect((await readUntil(reader, "[DONE]")).at(-1)?.data).toBe("[DONE]");
});

test("over a socket a client that hangs up leaves the run alone", async () => {
  const { chat, release, session, request } = await listen();
  const hangUp = new AbortController();
  const response = await chat(hangUp.signal);
  const threadId = response.headers.get("x-thread-id");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await readUntil(reader, "One ");
  hangUp.abort();
  await expect(reader.read()).rejects.toThrow();
  const again = await request(session, `/chat/${threadId}/stream`);
  release();
  expect((await readAnswer(again)).text).toBe("One two.");
});
