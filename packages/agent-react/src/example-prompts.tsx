"use client";
import type { ReactNode } from "react";
import { useLabels } from "./use-labels.ts";

/** Props of {@link ExamplePrompts}. */
export interface ExamplePromptsProps {
  readonly prompts: readonly string[];
  readonly onSelect: (prompt: string) => void;
}

/** Questions to begin with. */
export function ExamplePrompts({ prompts, onSelect }: ExamplePromptsProps): ReactNode {
  const labels = useLabels();
  if (prompts.length === 0) return null;
  return (
    <ul className="valet-prompts" aria-label={labels.examples}>
      {prompts.map((prompt) => (
        <li key={prompt}>
          <button type="button" className="valet-prompt" onClick={() => onSelect(prompt)}>
            {prompt}
          </button>
        </li>
      ))}
    </ul>
  );
}
