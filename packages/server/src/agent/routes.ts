import { parseEventId } from "@valet/protocol";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { answerPushed } from "../http/pushed-body.ts";
import { readJson } from "../http/read-json.ts";
import { createOpenCounts } from "../limits/open-counts.ts";
import type { RateLimits } from "../limits/rate-limits.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import type { Agent, StartedRun } from "./agent.ts";
import { chatRequest, isContinuation, maxChatBytes } from "./chat-request.ts";
import { streamRun } from "./stream-run.ts";
import type { Threads } from "./threads.ts";

/** What {@link agentRoutes} needs. */
export interface AgentRoutesOptions {
  readonly agent: Agent;
  readonly threads: Threads;
  readonly streams: OpenStreams;
  /** How often things may be asked. @default without limits */
  readonly limits?: RateLimits;
  /** Time between two heartbeat comments. @default 10_000 */
  readonly heartbeatMs?: number;
}

export const stopRequest = z.strictObject({ runId: z.string().min(1).max(64).optional() });
export const feedbackRequest = z.strictObject({
  message_id: z.string().min(1).max(128),
  rating: z.enum(["up", "down"]).nullable(),
  comment: z.string().max(4_000).optional(),
});
/** Connections of one session that follow answers after having attached again. */
const maxReaders = 10;
const defaultPageSize = 20;
const maxPageSize = 100;

/**
 * Chat and threads, below `/agent/v1/projects/{projectId}/agent` and behind `requireSession`.
 * Paths have no slash at their end: the app takes one off before it looks for a route.
 */
export function agentRoutes({
  agent,
  threads,
  streams,
  limits,
  heartbeatMs = 10_000,
}: AgentRoutesOptions): Hono<AppEnv> {
  const readers = createOpenCounts();

  /** Notes one more reader of a session who attached again; a page needs one. */
  function enterReaders({ sid }: SessionPrincipal): () => void {
    const left = readers.enter([{ name: sid, max: maxReaders }]);
    if (typeof left !== "string") return left;
    throw new ProblemError("quota_exceeded", {
      detail: "The session follows as many answers as it may at the same time. Close some.",
      "violated-policies": ["session-readers"],
      headers: { "retry-after": "2" },
    });
  }

  /** Answers with the stream of a run. */
  function answerRun(
    c: Context<AppEnv>,
    { run, threadId }: StartedRun,
    { fromSeq = 0, onClose }: { fromSeq?: number; onClose?: () => void } = {},
  ): Response {
    const headers = {
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
      "x-vercel-ai-ui-message-stream": "v1",
      "x-thread-id": threadId,
      "x-run-id": run.id,
    };
    const write = streamRun({
      run,
      session: c.get("session"),
      streams,
      requestId: c.get("requestId"),
      fromSeq,
      heartbeatMs,
      ...(onClose && { onClose }),
    });
    return answerPushed(c, headers, write);
  }

  return new Hono<AppEnv>()
    .post("/chat", async (c) => {
      const input = await readJson(c, chatRequest, { maxBytes: maxChatBytes });
      await (isContinuation(input) ? limits?.request(c) : limits?.message(c));
      const context = { requestId: c.get("requestId"), log: c.get("log") };
      return answerRun(c, await agent.chat(c.get("session"), input, context));
    })
    .get("/chat/:threadId/stream", async (c) => {
      const threadId = c.req.param("threadId");
      const header = c.req.header("last-event-id");
      const last = header ? readLastEventId(header) : undefined;
      const context = { requestId: c.get("requestId") };
      const found = await agent.attach(c.get("session"), threadId, last, context);
      if (!found) return c.body(null, 204);
      const onClose = enterReaders(c.get("session"));
      return answerRun(c, { run: found.run, threadId }, { fromSeq: found.fromSeq, onClose });
    })
    .post("/chat/:threadId/stop", async (c) => {
      const { runId } = await readJson(c, stopRequest, { allowEmpty: true });
      return c.json({
        stopped: await agent.stop(c.get("session"), c.req.param("threadId"), runId),
      });
    })
    .get("/threads", async (c) => {
      const limit = readLimit(c.req.query("limit"));
      const cursor = c.req.query("cursor");
      return c.json(await threads.list(c.get("session"), { cursor, limit }));
    })
    .get("/threads/:id", async (c) =>
      c.json(await threads.get(c.get("session"), c.req.param("id"))),
    )
    .post("/threads/:id/feedback", async (c) => {
      const feedback = await readJson(c, feedbackRequest, { maxBytes: 32_768 });
      await threads.rate(c.get("session"), c.req.param("id"), feedback);
      return c.body(null, 204);
    })
    .delete("/threads/:id", async (c) => {
      await threads.remove(c.get("session"), c.req.param("id"));
      return c.body(null, 204);
    });
}

function readLastEventId(header: string): { runId: string; seq: number } {
  const last = parseEventId(header);
  if (last) return last;
  throw new ProblemError("invalid_request", {
    field: "Last-Event-ID",
    detail: "Last-Event-ID: Send the `id` of the last event that arrived.",
  });
}

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? defaultPageSize : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxPageSize) return limit;
  throw new ProblemError("invalid_request", {
    field: "limit",
    detail: `limit: Use a whole number from 1 to ${maxPageSize}.`,
  });
}
