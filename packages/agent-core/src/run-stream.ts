import {
  createEventStreamDecoder,
  doneData,
  isTerminal,
  parseEventId,
  type StreamPart,
} from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import { isTokenError } from "./session-tokens/token-error.ts";
import type { Timers } from "./session-tokens/types.ts";
import type { Transport } from "./transport.ts";

/** What {@link followRun} needs. */
export interface FollowRunOptions {
  readonly transport: Transport;
  /** The answer that began the run. */
  readonly answer: Response;
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly random: () => number;
  /** Told when the connection was lost, and when it is back. */
  readonly onReconnecting: (isReconnecting: boolean) => void;
}

/** Heartbeats come every 10 s: three missing ones mean that nobody is there. */
const silenceMs = 30_000;
const backoffMs = [500, 1_000, 2_000, 4_000, 5_000];

/**
 * The frames of a run, each once and in order, until its terminal frame. When the connection drops
 * on the way it is taken up again behind the last frame that came; a body that merely ends is
 * never taken for an answer that has ended.
 *
 * @throws {@link AgentError} `stream_interrupted` when the run cannot be found again.
 */
export async function* followRun({
  transport,
  answer,
  signal,
  timers,
  random,
  onReconnecting,
}: FollowRunOptions): AsyncGenerator<StreamPart, void, undefined> {
  const threadId = answer.headers.get("x-thread-id") ?? "";
  let connection: Response | undefined = answer;
  let last: { runId: string; seq: number } | undefined;
  let failures = 0;

  while (true) {
    if (connection) {
      for await (const { id, data } of readEvents(connection, signal, timers)) {
        if (data === doneData) break;
        const at = parseEventId(id);
        if (at && last && at.runId === last.runId && at.seq <= last.seq) continue;
        if (at) last = at;
        failures = 0;
        const part = JSON.parse(data) as StreamPart;
        yield part;
        if (isTerminal(part)) return;
      }
    }
    signal.throwIfAborted();
    if (failures >= backoffMs.length) throw interrupted();
    onReconnecting(true);
    await sleep((backoffMs[failures] ?? 5_000) * (0.75 + random() / 2), signal, timers);
    failures += 1;
    connection = await reattach(transport, threadId, last, signal);
    if (connection) onReconnecting(false);
  }
}

async function reattach(
  transport: Transport,
  threadId: string,
  last: { runId: string; seq: number } | undefined,
  signal: AbortSignal,
): Promise<Response | undefined> {
  try {
    const answer = await transport.send(`/chat/${encodeURIComponent(threadId)}/stream/`, {
      signal,
      headers: last ? { "last-event-id": `${last.runId}:${last.seq}` } : {},
    });
    // Nothing is going on and nothing is left to tell: the rest of the run is lost to this client.
    if (answer.status === 204) throw interrupted();
    return answer;
  } catch (thrown) {
    const mayPass =
      (thrown instanceof AgentError && thrown.retryable && thrown.code !== "stream_interrupted") ||
      (isTokenError(thrown) && thrown.retryable);
    if (!mayPass) throw thrown;
    return undefined;
  }
}

/** The events of one connection. Ends quietly when the connection does, however that happens. */
async function* readEvents(
  { body }: Response,
  signal: AbortSignal,
  timers: Timers,
): AsyncGenerator<{ id: string; data: string }, void, undefined> {
  if (!body) return;
  const reader = body.getReader();
  const decoder = createEventStreamDecoder();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", cancel);
  try {
    while (true) {
      const silence = timers.set(cancel, silenceMs);
      const piece = await reader.read().finally(() => timers.clear(silence));
      if (piece.done) return;
      yield* decoder.push(piece.value);
    }
  } catch {
    // A broken connection is told from an ended one by the missing terminal frame.
    return;
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

function sleep(delayMs: number, signal: AbortSignal, timers: Timers): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      timers.clear(timer);
      reject(signal.reason);
    };
    const timer = timers.set(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function interrupted(): AgentError {
  return new AgentError(
    "stream_interrupted",
    "The connection was lost before the answer had ended.",
    { retryable: true },
  );
}
