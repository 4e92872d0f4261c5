"use client";
import type { ToolCallDisplay } from "@valet/agent-core";
import type { ReactNode } from "react";
import { useAgentContext } from "./agent-context.ts";
import { HostContent } from "./host-content.tsx";
import { SearchIcon, ToolIcon } from "./icons.tsx";
import type { Labels } from "./translation.ts";
import { useLabels } from "./use-labels.ts";

/** Props of {@link ToolCallCard}. */
export interface ToolCallCardProps {
  readonly toolCall: ToolCallDisplay;
  readonly onApprove: (id: string) => void;
  readonly onReject: (id: string) => void;
}

const searchTool = "search_knowledge_base";

/** One call of a tool: what it is, where it stands, and the two buttons while it waits for a person. */
export function ToolCallCard({ toolCall, onApprove, onReject }: ToolCallCardProps): ReactNode {
  const labels = useLabels();
  const { toolsByName, builtinToolMeta } = useAgentContext();
  const { id, name, status, result, error } = toolCall;
  const tool = toolsByName.get(name);
  const custom = tool?.render?.({
    status,
    args: toolCall.arguments,
    result,
    error,
    onApprove: () => onApprove(id),
    onReject: () => onReject(id),
  });
  if (custom !== undefined && custom !== null) return <HostContent>{custom}</HostContent>;

  const meta = tool ?? builtinToolMeta[name];
  const Icon = meta?.icon;
  const isSearch = name === searchTool;
  const isOver = status === "completed";
  const builtin = isOver ? labels.searched : labels.searching;
  const title = meta?.displayName ?? toolCall.displayName ?? (isSearch ? builtin : name);
  const isWaiting = status === "approval_requested";
  return (
    <div className="valet-tool" data-status={status}>
      <div className="valet-tool-head">
        <span className="valet-tool-icon">
          {Icon ? (
            <Icon size={16} {...(meta?.iconColor !== undefined && { color: meta.iconColor })} />
          ) : isSearch ? (
            <SearchIcon />
          ) : (
            <ToolIcon />
          )}
        </span>
        <span className="valet-tool-title">
          {title}
          {isWaiting && <span className="valet-tool-asks"> {labels.asksApproval}</span>}
        </span>
        <span className="valet-tool-status">
          {labels.toolStatus[status]}
          {isOver &&
            toolCall.durationMs !== undefined &&
            ` · ${formatDuration(labels, toolCall.durationMs)}`}
        </span>
      </div>
      {status === "error" && error !== undefined && <p className="valet-tool-error">{error}</p>}
      {isWaiting && (
        <>
          <Json title={labels.arguments} value={toolCall.arguments} />
          <div className="valet-tool-actions">
            <button type="button" className="valet-button" onClick={() => onReject(id)}>
              {labels.deny}
            </button>
            <button
              type="button"
              className="valet-button valet-button-primary"
              onClick={() => onApprove(id)}
            >
              {labels.allow}
            </button>
          </div>
        </>
      )}
      {!isWaiting && !isSearch && (
        <details className="valet-tool-details">
          <summary>{labels.details}</summary>
          <Json title={labels.arguments} value={toolCall.arguments} />
          {result !== undefined && <Json title={labels.result} value={result} />}
        </details>
      )}
    </div>
  );
}

/** Calls that were made together. */
export function ToolCallGroup({ children }: { readonly children?: ReactNode }): ReactNode {
  return <div className="valet-tools">{children}</div>;
}

function Json({ title, value }: { readonly title: string; readonly value: unknown }): ReactNode {
  return (
    <>
      <p className="valet-tool-label">{title}</p>
      <pre className="valet-tool-json">{JSON.stringify(value, null, 2)}</pre>
    </>
  );
}

function formatDuration(labels: Labels, ms: number): string {
  return ms < 1_000
    ? labels.durationMs({ count: Math.max(1, Math.round(ms)) })
    : labels.durationSeconds({ count: ms / 1_000 });
}
