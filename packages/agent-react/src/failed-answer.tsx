"use client";
import type { ConversationMessage } from "@valet/agent-core";
import { type ReactNode, useEffect, useState } from "react";
import { AlertIcon, ClockIcon, LockIcon, OfflineIcon, RetryIcon } from "./icons.tsx";
import type { Labels } from "./translation.ts";
import { useLabels } from "./use-labels.ts";

/** What a failure looks like; everything else is a plain failure. */
const kinds = new Map<string, keyof typeof icons>([
  ["signed_out", "signed-out"],
  ["not_allowed", "blocked"],
  ["owner_blocked", "blocked"],
  ["origin_not_allowed", "blocked"],
  ["rate_limited", "limited"],
  ["quota_exceeded", "limited"],
  ["abnormal_usage", "limited"],
  ["budget_exhausted", "limited"],
  ["network_error", "offline"],
  ["stream_interrupted", "offline"],
]);
const icons = {
  "signed-out": LockIcon,
  blocked: LockIcon,
  limited: ClockIcon,
  offline: OfflineIcon,
};

/** Codes that mean the same to the person. */
const sameAs = new Map<string, keyof Labels["failures"]>([
  ["acquire_timeout", "callback_timeout"],
  ["quota_exceeded", "rate_limited"],
  ["abnormal_usage", "rate_limited"],
]);

/** What the code means, in the language of the page; of one that is not known, the words it came with. */
function wordsOf({ errorCode = "", content }: ConversationMessage, { failures }: Labels): string {
  const code = sameAs.get(errorCode) ?? errorCode;
  return Object.hasOwn(failures, code) ? failures[code as keyof Labels["failures"]] : content;
}

/** Says why there is no answer, and offers to try again once that may help. */
export function FailedAnswer({
  message,
  onRetry,
}: {
  readonly message: ConversationMessage;
  readonly onRetry: (() => void) | undefined;
}): ReactNode {
  const labels = useLabels();
  const seconds = useSecondsLeft(message.retryAfterMs ?? 0);
  const kind = kinds.get(message.errorCode ?? "");
  const Icon = kind === undefined ? AlertIcon : icons[kind];
  return (
    <article className="valet-message valet-message-error" aria-label={labels.assistant}>
      <div className="valet-error" data-kind={kind ?? "failed"}>
        <span className="valet-error-icon">
          <Icon />
        </span>
        <p role="alert" dir="auto">
          {wordsOf(message, labels)}
        </p>
        {onRetry && message.retryable !== false && (
          <button type="button" className="valet-button" disabled={seconds > 0} onClick={onRetry}>
            <RetryIcon />
            {seconds > 0 ? labels.retryIn({ seconds }) : labels.retry}
          </button>
        )}
      </div>
    </article>
  );
}

/** Counts down, second by second, from when it was first asked. */
function useSecondsLeft(waitMs: number): number {
  const [endsMs] = useState(() => Date.now() + waitMs);
  const [nowMs, setNowMs] = useState(endsMs - waitMs);
  const left = Math.max(0, Math.ceil((endsMs - nowMs) / 1_000));
  const isOver = left === 0;
  useEffect(() => {
    if (isOver) return;
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [isOver]);
  return left;
}
