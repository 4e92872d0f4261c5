import type { FeedbackRequest, StoredThread, ThreadList } from "@valet/protocol";
import { AgentError, SessionWithoutOwnerError, ThreadNotFoundError } from "./agent-error.ts";
import type { Transport } from "./transport.ts";

/** A past conversation, as lists show it. */
export interface ListedThread {
  readonly id: string;
  readonly title: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly messageCount: number;
}

/** A page of past conversations, latest first. */
export interface ThreadPage {
  readonly threads: readonly ListedThread[];
  /** Where the next page begins; undefined at the end. */
  readonly nextCursor: string | undefined;
}

/** Which page of a list is meant. */
export interface ThreadPageOptions {
  readonly cursor?: string;
  /** The most conversations on the page. @default the server's own choice, 20 */
  readonly limit?: number;
}

/** @throws {@link SessionWithoutOwnerError} */
export async function listThreads(
  transport: Transport,
  { cursor, limit }: ThreadPageOptions,
): Promise<ThreadPage> {
  const query = new URLSearchParams();
  if (cursor !== undefined) query.set("cursor", cursor);
  if (limit !== undefined) query.set("limit", String(limit));
  const answer = await send(transport, `/threads/${query.size === 0 ? "" : `?${query}`}`);
  const { threads, next_cursor } = (await answer.json()) as ThreadList;
  return {
    threads: threads.map((thread) => ({
      id: thread.id,
      title: thread.title,
      createdAt: thread.created_at,
      updatedAt: thread.updated_at,
      messageCount: thread.message_count,
    })),
    nextCursor: next_cursor ?? undefined,
  };
}

/** @throws {@link SessionWithoutOwnerError}, {@link ThreadNotFoundError} */
export async function loadThread(transport: Transport, id: string): Promise<StoredThread> {
  return (await (await send(transport, pathOf(id))).json()) as StoredThread;
}

/** @throws {@link SessionWithoutOwnerError}, {@link ThreadNotFoundError} */
export async function deleteThread(transport: Transport, id: string): Promise<void> {
  await send(transport, pathOf(id), "DELETE");
}

/** @throws {@link ThreadNotFoundError} */
export async function rateMessage(
  transport: Transport,
  id: string,
  body: FeedbackRequest,
): Promise<void> {
  await send(transport, `${pathOf(id)}feedback/`, "POST", body);
}

function pathOf(id: string): string {
  return `/threads/${encodeURIComponent(id)}/`;
}

async function send(
  transport: Transport,
  path: string,
  method: "GET" | "POST" | "DELETE" = "GET",
  body?: unknown,
): Promise<Response> {
  try {
    return await transport.send(path, { method, body });
  } catch (thrown) {
    if (!(thrown instanceof AgentError)) throw thrown;
    if (thrown.code === "history_needs_owner") throw new SessionWithoutOwnerError();
    if (thrown.status === 404) throw new ThreadNotFoundError();
    throw thrown;
  }
}
