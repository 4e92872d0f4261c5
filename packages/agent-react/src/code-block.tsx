"use client";
import type { ReactNode } from "react";
import { CopyButton } from "./copy-button.tsx";

/** Code with its language and a button that copies it. */
export function CodeBlock({
  code,
  language,
}: {
  readonly code: string;
  readonly language: string;
}): ReactNode {
  return (
    <div className="valet-code">
      <div className="valet-code-head">
        <span>{language.split(/\s/)[0]}</span>
        <CopyButton text={code} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1). */}
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </div>
  );
}
