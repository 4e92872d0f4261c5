import type { StoredThread, ThreadList } from "@valet/protocol";
import { expect, test } from "vitest";
import {
  createAgentHarness,
  only,
  problemOf,
  somePassage,
  someQuestion,
  someSession,
} from "./testing/agent-harness.ts";
import {
  calls,
  createPausingModel,
  createScriptedModel,
  finishes,
  says,
} from "./testing/scripted-model.ts";

const answering = () => createScriptedModel([...says("Yes."), finishes()]);

test("numbers of sources stay what they are through a thread, and only real ones are cited", async () => {
  const search = (id: string) => calls(id, "search_knowledge_base", { query: id });
  const model = createScriptedModel(
    [search("a"), finishes("tool-calls")],
    [...says("See [2], `x[1]` and [7]."), finishes()],
    [search("b"), finishes("tool-calls")],
    [...says("See [3][1]."), finishes()],
  );
  const pages: Record<string, string[]> = { a: ["one", "two"], b: ["two", "three"] };
  const { ask, request } = await createAgentHarness({
    model,
    passages: async (query) =>
      (pages[query] ?? []).map((page) => somePassage({ url: `https://d.example/${page}` })),
  });
  const session = someSession();
  const first = await ask(session, "One?");
  const second = await ask(session, "Two?", { id: first.threadId });
  const numbers = (parts: typeof first.parts) =>
    only(parts, "source-url").map(({ sourceId, url }) => [sourceId, url.split("/").at(-1)]);
  expect(numbers(first.parts)).toEqual([
    ["s1", "one"],
    ["s2", "two"],
  ]);
  expect(numbers(second.parts)).toEqual([
    ["s2", "two"],
    ["s3", "three"],
  ]);
  const cited = ({ parts }: typeof first) =>
    only(parts, "message-metadata")[0]?.messageMetadata.cited;
  expect(cited(first)).toEqual(["s2"]);
  expect(cited(second)).toEqual(["s3", "s1"]);
  const thread = (await (
    await request(session, `/threads/${first.threadId}`)
  ).json()) as StoredThread;
  expect(thread.messages[3]).toMatchObject({
    cited: ["s3", "s1"],
    sources: [{ sourceId: "s1" }, { sourceId: "s2" }, { sourceId: "s3" }],
  });
});

test("a stored thread tells its messages, calls and the run going on", async () => {
  const model = createScriptedModel(
    [calls("c_1", "search_knowledge_base", { query: "x" }), finishes("tool-calls")],
    [...says("Yes [1]."), finishes()],
  );
  const { ask, request } = await createAgentHarness({ model });
  const session = someSession();
  const { threadId } = await ask(session, "Is it?");
  const response = await request(session, `/threads/${threadId}`);
  expect(await response.json()).toMatchObject({
    thread: { id: threadId, title: "Is it?", message_count: 2 },
    messages: [
      { role: "user", parts: [{ type: "text", text: "Is it?" }] },
      {
        role: "assistant",
        parts: [
          {
            type: "tool-call",
            toolCallId: "c_1",
            toolName: "search_knowledge_base",
            input: { query: "x" },
            state: "completed",
            output: { results: [{ number: 1 }] },
            durationMs: expect.any(Number),
          },
          { type: "text", text: "Yes [1]." },
        ],
        cited: ["s1"],
      },
    ],
    active_run_id: null,
  });
});

test("history is paged, last changed first, and never holds what is deleted", async () => {
  let atMs = 1_000_000;
  const { ask, request } = await createAgentHarness({ model: answering(), now: () => atMs });
  const session = someSession({ owner: "jo" });
  const ids: string[] = [];
  for (const text of ["one", "two", "three"]) {
    atMs += 1_000;
    ids.push((await ask(session, text)).threadId);
  }
  await ask(session, "foreign", { id: "chosen-by-client" });
  const page = async (query: string) =>
    (await (await request(session, `/threads${query}`)).json()) as ThreadList;
  const first = await page("?limit=2");
  expect(first.threads.map(({ title }) => title)).toEqual(["three", "two"]);
  const second = await page(`?limit=2&cursor=${first.next_cursor}`);
  expect(second.threads.map(({ title }) => title)).toEqual(["one"]);
  expect(second.next_cursor).toBeNull();
  const remove = () => request(session, `/threads/${ids[2]}`, { method: "DELETE" });
  expect((await remove()).status).toBe(204);
  expect((await remove()).status).toBe(404);
  expect((await page("")).threads).toHaveLength(2);
  const odd = await request(session, "/threads?cursor=zzz");
  expect(await problemOf(odd)).toMatchObject({ status: 400, field: "cursor" });
  const many = await request(session, "/threads?limit=1000");
  expect(await problemOf(many)).toMatchObject({ status: 400, field: "limit" });
});

test("a session without owner has no list and deletes nothing, but reads the thread it names", async () => {
  const { ask, request } = await createAgentHarness({ model: answering() });
  const session = someSession();
  const { threadId } = await ask(session, "Hi");
  expect(await problemOf(await request(session, "/threads"))).toMatchObject({
    status: 409,
    code: "history_needs_owner",
  });
  const remove = await request(session, `/threads/${threadId}`, { method: "DELETE" });
  expect(await problemOf(remove)).toMatchObject({ status: 409 });
  expect((await request(someSession(), `/threads/${threadId}`)).status).toBe(200);
});

test("what a person thinks of an answer is kept with it; the last word counts, and can be taken back", async () => {
  const { ask, request } = await createAgentHarness({ model: answering() });
  const session = someSession({ owner: "jo" });
  const { threadId, parts } = await ask(session, "Hi");
  const read = async () =>
    (await (await request(session, `/threads/${threadId}`)).json()) as StoredThread;
  const [question, answer] = (await read()).messages;
  const rate = (body: object, as = session) =>
    request(as, `/threads/${threadId}/feedback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  // Pages know an answer by the id that its stream began with.
  const message_id = only(parts, "start")[0]?.messageId;
  expect(message_id).toBe(answer?.id);
  expect((await rate({ message_id, rating: "down", comment: "Too short." })).status).toBe(204);
  expect((await read()).messages[1]?.feedback).toEqual({ rating: "down", comment: "Too short." });
  expect((await rate({ message_id, rating: "up" })).status).toBe(204);
  expect((await read()).messages[1]?.feedback).toEqual({ rating: "up" });
  expect((await rate({ message_id, rating: null })).status).toBe(204);
  expect((await read()).messages[1]?.feedback).toBeUndefined();

  for (const [body, field] of [
    [{ message_id: question?.id, rating: "up" }, "message_id"],
    [{ message_id: "msg_none", rating: "up" }, "message_id"],
    [{ message_id, rating: "great" }, "rating"],
    [{ message_id, rating: "up", comment: "x".repeat(4_001) }, "comment"],
    [{ message_id, rating: "up", stars: 5 }, "stars"],
  ] as const) {
    expect(await problemOf(await rate(body))).toMatchObject({ status: 400, field });
  }
  const foreign = await rate({ message_id, rating: "up" }, someSession({ owner: "kim" }));
  expect(await problemOf(foreign)).toMatchObject({ status: 404, code: "not_found" });
});

test("a long question makes a short title", async () => {
  const { ask, request } = await createAgentHarness({ model: answering() });
  const session = someSession();
  const { threadId } = await ask(session, `Why\n ${"🙂".repeat(100)}`);
  const { thread } = (await (
    await request(session, `/threads/${threadId}`)
  ).json()) as StoredThread;
  expect([...thread.title]).toHaveLength(80);
  expect(thread.title).toMatch(/^Why 🙂+…$/u);
});

test("a first question that is sent again, because its answer got lost, begins no second conversation", async () => {
  let atMs = 1_000_000;
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { ask, chat, request } = await createAgentHarness({ model, now: () => atMs });
  const session = someSession({ owner: "jo" });
  const messages = [someQuestion("One?", "u_0123456789abcdef")];
  const first = await ask(session, "", { messages });
  // With another token of the same person, too.
  const renewed = someSession({ owner: "jo" });
  const again = await ask(renewed, "", { messages });
  expect([again.threadId, again.runId]).toEqual([first.threadId, first.runId]);
  // When the run is forgotten, as after a restart, the thread still is the same one.
  atMs += 61_000;
  expect(await problemOf(await chat(session, { messages }))).toMatchObject({ code: "conflict" });
  expect(model.calls).toHaveLength(1);
  const list = (await (await request(session, "/threads")).json()) as ThreadList;
  expect(list.threads.map(({ id }) => id)).toEqual([first.threadId]);
  // The id of a message says nothing about anybody else's conversation.
  for (const other of [
    someSession({ owner: "al" }),
    someSession({ owner: "jo", projectId: "prj_2" }),
    someSession(),
    someSession(),
  ]) {
    const { threadId, text } = await ask(other, "", { messages });
    expect([threadId === first.threadId, text]).toEqual([false, "Yes."]);
  }
  // And a short id may well be another question's.
  const short = { messages: [someQuestion("One?", "u_1")] };
  expect((await ask(session, "", short)).threadId).not.toBe(
    (await ask(session, "", short)).threadId,
  );
});

test("a conversation is never told with words that its active run will tell again", async () => {
  const { model, release } = createPausingModel();
  const { chat, request, runs } = await createAgentHarness({ model });
  const session = someSession();
  const answer = await chat(session, { messages: [someQuestion("One?")] });
  const threadId = answer.headers.get("x-thread-id") ?? "";
  const read = async () =>
    (await (await request(session, `/threads/${threadId}`)).json()) as StoredThread;
  expect(await read()).toMatchObject({ active_run_id: answer.headers.get("x-run-id") });
  // From here on the store may have what the run wrote: the reader waits for its end.
  runs.active(threadId)?.startKeeping();
  const late = read();
  release();
  expect(await late).toMatchObject({
    active_run_id: null,
    messages: [{ role: "user" }, { parts: [{ text: "One two." }] }],
  });
});

test("what a run wrote before its tool took effect is told by the run alone, also while the tool is at work", async () => {
  let release: () => void = () => undefined;
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const tool = {
    name: "open_ticket",
    description: "Opens a ticket.",
    inputSchema: { type: "object" },
    withoutIntegration: true,
    execute: () =>
      new Promise((resolve) => {
        release = () => resolve({ ticket: 7 });
        begin();
      }),
  };
  const { chat, request } = await createAgentHarness({
    model: createScriptedModel(
      [...says("I open one."), calls("c_1", "open_ticket", {}), finishes("tool-calls")],
      [...says("Done."), finishes()],
    ),
    serverTools: [tool],
  });
  const session = someSession();
  const answer = await chat(session, { messages: [someQuestion("A ticket, please")] });
  const threadId = answer.headers.get("x-thread-id") ?? "";
  const read = async () =>
    (await (await request(session, `/threads/${threadId}`)).json()) as StoredThread;
  await begun;
  const { active_run_id, messages } = await read();
  expect(active_run_id).toBe(answer.headers.get("x-run-id"));
  expect(messages.map(({ role }) => role)).toEqual(["user"]);
  release();
  await answer.arrayBuffer();
  const parts = (await read()).messages
    .at(-1)
    ?.parts.map((part) => (part.type === "text" ? part.text : part.state));
  expect(parts).toEqual(["I open one.", "completed", "Done."]);
});
