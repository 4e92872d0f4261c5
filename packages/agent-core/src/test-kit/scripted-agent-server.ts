import {
  type ChatRequest,
  doneData,
  encodeEvent,
  type StoredMessage,
  type StreamPart,
} from "@valet/protocol";
import type { AgentOptions } from "../agent-options.ts";
import { type AgentStep, framesOf } from "./step-frames.ts";

/** A request that the page has sent. */
export interface AgentRequest {
  readonly method: string;
  /** Below the project's agent path: `/chat/`, `/threads/`, ... */
  readonly path: string;
  readonly body: unknown;
}

/** A Valet server that answers as a test says, in the place of `fetch`: no port, no network. */
export interface ScriptedAgentServer {
  /** Answers for every project and address; anything but a call of the agent's API rejects. */
  readonly fetch: typeof fetch;
  /** All that an `Agent` must be given. */
  readonly options: Pick<
    AgentOptions,
    "projectId" | "integrationId" | "baseUrl" | "getSessionToken"
  > & { readonly fetch: typeof fetch };
  /** Everything that was asked, in order. */
  readonly requests: readonly AgentRequest[];
  /** The bodies of the requests for an answer, in order. */
  readonly chats: readonly ChatRequest[];
  /** Adds steps behind those that are left. */
  add(...steps: AgentStepOrRule[]): void;
}

/** A step, or what gives one for a request. */
type AgentStepOrRule = AgentStep | ((request: ChatRequest) => AgentStep);

interface Run {
  readonly id: string;
  readonly frames: readonly StreamPart[];
  readonly step: AgentStep;
}

interface Thread {
  readonly id: string;
  readonly messages: StoredMessage[];
  run: Run | undefined;
}

const at = "2026-01-01T00:00:00Z";

/**
 * Creates one. Each request for an answer takes the next step; the last one serves all later ones.
 *
 * @example
 * const server = scriptedAgentServer(
 *   { calls: [{ name: "open_page", input: { path: "/billing" } }] },
 *   { text: ["The page ", "is open."] },
 * );
 * const agent = new Agent({ ...server.options, tools: [openPage] });
 * await agent.sendMessage("Show me my bill");
 */
export function scriptedAgentServer(...script: AgentStepOrRule[]): ScriptedAgentServer {
  const steps = [...script];
  const requests: AgentRequest[] = [];
  const chats: ChatRequest[] = [];
  const threads = new Map<string, Thread>();
  let runs = 0;

  function chat(body: ChatRequest, signal: AbortSignal | undefined): Response {
    chats.push(body);
    const next = (steps.length > 1 ? steps.shift() : steps[0]) ?? {};
    const step = typeof next === "function" ? next(body) : next;
    const { refuses } = step;
    if (refuses) return problem(refuses.status, refuses.code, refuses.retryAfterS);
    runs += 1;
    const thread = openThread(body);
    // What goes on after calls stands in the same message.
    const isMore = (body.toolOutputs ?? body.approvals) !== undefined;
    const last = thread.messages.at(-1);
    const messageId = isMore && last?.role === "assistant" ? last.id : `msg_${runs}`;
    const names = { threadId: thread.id, runId: `run_${runs}`, messageId };
    const run = { id: names.runId, frames: framesOf(step, names), step };
    thread.run = run;
    thread.messages.push(toStored(messageId, run.frames));
    return stream(thread.id, run, 0, signal);
  }

  function openThread({ id = `thr_${threads.size + 1}`, messages = [] }: ChatRequest): Thread {
    const thread = threads.get(id) ?? { id, messages: [], run: undefined };
    threads.set(id, thread);
    for (const { id: messageId, parts } of messages) {
      thread.messages.push({ id: messageId, role: "user", parts, created_at: at });
    }
    return thread;
  }

  function ofThread(method: string, id: string, rest: string, init: RequestInit): Response {
    const thread = threads.get(id);
    if (!thread) return problem(404, "not_found");
    if (method === "DELETE") {
      threads.delete(id);
      return new Response(null, { status: 204 });
    }
    if (rest === "stream") {
      const { run } = thread;
      const seen = new Headers(init.headers).get("last-event-id")?.split(":")[1];
      if (!run) return new Response(null, { status: 204 });
      const whole = { ...run, step: {} };
      return stream(id, whole, seen === undefined ? 0 : Number(seen) + 1, init.signal ?? undefined);
    }
    if (rest !== "") return json(200, {});
    return json(200, { thread: toSummary(thread), messages: thread.messages, active_run_id: null });
  }

  const answer = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const path = /^.*\/agent\/v1\/projects\/[^/]+\/agent(\/.*)$/.exec(pathname)?.[1];
    const method = init.method ?? "GET";
    if (path === undefined) {
      throw new TypeError(`The scripted server has no answer to ${method} ${pathname}.`);
    }
    init.signal?.throwIfAborted();
    const body: unknown = init.body ? JSON.parse(String(init.body)) : undefined;
    requests.push({ method, path, body });
    const [, kind, id = "", rest = ""] = path.split("/");
    if (kind === "chat" && id === "") return chat(body as ChatRequest, init.signal ?? undefined);
    if (kind === "threads" && id === "") {
      return json(200, { threads: [...threads.values()].map(toSummary), next_cursor: null });
    }
    return ofThread(method, decodeURIComponent(id), rest, init);
  };

  return {
    fetch: answer,
    options: {
      projectId: "prj_scripted",
      integrationId: "int_scripted",
      baseUrl: "https://scripted.invalid",
      fetch: answer,
      getSessionToken: async () => ({ session_token: "scripted", expires_in: 3_600 }),
    },
    requests,
    chats,
    add: (...more) => void steps.push(...more),
  };
}

/** The frames of a run from one on. Before a piece of text it waits where its step says so. */
function stream(threadId: string, run: Run, from: number, signal?: AbortSignal): Response {
  const { frames, step, id } = run;
  const { beforePiece = () => undefined, fails } = step;
  const end = fails === "cut" ? frames.length - 2 : frames.length;
  const firstPiece = frames.findIndex(({ type }) => type === "text-delta");
  const encoder = new TextEncoder();
  let seq = from;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const frame = frames[seq];
      if (seq >= end || !frame) {
        if (fails === "cut") return controller.error(new TypeError("The connection was cut."));
        controller.enqueue(encoder.encode(encodeEvent({ id: "", data: doneData })));
        return controller.close();
      }
      if (frame.type === "text-delta" && seq > firstPiece) await beforePiece();
      const event = { id: `${id}:${seq}`, data: JSON.stringify(frame) };
      if (!signal?.aborted) controller.enqueue(encoder.encode(encodeEvent(event)));
      seq += 1;
    },
  });
  const headers = {
    "content-type": "text/event-stream",
    "x-thread-id": threadId,
    "x-run-id": id,
  };
  return new Response(body, { headers });
}

function toStored(id: string, frames: readonly StreamPart[]): StoredMessage {
  const text = frames.map((frame) => (frame.type === "text-delta" ? frame.delta : "")).join("");
  return { id, role: "assistant", parts: [{ type: "text", text }], created_at: at };
}

function toSummary({ id, messages }: Thread): Record<string, unknown> {
  const [first] = messages[0]?.parts ?? [];
  const title = first?.type === "text" ? first.text : "";
  return { id, title, created_at: at, updated_at: at, message_count: messages.length };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const type = { "content-type": "application/json" };
  return new Response(JSON.stringify(body), { status, headers: { ...type, ...headers } });
}

function problem(status: number, code: string, retryAfterS?: number): Response {
  const headers = retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) };
  return json(status, { code, status, title: "Refused", detail: "By the script." }, headers);
}
