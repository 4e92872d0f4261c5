import { createEventStreamDecoder, type StoredThread } from "@valet/protocol";
import { expect, test } from "vitest";
import {
  createAgentHarness,
  only,
  problemOf,
  readAnswer,
  someQuestion,
  someSession,
  typesOf,
} from "./testing/agent-harness.ts";
import { createPausingModel } from "./testing/scripted-model.ts";

test("stopping ends the stream in an abort, reaches the model, and keeps what was said", async () => {
  const { model } = createPausingModel();
  const { chat, request } = await createAgentHarness({ model });
  const session = someSession();
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const threadId = response.headers.get("x-thread-id") ?? "";
  const stop = (runId: unknown) =>
    request(session, `/chat/${threadId}/stop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ runId }),
    });
  expect(await (await stop("run_other")).json()).toEqual({ stopped: false });
  const runId = response.headers.get("x-run-id");
  await untilSaid(response.clone());
  expect(await (await stop(runId)).json()).toEqual({ stopped: true });
  expect(await (await stop(runId)).json()).toEqual({ stopped: false });
  const { parts } = await readAnswer(response);
  expect(typesOf(parts).slice(-3)).toEqual(["text-end", "message-metadata", "abort"]);
  expect(model.calls[0]?.abortSignal?.aborted).toBe(true);
  expect(model.cancelled).toBe(1);
  const thread = (await (await request(session, `/threads/${threadId}`)).json()) as StoredThread;
  expect(thread.messages[1]?.parts).toEqual([{ type: "text", text: "One " }]);
  expect(thread.messages[1]?.error).toBeUndefined();
});

/** Reads until the first delta has come. */
async function untilSaid(response: Response): Promise<void> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = createEventStreamDecoder();
  for (;;) {
    const { value } = await reader.read();
    if (!value || decoder.push(value).some(({ data }) => data.includes("text-delta"))) break;
  }
  // Not awaited: half of a cloned body waits for its other half.
  void reader.cancel();
}

test("whoever stops an answer may ask the next question at once", async () => {
  const { model } = createPausingModel();
  const { chat, request } = await createAgentHarness({ model });
  const session = someSession();
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const id = response.headers.get("x-thread-id");
  await untilSaid(response);
  const stopped = request(session, `/chat/${id}/stop`, { method: "POST" });
  const next = await chat(session, { id, messages: [someQuestion("Two?")] });
  expect(next.status).toBe(200);
  expect((await (await stopped).json()) as unknown).toEqual({ stopped: true });
  await request(session, `/chat/${id}/stop`, { method: "POST" });
});

test("a reader who leaves does not end the run, and comes back to every later frame once", async () => {
  const { model, release } = createPausingModel();
  const { chat, request } = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const threadId = response.headers.get("x-thread-id") ?? "";
  const runId = response.headers.get("x-run-id") ?? "";
  await untilSaid(response);
  const path = `/chat/${threadId}/stream`;
  const whole = await request(session, path);
  const rest = await request(session, path, { headers: { "last-event-id": `${runId}:3` } });
  const otherTab = await request(someSession({ owner: "jo" }), path);
  release();
  const all = await readAnswer(whole);
  expect(all.text).toBe("One two.");
  expect((await readAnswer(rest)).events).toEqual(all.events.slice(4));
  expect((await readAnswer(otherTab)).events).toEqual(all.events);
  // The run is over: those who missed its end can still read it, and nobody else anything.
  const late = await request(session, path, { headers: { "last-event-id": `${runId}:3` } });
  expect((await readAnswer(late)).events).toEqual(all.events.slice(4));
  const last = all.events.at(-2)?.id ?? "";
  const done = await request(session, path, { headers: { "last-event-id": last } });
  expect(done.status).toBe(204);
  expect((await request(session, path)).status).toBe(204);
  const odd = await request(session, path, { headers: { "last-event-id": "what" } });
  expect(await problemOf(odd)).toMatchObject({ status: 400, field: "Last-Event-ID" });
});

test("a revoked session's run ends at once, in a failure that says to get a new token", async () => {
  const { model } = createPausingModel();
  const { chat, streams, request } = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const otherTab = someSession({ owner: "jo" });
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const threadId = response.headers.get("x-thread-id") ?? "";
  const second = await request(otherTab, `/chat/${threadId}/stream`);
  expect(streams.count({ kid: "key_1" })).toBe(2);
  expect(streams.cut({ sid: session.sid }, "token_revoked")).toBe(1);
  const { parts } = await readAnswer(response);
  expect(typesOf(parts).slice(-3)).toEqual(["data-error", "error", "finish"]);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "token_revoked",
    retryable: true,
  });
  expect(model.cancelled).toBe(1);
  expect((await readAnswer(second)).parts.at(-1)).toMatchObject({ finishReason: "error" });
  expect(streams.count({ kid: "key_1" })).toBe(0);
});

test("a revoked reader is cut off from a run that goes on for others", async () => {
  const { model, release } = createPausingModel();
  const { chat, streams, request } = await createAgentHarness({ model });
  const session = someSession({ owner: "jo" });
  const otherTab = someSession({ owner: "jo" });
  const response = await chat(session, { messages: [someQuestion("One?")] });
  const threadId = response.headers.get("x-thread-id") ?? "";
  const second = await request(otherTab, `/chat/${threadId}/stream`);
  streams.cut({ sid: otherTab.sid }, "token_revoked");
  const cut = await readAnswer(second);
  expect(only(cut.parts, "data-error")[0]?.data.code).toBe("token_revoked");
  expect(cut.events.filter(({ data }) => /"(data-error|error|finish)"/.test(data))).toMatchObject([
    { id: "" },
    { id: "" },
    { id: "" },
  ]);
  release();
  expect((await readAnswer(response)).text).toBe("One two.");
});

test("a server that closes interrupts its runs in words, and begins none", async () => {
  const { model } = createPausingModel();
  const { chat, agent } = await createAgentHarness({ model });
  const session = someSession();
  const response = await chat(session, { messages: [someQuestion("One?")] });
  await agent.close();
  const { parts } = await readAnswer(response);
  expect(only(parts, "data-error")[0]?.data).toMatchObject({
    code: "run_interrupted",
    retryable: true,
  });
  const refused = await chat(session, { messages: [someQuestion("Two?")] });
  expect(await problemOf(refused)).toMatchObject({ status: 503, code: "unavailable" });
});

test("a silent run is kept alive by comments", async () => {
  const { model, release } = createPausingModel();
  const { chat } = await createAgentHarness({ model, heartbeatMs: 5 });
  const response = await chat(someSession(), { messages: [someQuestion("One?")] });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  while (!text.includes(": hb\n\n")) {
    text += Buffer.from((await reader.read()).value ?? []).toString();
  }
  release();
  expect(text).toContain("text-delta");
  await reader.cancel();
});
