import {
  createEventStreamDecoder,
  doneData,
  isTerminal,
  parseEventId,
  type StreamPart,
} from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import { createReconnection } from "./reconnection.ts";
import { isTokenError } from "./session-tokens/token-error.ts";
import type { Timers } from "./session-tokens/types.ts";
import type { Transport, TransportRequest } from "./transport.ts";

/** What {@link followRun} needs. */
export interface FollowRunOptions {
  readonly transport: Transport;
  /**
   * Sends the request that begins the run, or attaches to it. As long as nothing of the run has
   * come it is sent again after a lost connection: the server knows the request for the same one.
   */
  readonly open: (request: Pick<TransportRequest, "signal" | "onSend">) => Promise<Response>;
  /** Whether an answer is of the run that is meant. @default always */
  readonly isFit?: (answer: Response) => boolean;
  /** Told of each answer that opens. */
  readonly onOpen: (answer: Response) => void;
  /** Whether a run that is going on in the thread is waited for. */
  readonly waitsForTurn?: boolean;
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly random: () => number;
  /** Told when the connection was lost, and when it is back. */
  readonly onReconnecting: (isReconnecting: boolean) => void;
}

/** The server knows nothing more of the run: what came of it stands in the thread. */
export const runIsGone: unique symbol = Symbol("run is gone");

/** Heartbeats come every 10 s: three missing ones mean that nobody is there. */
const silenceMs = 30_000;
const silent: unique symbol = Symbol("silent");

/**
 * The frames of a run, each once and in order, until its terminal frame. When the connection drops
 * on the way it is taken up again behind the last frame that came; a body that merely ends is
 * never taken for an answer that has ended.
 *
 * @throws {@link AgentError} `stream_interrupted` when the server cannot be reached again,
 *   {@link runIsGone} when it can and has forgotten the run.
 */
export async function* followRun({
  transport,
  open,
  isFit = () => true,
  onOpen,
  waitsForTurn = false,
  signal,
  timers,
  random,
  onReconnecting,
}: FollowRunOptions): AsyncGenerator<StreamPart, void, undefined> {
  const reconnection = createReconnection({ timers, random });
  let threadId = "";
  let last: { runId: string; seq: number } | undefined;
  let isReconnecting = false;

  /** Attaches behind the last frame; before the first one the request itself is sent again. */
  const connect: FollowRunOptions["open"] = (request) =>
    last === undefined
      ? open(request)
      : transport.send(`/chat/${encodeURIComponent(threadId)}/stream/`, {
          ...request,
          headers: { "last-event-id": `${last.runId}:${last.seq}` },
        });

  while (true) {
    let failure: unknown;
    const connection = await withinSilence(connect, signal, timers).catch((thrown: unknown) => {
      failure = thrown;
      const isKnown = threadId !== "";
      if (!mayPass(thrown, { isKnown, waitsForTurn })) throw thrown;
      return undefined;
    });
    if (connection) {
      if (connection.status === 204) throw runIsGone;
      threadId = connection.headers.get("x-thread-id") ?? "";
      if (!isFit(connection)) {
        connection.body?.cancel().catch(() => undefined);
        throw runIsGone;
      }
      onOpen(connection);
      if (isReconnecting) onReconnecting(false);
      isReconnecting = false;
      for await (const { id, data } of readEvents(connection, signal, timers)) {
        if (data === doneData) break;
        const at = parseEventId(id);
        if (at && last && at.runId === last.runId && at.seq <= last.seq) continue;
        if (at) last = at;
        reconnection.succeeded();
        const part = JSON.parse(data) as StreamPart;
        yield part;
        if (isTerminal(part)) return;
      }
    }
    signal.throwIfAborted();
    onReconnecting(true);
    isReconnecting = true;
    const { retryAfterMs } = Object(failure) as { retryAfterMs?: number };
    if (await reconnection.next(signal, retryAfterMs)) continue;
    // The server never said a word: what stands in its way is more than a lost connection.
    if (failure !== undefined && threadId === "") throw failure;
    throw interrupted();
  }
}

/** Whether the same request may be answered in a moment. */
function mayPass(
  thrown: unknown,
  { isKnown, waitsForTurn }: { readonly isKnown: boolean; readonly waitsForTurn: boolean },
): boolean {
  if (thrown === silent) return true;
  // A refusal of a first request is told at once. A request that began something goes on with it.
  if (isTokenError(thrown)) return isKnown && thrown.retryable;
  if (!(thrown instanceof AgentError)) return false;
  if (thrown.code === "network_error") return true;
  return (isKnown && thrown.retryable) || (waitsForTurn && thrown.code === "run_in_progress");
}

/** Sends, and gives up when no answer comes. What the page's own session takes does not count. */
async function withinSilence(
  connect: FollowRunOptions["open"],
  signal: AbortSignal,
  timers: Timers,
): Promise<Response> {
  const attempt = new AbortController();
  const forward = (): void => attempt.abort(signal.reason);
  let timer: unknown;
  if (signal.aborted) forward();
  signal.addEventListener("abort", forward, { once: true });
  try {
    return await connect({
      signal: attempt.signal,
      onSend() {
        timers.clear(timer);
        timer = timers.set(() => attempt.abort(silent), silenceMs);
      },
    });
  } finally {
    timers.clear(timer);
    signal.removeEventListener("abort", forward);
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

function interrupted(): AgentError {
  return new AgentError(
    "stream_interrupted",
    "The connection was lost before the answer had ended.",
    { retryable: true },
  );
}
