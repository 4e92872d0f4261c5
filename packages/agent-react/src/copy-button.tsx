"use client";
import { type ReactNode, useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons.tsx";
import { labels } from "./labels.ts";

/** Copies a text, and says so for a moment. */
export function CopyButton({
  text,
  label = labels.copy,
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    // Not everywhere allowed; then nothing was copied, and nothing is claimed.
    navigator.clipboard?.writeText(text).then(
      () => setIsCopied(true),
      () => undefined,
    );
  };
  return (
    <button
      type="button"
      className="valet-icon-button"
      aria-label={label}
      title={label}
      onClick={copy}
    >
      {isCopied ? <CheckIcon /> : <CopyIcon />}
      <span className="valet-hidden" aria-live="polite">
        {isCopied ? labels.copied : ""}
      </span>
    </button>
  );
}
