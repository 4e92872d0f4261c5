import { isTerminal, type StoredThread } from "@valet/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Database, openDatabase } from "../database/database.ts";
import {
  type AgentHarness,
  createAgentHarness,
  problemOf,
  readAnswer,
  someQuestion,
  someSession,
  typesOf,
} from "./testing/agent-harness.ts";
import {
  calls,
  createScriptedModel,
  finishes,
  type ScriptMove,
  says,
} from "./testing/scripted-model.ts";

/** What the model does when it is asked next. */
type Behaviour = "answers" | "calls the page" | "fails" | "hangs";
type Act =
  | { readonly act: "ask" | "bring outputs" | "ask again"; readonly behaviour: Behaviour }
  | { readonly act: "stop" | "crash" };

const scripts: Readonly<Record<Behaviour, (call: number) => readonly ScriptMove[]>> = {
  answers: () => [...says("Yes."), finishes()],
  // Not the same call each time, which would be a model that goes round in circles.
  "calls the page": (call) => [calls("c", "open_billing", { call }), finishes("tool-calls")],
  fails: () => [...says("Ye"), { throws: new Error("reset") }],
  hangs: () => [...says("Y"), "hangs"],
};
const errors: Readonly<Record<Behaviour, string | undefined>> = {
  answers: undefined,
  "calls the page": undefined,
  fails: "model_unavailable",
  hangs: undefined,
};

const someAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    act: fc.constantFrom("ask" as const, "bring outputs" as const, "ask again" as const),
    behaviour: fc.constantFrom<Behaviour>("answers", "calls the page", "fails", "hangs"),
  }),
  fc.record({ act: fc.constantFrom("stop" as const, "crash" as const) }),
);

/** What a person has seen of a conversation, and would be astonished to see otherwise. */
interface Oracle {
  /** Each question with the error of its answer; `null` while there is no answer. */
  readonly turns: { readonly id: string; error: string | undefined | null; isWaiting: boolean }[];
  /** Where the run stands that goes on. */
  hanging: { readonly runId: string; readonly lastSeq: number } | undefined;
}

const session = someSession({ owner: "jo" });
const tools = [{ name: "open_billing", description: "Opens billing.", inputSchema: {} }];

test("whatever is asked, brought, stopped and cut off, a conversation is what a person would say it is, and no run goes on or ends unseen", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someAct, { minLength: 1, maxLength: 10 }), async (acts) => {
      const database = await openDatabase(":memory:");
      await play(database, acts);
      await database.destroy();
    }),
    { numRuns: 60 },
  );
}, 60_000);

async function play(database: Database, acts: readonly Act[]): Promise<void> {
  let behaviour: Behaviour = "answers";
  let asked = 0;
  const model = () => createScriptedModel(() => scripts[behaviour](asked++));
  let server = await createAgentHarness({ database, model: model() });
  const oracle: Oracle = { turns: [], hanging: undefined };
  let threadId: string | undefined;

  /** Sends a request that begins a run, and follows it as far as it goes. */
  async function run(body: object): Promise<void> {
    const response = await server.chat(session, {
      ...(threadId !== undefined && { id: threadId }),
      tools,
      ...body,
    });
    const turn = oracle.turns.at(-1);
    if (response.status !== 200 || !turn) throw new Error(await response.text());
    threadId ??= response.headers.get("x-thread-id") ?? "";
    turn.error = behaviour === "hangs" ? turn.error : errors[behaviour];
    turn.isWaiting = behaviour === "calls the page";
    if (behaviour === "hangs") {
      const lastSeq = await readUntilDelta(response);
      oracle.hanging = { runId: response.headers.get("x-run-id") ?? "", lastSeq };
      return;
    }
    const { parts } = await readAnswer(response);
    expect(parts.filter(isTerminal)).toHaveLength(1);
    expect(parts.findIndex(isTerminal)).toBe(parts.length - 1);
  }

  for (const act of acts) {
    if ("behaviour" in act) behaviour = act.behaviour;
    const turn = oracle.turns.at(-1);
    switch (act.act) {
      case "ask": {
        const question = someQuestion("Well?");
        if (oracle.hanging) {
          const busy = await server.chat(session, { id: threadId, messages: [question] });
          expect(await problemOf(busy)).toMatchObject({ code: "run_in_progress" });
          break;
        }
        oracle.turns.push({ id: question.id, error: null, isWaiting: false });
        await run({ messages: [question] });
        break;
      }
      case "ask again":
        // Only a question whose answer failed is another attempt.
        if (!turn || oracle.hanging || typeof turn.error !== "string") break;
        await run({ messages: [someQuestion("Well?", turn.id)] });
        break;
      case "bring outputs": {
        if (!turn?.isWaiting || oracle.hanging) break;
        const { calls: all } = await server.store.read(threadId ?? "", 99);
        const toolOutputs = all
          .filter(({ state }) => state === "pending")
          .map(({ id }) => ({ toolCallId: id, output: "done" }));
        expect(toolOutputs).toHaveLength(1);
        await run({ toolOutputs });
        break;
      }
      case "stop": {
        if (threadId === undefined) break;
        const stopped = await server.request(session, `/chat/${threadId}/stop`, { method: "POST" });
        const isOpen = oracle.hanging !== undefined || turn?.isWaiting === true;
        expect(await stopped.json()).toEqual({ stopped: isOpen });
        if (oracle.hanging && turn) turn.error = undefined;
        if (turn) turn.isWaiting = false;
        oracle.hanging = undefined;
        break;
      }
      case "crash": {
        server = await createAgentHarness({ database, model: model() });
        expect(await server.record.endInterrupted(Date.now())).toBe(oracle.hanging ? 1 : 0);
        if (!oracle.hanging || !turn) break;
        turn.error = "run_interrupted";
        await expectItsEnd(server, threadId ?? "", oracle.hanging);
        oracle.hanging = undefined;
        break;
      }
    }
    if (threadId !== undefined) await expectThread(server, threadId, oracle);
  }
  // What still goes on ends with the server, and says so.
  await server.agent.close();
}

async function expectItsEnd(
  server: AgentHarness,
  threadId: string,
  { runId, lastSeq }: NonNullable<Oracle["hanging"]>,
): Promise<void> {
  const headers = { "last-event-id": `${runId}:${lastSeq}` };
  const told = await server.request(session, `/chat/${threadId}/stream`, { headers });
  const { parts, events } = await readAnswer(told);
  expect(typesOf(parts)).toEqual(["data-error", "error", "finish"]);
  expect(events.map(({ id }) => id)).toEqual([
    ...[1, 2, 3].map((more) => `${runId}:${lastSeq + more}`),
    "",
  ]);
}

async function expectThread(server: AgentHarness, id: string, oracle: Oracle): Promise<void> {
  const answer = await server.request(session, `/threads/${id}`);
  const { messages, active_run_id } = (await answer.json()) as StoredThread;
  expect(active_run_id).toBe(oracle.hanging?.runId ?? null);
  expect(messages.map(({ role, error }) => [role, error?.code])).toEqual(
    oracle.turns.flatMap(({ error }) => [
      ["user", undefined],
      ...(error === null ? [] : [["assistant", error]]),
    ]),
  );
}

/** Reads until the first words have come, and gives the number of their frame. */
async function readUntilDelta(response: Response): Promise<number> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (let text = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The run ended without a word.");
    text += Buffer.from(value).toString();
    const seq = /id: \w+:(\d+)\ndata: \{"type":"text-delta"/.exec(text)?.[1];
    if (seq === undefined) continue;
    await reader.cancel();
    return Number(seq);
  }
}
