"use client";
import { type ReactNode, useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "./icons.tsx";
import { useLabels } from "./use-labels.ts";

/** Copies a text, and says so for a moment. */
export function CopyButton({
  text,
  label,
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  const labels = useLabels();
  const name = label ?? labels.copy;
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
      aria-label={name}
      title={name}
      onClick={copy}
    >
      {isCopied ? <CheckIcon /> : <CopyIcon />}
      <span className="valet-hidden" aria-live="polite">
        {isCopied ? labels.copied : ""}
      </span>
    </button>
  );
}
