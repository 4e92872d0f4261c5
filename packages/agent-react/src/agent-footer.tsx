"use client";
import type { ReactNode } from "react";
import { HostContent } from "./host-content.tsx";
import { useLabels } from "./use-labels.ts";

/** What the chat is built with, and at the other end whatever the app wants to add. */
export function AgentFooter({ children }: { readonly children?: ReactNode }): ReactNode {
  const labels = useLabels();
  return (
    <footer className="valet-footer">
      <span>{labels.builtWith}</span>
      {children !== undefined && (
        <span className="valet-footer-extra">
          <HostContent>{children}</HostContent>
        </span>
      )}
    </footer>
  );
}
