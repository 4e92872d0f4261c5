import { createHmac } from "node:crypto";
import type { FeedbackRequest, StoredThread, ThreadList, ThreadSummary } from "@valet/protocol";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { ThreadRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import { formatInstant } from "../sessions/sessions.ts";
import { readAnswerParts } from "./answer-part.ts";
import type { Run } from "./run.ts";
import { RunStopped } from "./run-ending.ts";
import type { Runs } from "./runs.ts";
import { toStoredMessages } from "./stored-messages.ts";
import type { ListedThread, ThreadContents, ThreadStore } from "./thread-store.ts";

/**
 * Conversations, and who may touch them. With an owner, a thread belongs to project and owner.
 * Without one, its id is the capability, for ownerless sessions of the same project and
 * integration. An id that a client chose lives in its session's namespace and ends with it. What
 * may not be touched looks like what does not exist.
 */
export interface Threads {
  /**
   * The thread that a session names, or a new one that is not stored yet.
   *
   * @param firstMessageId The question that begins it. When it is long enough to be nobody else's,
   *   the same question of the same person finds the same thread, so that a request whose answer
   *   got lost does not begin a second conversation.
   * @throws {@link ProblemError} `not_found`.
   */
  open(session: SessionPrincipal, id?: string, firstMessageId?: string): Promise<OpenedThread>;
  /** @throws {@link ProblemError} `not_found`. */
  find(session: SessionPrincipal, id: string): Promise<ThreadRow>;
  /**
   * The owner's threads, last changed first.
   *
   * @throws {@link ProblemError} `history_needs_owner`, or `invalid_request` for a cursor that is
   *   none.
   */
  list(
    session: SessionPrincipal,
    page: { readonly cursor?: string | undefined; readonly limit: number },
  ): Promise<ThreadList>;
  /** The whole conversation. @throws {@link ProblemError} `not_found`. */
  get(session: SessionPrincipal, id: string): Promise<StoredThread>;
  /**
   * Deletes a thread, and stops what runs in it.
   *
   * @throws {@link ProblemError} `history_needs_owner` or `not_found`.
   */
  remove(session: SessionPrincipal, id: string): Promise<void>;
  /**
   * Keeps what the person thinks of an answer; the last word counts.
   *
   * @throws {@link ProblemError} `not_found`, or `invalid_request` when the thread has no such answer.
   */
  rate(session: SessionPrincipal, id: string, feedback: FeedbackRequest): Promise<void>;
}

/** A thread, and whether it still has to be stored. */
export interface OpenedThread {
  readonly thread: ThreadRow;
  readonly isNew: boolean;
}

/** What {@link createThreads} needs. */
export interface ThreadsOptions {
  readonly store: ThreadStore;
  readonly runs: Runs;
  readonly now?: () => number;
  readonly random?: RandomBytes;
  /** What the ids of threads are made with, of their first messages. Nobody else may know it. */
  readonly idKey: Buffer;
}

const issuedId = /^thr_[0-9A-Za-z]{22}$/;
/** What a client may choose as an id; it stands in a header and in paths. */
const chosenId = /^[A-Za-z0-9._~:-]{1,128}$/;
/** The fewest characters of a message's id that are taken for unique. */
const uniqueLength = 16;
/** The most messages of one thread that are given at once. */
const maxMessages = 1_000;

/** Opens the conversations of a store. */
export function createThreads({
  store,
  runs,
  now = Date.now,
  random,
  idKey,
}: ThreadsOptions): Threads {
  /** An id that nobody can guess, and that the same first message gives again. */
  function idFor({ projectId, owner, sid }: SessionPrincipal, messageId: string): string {
    const person = owner === null ? { sid } : { owner };
    const bytes = createHmac("sha512", idKey)
      .update(JSON.stringify([projectId, person, messageId]))
      .digest();
    return `thr_${randomBase62(22, () => bytes)}`;
  }

  async function open(
    session: SessionPrincipal,
    named?: string,
    firstMessageId = "",
  ): Promise<OpenedThread> {
    if (named === undefined && firstMessageId.length < uniqueLength) {
      return { thread: newThread(session, `thr_${randomBase62(22, random)}`, null), isNew: true };
    }
    const id = named ?? idFor(session, firstMessageId);
    if (!chosenId.test(id)) throw new ProblemError("not_found");
    const isIssued = issuedId.test(id);
    const storedId = isIssued ? id : `${session.sid}~${id}`;
    const thread = await store.find(session.projectId, storedId);
    if (!thread && (!isIssued || named === undefined)) {
      return { thread: newThread(session, storedId, isIssued ? null : session.sid), isNew: true };
    }
    if (!thread || !mayTouch(session, thread)) throw new ProblemError("not_found");
    return { thread, isNew: false };
  }

  async function find(session: SessionPrincipal, id: string): Promise<ThreadRow> {
    const { thread, isNew } = await open(session, id);
    if (isNew) throw new ProblemError("not_found");
    return thread;
  }

  function newThread(session: SessionPrincipal, id: string, onlySid: string | null): ThreadRow {
    return {
      id,
      project_id: session.projectId,
      integration_id: session.integrationId,
      owner: session.owner,
      only_sid: onlySid,
      title: "",
      created_at_ms: now(),
      updated_at_ms: now(),
      deleted_at_ms: null,
    };
  }

  return {
    open,
    find,
    async list(session, { cursor, limit }) {
      const owner = requireOwner(session);
      const before = cursor === undefined ? undefined : readCursor(cursor);
      // One more than asked for tells whether there is another page.
      const rows = await store.list({
        projectId: session.projectId,
        owner,
        limit: limit + 1,
        ...(before ? { before } : {}),
      });
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return {
        threads: page.map(toSummary),
        next_cursor: last && rows.length > limit ? writeCursor(last) : null,
      };
    },
    async get(session, id) {
      const thread = await find(session, id);
      while (true) {
        const run = runs.active(thread.id);
        const contents = await store.read(thread.id, maxMessages);
        const message_count = await store.countMessages(thread.id);
        // Whoever follows the run hears all of it: what it wrote must not be in the messages, too.
        if (run === runs.active(thread.id) && !run?.isBeingKept) {
          return {
            thread: toSummary({ ...thread, message_count }),
            messages: toStoredMessages(withoutPartsOf(run, contents)),
            active_run_id: run?.id ?? null,
          };
        }
        if (run?.isBeingKept) await run.whenEnded;
      }
    },
    async remove(session, id) {
      requireOwner(session);
      const thread = await find(session, id);
      await store.remove(session.projectId, thread.id, now());
      runs.active(thread.id)?.abort(new RunStopped());
    },
    async rate(session, id, { message_id, rating, comment }) {
      const thread = await find(session, id);
      const rated = await store.findMessage(thread.id, message_id);
      if (rated?.role !== "assistant") {
        throw new ProblemError("invalid_request", {
          field: "message_id",
          detail: "message_id: Use the id of an answer of this thread.",
        });
      }
      if (rating === null) return store.removeFeedback(thread.id, message_id);
      await store.setFeedback({
        thread_id: thread.id,
        message_id,
        rating,
        comment: comment ?? null,
        at_ms: now(),
      });
    },
  };
}

/** The id by which clients know a thread. */
export function wireThreadId({ id, only_sid }: ThreadRow): string {
  return only_sid === null ? id : id.slice(only_sid.length + 1);
}

function mayTouch(session: SessionPrincipal, thread: ThreadRow): boolean {
  if (thread.deleted_at_ms !== null || thread.project_id !== session.projectId) return false;
  if (thread.only_sid !== null) return thread.only_sid === session.sid;
  if (session.owner !== null) return thread.owner === session.owner;
  return thread.owner === null && thread.integration_id === session.integrationId;
}

function requireOwner({ owner }: SessionPrincipal): string {
  if (owner === null) throw new ProblemError("history_needs_owner");
  return owner;
}

function toSummary(thread: ListedThread): ThreadSummary {
  return {
    id: wireThreadId(thread),
    title: thread.title,
    created_at: formatInstant(thread.created_at_ms),
    updated_at: formatInstant(thread.updated_at_ms),
    message_count: thread.message_count,
  };
}

function writeCursor({ updated_at_ms, id }: ThreadRow): string {
  return Buffer.from(`${updated_at_ms}.${id}`).toString("base64url");
}

function readCursor(cursor: string): { updatedAtMs: number; id: string } {
  const match = /^(\d{1,15})\.(.{1,256})$/.exec(Buffer.from(cursor, "base64url").toString());
  if (!match?.[1] || !match[2]) {
    throw new ProblemError("invalid_request", {
      field: "cursor",
      detail: "cursor: Use `next_cursor` of the page before.",
    });
  }
  return { updatedAtMs: Number(match[1]), id: match[2] };
}

/** A conversation without what a run has stored of its answer on the way. */
function withoutPartsOf(run: Run | undefined, contents: ThreadContents): ThreadContents {
  const { messageId, earlierParts = 0 } = run?.writing ?? {};
  const written = contents.messages.find(({ id }) => id === messageId);
  if (!written) return contents;
  const parts = readAnswerParts(written.parts).slice(0, earlierParts);
  const isEarlier = (callId: string): boolean =>
    parts.some((part) => part.type === "tool-call" && part.toolCallId === callId);
  return {
    ...contents,
    messages: contents.messages.flatMap((message) => {
      if (message !== written) return [message];
      return parts.length === 0 ? [] : [{ ...message, parts: JSON.stringify(parts) }];
    }),
    calls: contents.calls.filter((call) => call.message_id !== messageId || isEarlier(call.id)),
  };
}
