import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { StoredThread, ThreadList } from "@valet/protocol";
import { Agent } from "../../packages/agent-core/src/agent.ts";
import type { ConversationMessage } from "../../packages/agent-core/src/messages.ts";
import type { AnyTool } from "../../packages/agent-core/src/tools.ts";
import {
  type OpenAiServer,
  startOpenAiServer,
  streams,
} from "../../packages/server/src/agent/testing/openai-server.ts";
import { mintToken } from "./ask.ts";
import { type Fault, type FaultyProxy, openFaultyProxy } from "./faulty-proxy.ts";
import { openTestServer, type TestServer } from "./valet-server.ts";

/** What is left of a conversation when it has ended. */
export interface Outcome {
  /** As the page shows it, without what differs from one conversation to the next. */
  readonly messages: readonly unknown[];
  /** As the server has it, likewise. */
  readonly stored: readonly unknown[];
  /** The executions of the page's tools, in order. */
  readonly executed: readonly string[];
  /** How many conversations the server has of the owner. */
  readonly threads: number;
  /** How often the model was asked. */
  readonly modelCalls: number;
  /** Frames and requests that went over the wire. */
  readonly seen: FaultyProxy["seen"];
  /** Whether every fault has happened. */
  readonly areFaultsDone: boolean;
}

/** A real server behind a wire that breaks, with a model that always does the same. */
export interface FaultyPlace {
  /** Has the same conversation once more, as a new owner, with faults on the way. */
  converse(faults?: readonly Fault[], how?: FaultyProxy["how"]): Promise<Outcome>;
  close(): Promise<void>;
}

const text = (...words: string[]) => words.map((content) => ({ content }));
const call = (index: number, id: string, name: string, input: unknown) => ({
  tool_calls: [{ index, id, function: { name, arguments: JSON.stringify(input) } }],
});

/**
 * One answer with all that an answer may have: it searches, cites, calls a tool of the page that
 * asks first and one that does not, and goes on when both have run.
 */
function startModel(): Promise<OpenAiServer> {
  return startOpenAiServer((response, body) => {
    const results = body.messages.filter(({ role }) => role === "tool").length;
    const reply =
      results === 0
        ? streams(
            [call(0, "call_search", "search_knowledge_base", { query: "tomatoes" })],
            "tool_calls",
          )
        : results === 1
          ? streams(
              [
                ...text("Tomatoes need ", "water [1].", " Let me see."),
                call(0, "call_read", "read_page", { part: "title" }),
                call(1, "call_order", "order_water", { litres: 2 }),
              ],
              "tool_calls",
            )
          : streams(text("Two litres ", "are on ", "their way 🚰."), "stop");
    reply(response, body);
  });
}

/** Waits a hundredth of the time between attempts; the limits of silence stay what they are. */
const hurried = {
  set: (callback: () => void, delayMs: number): unknown =>
    setTimeout(callback, delayMs >= 30_000 ? delayMs : delayMs / 100),
  clear: (timer: unknown): void => clearTimeout(timer as NodeJS.Timeout),
};

/** Opens one, with a page of documentation that the model finds. */
export async function openFaultyPlace(documents: string): Promise<FaultyPlace> {
  const model = await startModel();
  const valet = await openTestServer({
    VALET_MODEL: "openai-compatible/test",
    VALET_MODEL_BASE_URL: model.baseUrl,
  });
  const path = `/projects/${valet.projectId}/ingest`;
  for await (const _ of valet.control.lines(path, { path: documents }));
  const server = createAdaptorServer({ fetch: valet.server.app.fetch }) as Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = await openFaultyProxy((server.address() as AddressInfo).port);
  let owners = 0;

  return {
    async converse(faults = [], how = "FIN") {
      owners += 1;
      // A minute later, so that no limit of how often one may ask is met.
      valet.clock.ms += 60_000;
      const token = await mintToken(valet, { external_owner_id: `owner-${owners}` });
      const modelCallsBefore = model.requests.length;
      const executed: string[] = [];
      const agent = openAgent(valet, proxy.url, token, executed);
      proxy.how = how;
      proxy.expect(...faults);
      const approving = agent.subscribe(() => {
        const { status } = agent.getSnapshot();
        const waiting = callsIn(agent.getMessages()).find(
          (each) => each.status === "approval_requested",
        );
        if (status === "awaiting-approval" && waiting) agent.approveToolCall(waiting.id);
      });
      await agent.sendMessage("How much water do tomatoes need? Order it.");
      approving();
      const { seen, isDone: areFaultsDone } = proxy;
      const messages = agent.getMessages();
      agent.dispose();
      const list = await read<ThreadList>(valet, token, "/threads/");
      const [thread] = list.threads;
      const { messages: stored } = await read<StoredThread>(
        valet,
        token,
        `/threads/${thread?.id}/`,
      );
      return {
        messages: alike(messages),
        stored: alike(stored),
        executed,
        threads: list.threads.length,
        modelCalls: model.requests.length - modelCallsBefore,
        seen,
        areFaultsDone,
      };
    },
    async close() {
      await proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await valet.close();
      await model.close();
    },
  };
}

function openAgent(valet: TestServer, baseUrl: string, token: string, executed: string[]): Agent {
  const tool = (name: string, more: Partial<AnyTool>): AnyTool => ({
    name,
    description: name,
    parameters: { type: "object" },
    execute: (args: unknown) => {
      executed.push(`${name} ${JSON.stringify(args)}`);
      return { done: name };
    },
    ...more,
  });
  return new Agent({
    projectId: valet.projectId,
    integrationId: valet.integrationId,
    baseUrl,
    getSessionToken: async () => ({ token, expiresAt: Date.now() + 3_600_000 }),
    tools: [tool("read_page", {}), tool("order_water", { needsApproval: true })],
    shareTabs: false,
    sessionTokens: { timers: hurried },
  });
}

const callsIn = (messages: readonly ConversationMessage[]) =>
  messages
    .flatMap(({ blocks = [] }) => blocks)
    .flatMap((block) => (block.type === "tool_calls" ? block.toolCalls : []));

async function read<Body>(valet: TestServer, token: string, path: string): Promise<Body> {
  const answer = await valet.fetch(
    `http://valet.test/agent/v1/projects/${valet.projectId}/agent${path}`,
    { headers: { authorization: `Bearer ${token}` } },
  );
  return (await answer.json()) as Body;
}

/** What two conversations have in common when the same happened in them: ids by their order, no times. */
function alike<Value>(value: Value): Value {
  const ids = new Map<string, string>();
  const own = /^(?:u|a|e|msg|call|thr|run|apr|doc)_/;
  const times = new Set(["durationMs", "created_at", "createdAt", "decidedAt"]);
  const nameOf = (id: string): string => {
    if (!ids.has(id)) ids.set(id, `id ${ids.size}`);
    return ids.get(id) ?? "";
  };
  return JSON.parse(
    JSON.stringify(value, (key, each: unknown) => {
      if (times.has(key)) return undefined;
      return typeof each === "string" && own.test(each) ? nameOf(each) : each;
    }),
  ) as Value;
}
