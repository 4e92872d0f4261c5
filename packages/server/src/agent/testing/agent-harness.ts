import type { LanguageModelV3 } from "@ai-sdk/provider";
import {
  createEventStreamDecoder,
  type Problem,
  type StreamEvent,
  type StreamPart,
} from "@valet/protocol";
import { Hono } from "hono";
import { pino } from "pino";
import { type Database, openDatabase } from "../../database/database.ts";
import { createSqlRunStore } from "../../database/run-store.ts";
import { createSqlThreadStore } from "../../database/thread-store.ts";
import { createSqlUsageStore } from "../../database/usage-store.ts";
import type { AppEnv } from "../../http/app-env.ts";
import { answerProblem, ProblemError } from "../../http/problem-answer.ts";
import { defaultSettings, type ProjectSettings } from "../../projects/project-settings.ts";
import { createOpenStreams, type OpenStreams } from "../../sessions/open-streams.ts";
import type { SessionPrincipal } from "../../sessions/principal.ts";
import { createSessionBudget } from "../../sessions/session-budget.ts";
import { type Agent, createAgent } from "../agent.ts";
import type { RunLimits } from "../conduct-run.ts";
import { createModels, type Models } from "../models/registry.ts";
import type { ServerToolOptions } from "../operator-tools/operator-tool.ts";
import { readTools } from "../operator-tools/read-tools.ts";
import { agentRoutes } from "../routes.ts";
import type { RunStore } from "../run-store.ts";
import { createRuns, type Runs } from "../runs.ts";
import { createSearchTool, type FoundPassage } from "../search-tool.ts";
import type { ThreadStore } from "../thread-store.ts";
import { createThreads } from "../threads.ts";

/** The agent with real storage and real routes, a scripted model, and sessions by name. */
export interface AgentHarness {
  readonly agent: Agent;
  readonly runs: Runs;
  readonly streams: OpenStreams;
  readonly database: Database;
  readonly store: ThreadStore;
  readonly record: RunStore;
  /** Every line of the log. */
  readonly log: readonly string[];
  /** Sends a request as a session. */
  request(session: SessionPrincipal, path: string, init?: RequestInit): Promise<Response>;
  /** The routes, for a server on a port. Requests name their session in `x-test-session`. */
  readonly app: Hono<AppEnv>;
  /** `POST /chat`. */
  chat(session: SessionPrincipal, body: unknown): Promise<Response>;
  /** Asks a question, as a body of {@link AgentHarness.chat}, and reads the whole answer. */
  ask(
    session: SessionPrincipal,
    text: string,
    more?: Readonly<Record<string, unknown>>,
  ): Promise<ReadAnswer>;
}

/** A stream read to its end. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly events: readonly StreamEvent[];
  readonly parts: readonly StreamPart[];
  readonly threadId: string;
  readonly runId: string;
  readonly text: string;
}

/** What {@link createAgentHarness} takes. */
export interface AgentHarnessOptions {
  /** What another harness left. @default a database in memory */
  readonly database?: Database;
  readonly model?: LanguageModelV3;
  readonly models?: Models;
  readonly passages?: readonly FoundPassage[] | ((query: string) => Promise<FoundPassage[]>);
  /** Tools of an operator. */
  readonly serverTools?: readonly ServerToolOptions[];
  readonly maxRunMs?: number;
  readonly keepMs?: number;
  readonly heartbeatMs?: number;
  readonly limits?: RunLimits;
  readonly now?: () => number;
  /** Of every project. @default the default settings */
  readonly settings?: ProjectSettings;
  /** Waits asked for before a second try. */
  readonly onSleep?: (ms: number) => void;
}

let sessionCount = 0;

/** A session of project `prj_1`, with what differs. */
export function someSession(more: Partial<SessionPrincipal> = {}): SessionPrincipal {
  sessionCount += 1;
  return {
    sid: `ses_${sessionCount}`,
    projectId: "prj_1",
    kid: "key_1",
    integrationId: null,
    owner: null,
    visitorId: null,
    visitorIp: null,
    issuedAtMs: 0,
    expiresAtMs: 10_000_000,
    policy: {},
    ...more,
  };
}

/** A passage, with what differs. */
export function somePassage(more: Partial<FoundPassage> = {}): FoundPassage {
  return {
    title: "Limits",
    headingPath: ["Limits", "Burst"],
    url: "https://docs.example.com/limits#burst",
    text: "Bursts of 50 requests are allowed. They refill each second.",
    quote: "Bursts of 50 requests are allowed.",
    confidence: 0.9,
    ...more,
  };
}

/** Opens a harness on a database in memory. */
export async function createAgentHarness({
  database: sharedDatabase,
  model,
  models,
  passages = [somePassage()],
  serverTools = [],
  maxRunMs,
  keepMs,
  heartbeatMs,
  limits,
  now = Date.now,
  settings = defaultSettings,
  onSleep,
}: AgentHarnessOptions): Promise<AgentHarness> {
  const database = sharedDatabase ?? (await openDatabase(":memory:"));
  const store = createSqlThreadStore(database);
  const record = createSqlRunStore(database);
  const streams = createOpenStreams();
  const runs = createRuns({
    streams,
    now,
    ...(maxRunMs === undefined ? {} : { maxRunMs }),
    ...(keepMs === undefined ? {} : { keepMs }),
  });
  const threads = createThreads({ store, runs, now, idKey: Buffer.alloc(32, 7) });
  const search = ({ query }: { readonly query: string }) =>
    typeof passages === "function" ? passages(query) : Promise.resolve(passages);
  const table = models ?? (model && createModels({ config: {}, embedded: model }));
  if (!table) throw new Error("Give a model or a table of models.");
  const agent = createAgent({
    models: table,
    tools: [createSearchTool({ search }), ...readTools(serverTools)],
    threads,
    store,
    record,
    runs,
    budget: createSessionBudget({
      store: createSqlUsageStore(database),
      settingsOf: () => settings,
      now,
    }),
    integrations: { exists: async (_, id) => id === "int_1" || id === "int_2" },
    now,
    sleep: async (ms) => onSleep?.(ms),
    ...(limits && { limits }),
  });
  const log: string[] = [];
  const logger = pino({}, { write: (line: string) => void log.push(line) });
  const sessions = new Map<string, SessionPrincipal>();
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const session = sessions.get(c.req.header("x-test-session") ?? "");
    if (!session) throw new Error("The test names no session.");
    c.set("requestId", "req_test");
    c.set("log", logger);
    c.set("session", session);
    await next();
  });
  app.onError((error, c) =>
    answerProblem(c, error instanceof ProblemError ? error : new ProblemError("internal_error")),
  );
  app.route("/", agentRoutes({ agent, threads, streams, ...(heartbeatMs ? { heartbeatMs } : {}) }));

  async function request(session: SessionPrincipal, path: string, init: RequestInit = {}) {
    sessions.set(session.sid, session);
    const headers = { ...init.headers, "x-test-session": session.sid };
    return app.request(path, { ...init, headers });
  }
  const chat = (session: SessionPrincipal, body: unknown) =>
    request(session, "/chat", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  return {
    agent,
    runs,
    streams,
    database,
    store,
    record,
    log,
    app,
    request,
    chat,
    ask: async (session, text, more = {}) =>
      readAnswer(await chat(session, { messages: [someQuestion(text)], ...more })),
  };
}

let questionCount = 0;

/** A user's message with a new id. */
export function someQuestion(text: string, id?: string) {
  questionCount += 1;
  return { id: id ?? `u_${questionCount}`, role: "user", parts: [{ type: "text", text }] };
}

/** Reads a stream to its end. */
export async function readAnswer(response: Response): Promise<ReadAnswer> {
  if (response.status !== 200) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  const events = createEventStreamDecoder().push(new Uint8Array(await response.arrayBuffer()));
  const parts = events
    .filter(({ data }) => data !== "[DONE]")
    .map(({ data }) => JSON.parse(data) as StreamPart);
  return {
    status: response.status,
    headers: response.headers,
    events,
    parts,
    threadId: response.headers.get("x-thread-id") ?? "",
    runId: response.headers.get("x-run-id") ?? "",
    text: parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join(""),
  };
}

/** The types of frames, in order. */
export function typesOf(parts: readonly StreamPart[]): string[] {
  return parts.map(({ type }) => type);
}

/** The frames of one type. */
export function only<Type extends StreamPart["type"]>(
  parts: readonly StreamPart[],
  type: Type,
): Extract<StreamPart, { type: Type }>[] {
  return parts.filter((part): part is Extract<StreamPart, { type: Type }> => part.type === type);
}

/** The problem that a request was answered with. */
export async function problemOf(response: Response): Promise<Problem> {
  return (await response.json()) as Problem;
}
