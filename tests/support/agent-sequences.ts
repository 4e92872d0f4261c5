import type { ThreadList } from "@valet/protocol";
import fc from "fast-check";
import { expect } from "vitest";
import type { Agent } from "../../packages/agent-core/src/agent.ts";
import type {
  ConversationMessage,
  ToolCallDisplay,
} from "../../packages/agent-core/src/messages.ts";
import type { AnyTool } from "../../packages/agent-core/src/tools.ts";
import {
  type AgentHarness,
  createAgentHarness,
  somePassage,
  someSession,
} from "../../packages/server/src/agent/testing/agent-harness.ts";
import {
  calls,
  createScriptedModel,
  finishes,
  type ScriptedModel,
  says,
} from "../../packages/server/src/agent/testing/scripted-model.ts";
import { fetchOf, isIdle, openPage, until } from "./pages.ts";

/** What a call is to: a tool of the page, one that asks first, or the server's search. */
type CallKind = "plain" | "allowed" | "refused" | "search";

/** What happens while one question is answered, and what should come of it. */
interface Plan {
  /** Calls of the model: what it says, and what it calls before it says the next. */
  readonly steps: readonly { readonly words: number; readonly calls: readonly CallKind[] }[];
  /** What the person does the first time that something shows, or nothing. */
  readonly act: "stop" | "reload" | "nothing";
  readonly at: "words" | "question to the person";
  /** Whether the answer is written anew when it has ended. */
  readonly isRegenerated: boolean;
}

/** What the network does to one request. */
type Weather =
  | "fair"
  | "request lost"
  | "answer lost"
  | { readonly cutAfter: number; readonly isBroken: boolean };

const somePlan: fc.Arbitrary<Plan> = fc.record({
  steps: fc
    .tuple(
      fc.array(
        fc.record({
          words: fc.nat({ max: 3 }),
          calls: fc.array(fc.constantFrom<CallKind>("plain", "allowed", "refused", "search"), {
            minLength: 1,
            maxLength: 3,
          }),
        }),
        { maxLength: 2 },
      ),
      fc.integer({ min: 1, max: 4 }),
    )
    .map(([steps, words]) => [...steps, { words, calls: [] }]),
  act: fc.constantFrom("nothing", "nothing", "stop", "reload"),
  at: fc.constantFrom("words", "question to the person"),
  isRegenerated: fc.boolean(),
});

const someWeather: fc.Arbitrary<Weather> = fc.oneof(
  fc.constantFrom<Weather>("fair", "fair", "request lost", "answer lost"),
  fc.record({ cutAfter: fc.nat({ max: 3_000 }), isBroken: fc.boolean() }),
);

/** A conversation, and the weather of its requests; after that the sky is clear. */
export const someSequence = fc.record({
  plans: fc.array(somePlan, { minLength: 1, maxLength: 3 }),
  // Fewer than the SDK has attempts, so that it never has to give up.
  weather: fc.array(someWeather, { maxLength: 5 }),
});

/** Every wait is over in the next turn of the event loop, and every long one never. */
const eager = {
  set: (callback: () => void, delayMs: number): unknown =>
    delayMs >= 30_000 ? undefined : setImmediate(callback),
  clear: (timer: unknown): void => clearImmediate(timer as NodeJS.Immediate),
};

/** The arguments that name a call: its question, its step, its place. */
const nameOf = (question: number, step: number, place: number): string =>
  `${question}.${step}.${place}`;

interface Sequence {
  readonly plans: readonly Plan[];
  readonly weather: readonly Weather[];
}

/** A real server in this process whose model does what the plans of each sequence say. */
export interface SequencePlace {
  /**
   * Has a conversation, and holds what the page shows, what the server keeps, what ran, and what
   * the model was asked against what the plans say.
   */
  check(sequence: Sequence): Promise<void>;
  close(): Promise<void>;
}

/** What a model needs of a sequence. */
interface Told {
  readonly plans: readonly Plan[];
  /** How often the model was asked for each step of each question. */
  readonly asked: Map<string, number>;
}

/** Opens one. */
export async function openSequencePlace(): Promise<SequencePlace> {
  const told: Told[] = [];
  const model = createScriptedModel(({ prompt }) => {
    const { sequence, question, step } = placeIn(prompt);
    const { plans, asked } = told[sequence] ?? { plans: [], asked: new Map() };
    count(asked, `${question}.${step}`);
    const { words, calls: kinds } = plans[question]?.steps[step] ?? { words: 0, calls: [] };
    return [
      ...(words > 0 ? says(...wordsOf(question, step, words)) : []),
      ...kinds.map((kind, place) =>
        kind === "search"
          ? calls(`c_${place}`, "search_knowledge_base", { query: nameOf(question, step, place) })
          : calls(`c_${place}`, kind === "plain" ? "plain" : "asking", {
              name: nameOf(question, step, place),
            }),
      ),
      finishes(kinds.length > 0 ? "tool-calls" : "stop"),
    ];
  });
  const harness = await createAgentHarness({
    model,
    // Each search finds what no other finds: of two at once, either may be the first to find a page.
    passages: async (query) => [somePassage({ url: `https://docs.example.com/${query}` })],
  });
  return {
    check({ plans, weather }) {
      const asked = new Map<string, number>();
      const sequence = told.push({ plans, asked }) - 1;
      return checkSequence(harness, { sequence, plans, weather, asked });
    },
    close: () => harness.database.destroy(),
  };
}

async function checkSequence(
  harness: AgentHarness,
  { sequence, plans, weather, asked }: Sequence & Told & { readonly sequence: number },
): Promise<void> {
  const session = someSession({ owner: `owner-${sequence}` });
  const executed = new Map<string, number>();
  const forecast = [...weather];
  const fetchInWeather = throughWeather(
    fetchOf(harness, session),
    () => forecast.shift() ?? "fair",
  );
  const kindOf = (call: ToolCallDisplay): CallKind => {
    const [question = 0, step = 0, place = 0] = String(argumentOf(call)).split(".").map(Number);
    return plans[question]?.steps[step]?.calls[place] ?? "search";
  };
  let present = -1;
  let hasActed = false;
  let reloads = 0;
  let page: Agent;
  let settled: Promise<unknown> = Promise.resolve();

  function open(): Agent {
    const opened = openPage(harness, session, {
      tools: [toolOf("plain", executed), toolOf("asking", executed)],
      fetch: fetchInWeather,
      sessionTokens: { timers: eager },
    });
    opened.subscribe(() => {
      if (opened === page) look(opened);
    });
    return opened;
  }

  /** What the person does when they see what is shown. */
  function look(opened: Agent): void {
    const { messages, status, threadId } = opened.getSnapshot();
    const waiting = callsIn(messages.slice(-1)).filter(
      (call) => call.status === "approval_requested",
    );
    const { act = "nothing", at } = plans[present] ?? {};
    const isTime =
      at === "words"
        ? status === "answering" && messages.at(-1)?.content !== ""
        : status === "awaiting-approval" && waiting.length > 0;
    if (act !== "nothing" && isTime && !hasActed && threadId !== undefined) {
      hasActed = true;
      if (act === "stop") opened.stopGeneration();
      else reload(threadId);
      return;
    }
    for (const call of status === "awaiting-approval" ? waiting : []) {
      if (kindOf(call) === "refused") opened.rejectToolCall(call.id);
      else opened.approveToolCall(call.id);
    }
  }

  function reload(threadId: string): void {
    reloads += 1;
    page.dispose();
    page = open();
    settled = attach(page, threadId);
  }

  page = open();
  for (const [question, plan] of plans.entries()) {
    present = question;
    hasActed = false;
    const reloadsBefore = reloads;
    await page.sendMessage(`Question ${sequence}.${question}`);
    await settled;
    await until(page, isIdle);
    checkAnswer(page.getMessages(), question, plan);
    const isStopped = stoppedAnswer(page.getMessages());
    if (plan.isRegenerated && !isStopped) {
      // Whoever has acted once does nothing more.
      hasActed = true;
      await page.regenerate();
      checkAnswer(page.getMessages(), question, plan);
    }
    const times = plan.isRegenerated && !isStopped ? 2 : 1;
    checkCounts({
      plan,
      question,
      executed,
      asked,
      isStopped,
      times,
      reloads: reloads - reloadsBefore,
    });
  }
  // What the server keeps is what the page shows, but for what nobody wanted to read on.
  const later = openPage(harness, session);
  await later.attachThread(page.getThreadId() ?? "");
  const isWhole = ({ stopped }: ConversationMessage): boolean => stopped !== true;
  const ids = new Set(
    page
      .getMessages()
      .filter(isWhole)
      .map(({ id }) => id),
  );
  const shown = page.getMessages().filter(({ id }) => ids.has(id));
  const kept = later.getMessages().filter(({ id }) => ids.has(id));
  expect(kept.map(withoutTimes)).toEqual(shown.map(withoutTimes));
  const list = (await (await harness.request(session, "/threads")).json()) as ThreadList;
  expect(list.threads).toHaveLength(1);
  for (const each of [page, later]) each.dispose();
}

/** Until it works: a page that cannot load a conversation lets the person try again. */
async function attach(page: Agent, threadId: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await page.attachThread(threadId);
    } catch (thrown) {
      if (attempt === 5) throw thrown;
    }
  }
}

const stoppedAnswer = (messages: readonly ConversationMessage[]): boolean =>
  (messages.at(-1) as { stopped?: boolean } | undefined)?.stopped === true;

function checkAnswer(
  messages: readonly ConversationMessage[],
  question: number,
  { steps }: Plan,
): void {
  const answers = messages.slice(messages.map(({ role }) => role).lastIndexOf("user"));
  expect(answers.map(({ role }) => role)).toEqual(["user", "assistant"]);
  const [asked, answer] = answers;
  expect(asked?.content).toMatch(new RegExp(`^Question \\d+\\.${question}$`));
  expect(answer).not.toMatchObject({ isError: true });
  const whole = steps
    .map(({ words }, step) => wordsOf(question, step, words).join(""))
    .filter((text) => text !== "")
    .join("\n\n");
  if (stoppedAnswer(messages)) {
    expect(whole.startsWith(answer?.content ?? "")).toBe(true);
    for (const { status } of callsIn(messages)) {
      expect(["completed", "denied", "stopped", "error"]).toContain(status);
    }
    return;
  }
  expect(answer?.content).toBe(whole);
  const expected = steps.flatMap(({ calls: kinds }, step) =>
    kinds.map((kind, place) => [
      nameOf(question, step, place),
      kind === "refused" ? "denied" : "completed",
    ]),
  );
  const got = callsIn(answers.slice(1)).map((call) => [argumentOf(call), call.status]);
  expect(got).toEqual(expected);
}

function checkCounts({
  plan,
  question,
  executed,
  asked,
  isStopped,
  times,
  reloads,
}: {
  readonly plan: Plan;
  readonly question: number;
  readonly executed: ReadonlyMap<string, number>;
  readonly asked: ReadonlyMap<string, number>;
  readonly isStopped: boolean;
  readonly times: number;
  readonly reloads: number;
}): void {
  for (const [step, { calls: kinds }] of plan.steps.entries()) {
    const askedTimes = asked.get(`${question}.${step}`) ?? 0;
    if (isStopped) expect(askedTimes).toBeLessThanOrEqual(1);
    else expect([question, step, askedTimes]).toEqual([question, step, times]);
    for (const [place, kind] of kinds.entries()) {
      const name = nameOf(question, step, place);
      const ran = executed.get(name) ?? 0;
      const should = kind === "plain" || kind === "allowed" ? times : 0;
      // A page that was left may have run it, and the person has let it run again.
      const most = should === 0 ? 0 : should + reloads;
      expect([name, ran <= most, isStopped || ran >= should]).toEqual([name, true, true]);
    }
  }
}

function toolOf(name: string, executed: Map<string, number>): AnyTool {
  return {
    name,
    description: name,
    parameters: { type: "object" },
    needsApproval: name === "asking",
    execute: (args: { name: string }) => {
      count(executed, args.name);
      return { ran: args.name };
    },
  };
}

/** Which question a model is to answer, and how far it is. */
function placeIn(prompt: ScriptedModel["calls"][number]["prompt"]): {
  sequence: number;
  question: number;
  step: number;
} {
  const at = prompt.map(({ role }) => role).lastIndexOf("user");
  const said = /Question (\d+)\.(\d+)/.exec(JSON.stringify(prompt[at]));
  const [sequence = 0, question = 0] = (said ?? []).slice(1).map(Number);
  const step = prompt.slice(at).filter(({ role }) => role === "assistant").length;
  return { sequence, question, step };
}

const wordsOf = (question: number, step: number, words: number): string[] =>
  Array.from({ length: words }, (_, at) => `w${question}.${step}.${at} é🙂 `);

const callsIn = (messages: readonly ConversationMessage[]): ToolCallDisplay[] =>
  messages
    .flatMap((message) => (message.role === "assistant" ? message.blocks : []))
    .flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []));

function argumentOf({ arguments: args }: ToolCallDisplay): unknown {
  const { name, query } = Object(args) as { name?: string; query?: string };
  return name ?? query;
}

/** A message but for what depends on the moment. */
function withoutTimes(message: ConversationMessage): unknown {
  return JSON.parse(
    JSON.stringify(message, (key, value: unknown) => {
      if (["durationMs", "createdAt"].includes(key)) return undefined;
      // Of searches at the same time either may be the first to be told of.
      if (key !== "sources") return value;
      return [...(value as { number: number }[])].sort((a, b) => a.number - b.number);
    }),
  );
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** A `fetch` whose requests and answers meet the weather. */
function throughWeather(send: typeof fetch, next: () => Weather): typeof fetch {
  return (async (input: RequestInfo | URL, init?: RequestInit) => {
    const weather = next();
    if (weather === "request lost") throw new TypeError("The request was lost.");
    const answer = await send(input, init);
    if (weather === "fair") return answer;
    if (weather === "answer lost") {
      await answer.body?.cancel();
      throw new TypeError("The answer was lost.");
    }
    const { body, status, headers } = answer;
    if (!body || status === 204) return answer;
    return new Response(cut(body, weather), { status, headers });
  }) as typeof fetch;
}

/** A body that ends too early, with an error or as if it were whole. */
function cut(
  body: ReadableStream<Uint8Array>,
  { cutAfter, isBroken }: Exclude<Weather, string>,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = cutAfter;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      if (value.byteLength <= left) {
        left -= value.byteLength;
        return controller.enqueue(value);
      }
      await reader.cancel();
      if (left > 0) controller.enqueue(value.subarray(0, left));
      if (isBroken) controller.error(new TypeError("The connection broke."));
      else controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
