"use client";
import type { MessageSource } from "@valet/agent-core";
import { type MouseEvent, type ReactNode, useState } from "react";
import { useAgentContext } from "./agent-context.ts";
import { useLabels } from "./use-labels.ts";

/** Props of {@link SourceLink}. */
export interface SourceLinkProps {
  readonly source: Pick<MessageSource, "sourceUrl"> & { readonly id?: string };
  readonly className?: string;
  readonly children: ReactNode;
}

/**
 * Opens a source in a tab of its own. A public page is a plain link. A page of the Valet server
 * needs a credential, which a link cannot carry: the tab is opened at once, while the click still
 * allows it, and led to the page when the agent has a ticket for it.
 */
export function SourceLink({ source, className, children }: SourceLinkProps): ReactNode {
  const labels = useLabels();
  const { agent, emit } = useAgentContext();
  const [failed, setFailed] = useState(false);
  const isOwn = isOwnPage(source.sourceUrl);
  // A document says what its address is: any other scheme could do more than lead somewhere.
  const isSafe = isOwn || /^https?:\/\//i.test(source.sourceUrl);

  async function open(event: MouseEvent): Promise<void> {
    event.preventDefault();
    setFailed(false);
    const tab = window.open("about:blank", "_blank");
    try {
      const url = await agent.sourceUrl(source.sourceUrl);
      if (!tab) throw new Error("The browser opened no tab.");
      tab.opener = null;
      tab.location.replace(url);
    } catch {
      tab?.close();
      setFailed(true);
    }
  }

  if (!isSafe) return <span className={className}>{children}</span>;
  return (
    <>
      <a
        className={className}
        href={source.sourceUrl}
        target="_blank"
        rel="noopener noreferrer"
        onClick={(event) => {
          const data = { sourceId: source.id ?? "", threadId: agent.getThreadId() };
          emit({ type: "source_opened", data });
          if (isOwn) void open(event);
        }}
      >
        {children}
      </a>
      {failed && (
        <span className="valet-inline-error" role="alert">
          {labels.openFailed}
        </span>
      )}
    </>
  );
}

function isOwnPage(url: string): boolean {
  return /^(?:https?:\/\/[^/]+)?\/sources\/doc_/.test(url);
}
