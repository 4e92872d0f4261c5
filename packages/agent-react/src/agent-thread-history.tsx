"use client";
import { AgentError, type ListedThread, SessionWithoutOwnerError } from "@valet/agent-core";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useAgentContext } from "./agent-context.ts";
import { TrashIcon } from "./icons.tsx";
import { useAgentChat } from "./use-agent-chat.ts";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AgentThreadHistory}. */
export interface AgentThreadHistoryProps {
  /** Called when a conversation that was chosen has been loaded. */
  readonly onThreadSelected?: (threadId: string) => void;
  readonly className?: string;
}

type State = "loading" | "ready" | "unavailable" | "failed";

/** Past conversations: to go on with, and to delete. Another person's list is another one. */
export function AgentThreadHistory(props: AgentThreadHistoryProps): ReactNode {
  const { userKey } = useAgentContext();
  return <Threads key={userKey} {...props} />;
}

function Threads({ onThreadSelected, className = "" }: AgentThreadHistoryProps): ReactNode {
  const labels = useLabels();
  const { locale } = useAgentContext();
  const { listThreads, resumeThread, deleteThread, historyDisabled } = useAgentChat();
  const [threads, setThreads] = useState<readonly ListedThread[]>([]);
  const [cursor, setCursor] = useState<string>();
  const [state, setState] = useState<State>("loading");

  const load = useCallback(
    async (from?: string) => {
      setState("loading");
      try {
        const page = await listThreads(from === undefined ? {} : { cursor: from });
        setThreads((known) => (from === undefined ? page.threads : [...known, ...page.threads]));
        setCursor(page.nextCursor);
        setState("ready");
      } catch (error) {
        setState(error instanceof SessionWithoutOwnerError ? "unavailable" : "failed");
      }
    },
    [listThreads],
  );
  useEffect(() => {
    if (historyDisabled) setState("unavailable");
    else void load();
  }, [historyDisabled, load]);

  async function choose(id: string): Promise<void> {
    try {
      await resumeThread(id);
      onThreadSelected?.(id);
    } catch (error) {
      // The person has chosen another one meanwhile.
      if (!(error instanceof AgentError && error.code === "superseded")) setState("failed");
    }
  }
  async function remove(id: string): Promise<void> {
    try {
      await deleteThread(id);
      setThreads((known) => known.filter((thread) => thread.id !== id));
    } catch {
      setState("failed");
    }
  }

  return (
    <div className={`valet-history ${className}`}>
      {threads.length > 0 && (
        <ul className="valet-threads">
          {threads.map((thread) => (
            <li key={thread.id} className="valet-thread">
              <button
                type="button"
                className="valet-thread-open"
                onClick={() => void choose(thread.id)}
              >
                <span className="valet-thread-title">{thread.title || labels.untitled}</span>
                <span className="valet-thread-note">
                  <time dateTime={thread.updatedAt}>{formatAge(thread.updatedAt, locale)}</time>
                  {" · "}
                  {labels.messages({ count: thread.messageCount })}
                </span>
              </button>
              <DeleteButton title={thread.title} onDelete={() => void remove(thread.id)} />
            </li>
          ))}
        </ul>
      )}
      {state === "loading" && <p className="valet-note">{labels.historyLoading}</p>}
      {state === "ready" && threads.length === 0 && (
        <p className="valet-note">{labels.historyEmpty}</p>
      )}
      {state === "unavailable" && <p className="valet-note">{labels.historyUnavailable}</p>}
      {state === "failed" && (
        <div className="valet-note" role="alert">
          <p>{labels.historyFailed}</p>
          <button type="button" className="valet-button" onClick={() => void load()}>
            {labels.retry}
          </button>
        </div>
      )}
      {state === "ready" && cursor !== undefined && (
        <button type="button" className="valet-button" onClick={() => void load(cursor)}>
          {labels.loadMore}
        </button>
      )}
    </div>
  );
}

/** Deletes at the second click, because there is no way back. */
function DeleteButton({
  title,
  onDelete,
}: {
  readonly title: string;
  readonly onDelete: () => void;
}): ReactNode {
  const labels = useLabels();
  const [isSure, setIsSure] = useState(false);
  return (
    <button
      type="button"
      className="valet-icon-button"
      data-sure={isSure}
      aria-label={`${isSure ? labels.confirmDelete : labels.deleteThread}: ${title || labels.untitled}`}
      title={isSure ? labels.confirmDelete : labels.deleteThread}
      onBlur={() => setIsSure(false)}
      onClick={() => (isSure ? onDelete() : setIsSure(true))}
    >
      <TrashIcon />
    </button>
  );
}

const units = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

function formatAge(instant: string, locale: string): string {
  const seconds = (Date.parse(instant) - Date.now()) / 1_000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return format.format(Math.trunc(seconds / size), unit);
}
