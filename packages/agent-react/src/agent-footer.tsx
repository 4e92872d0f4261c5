"use client";
import type { ReactNode } from "react";
import type { AgentChatBranding } from "./agent-chat.tsx";
import { HostContent } from "./host-content.tsx";
import { useLabels } from "./use-labels.ts";

/** Props of {@link AgentFooter}. */
export interface AgentFooterProps {
  /** Its `footerExtra` stands at the end; its `attribution` can be turned off. */
  readonly branding?: Pick<AgentChatBranding, "footerExtra" | "attribution">;
  /** The same as `branding.footerExtra`. */
  readonly children?: ReactNode;
}

/** What the chat is built with, and at the other end whatever the app wants to add. */
export function AgentFooter({ branding = {}, children }: AgentFooterProps): ReactNode {
  const labels = useLabels();
  const { footerExtra = children, attribution = true } = branding;
  const hasExtra = footerExtra !== undefined && footerExtra !== null;
  if (!attribution && !hasExtra) return null;
  return (
    <footer className="valet-footer">
      {attribution && <span>{labels.builtWith}</span>}
      {hasExtra && (
        <span className="valet-footer-extra">
          <HostContent>{footerExtra}</HostContent>
        </span>
      )}
    </footer>
  );
}
