"use client";
import type { ToolCallDisplay } from "@valet/agent-core";
import { Children, type ReactNode, useState } from "react";
import { type ToolRenderProps, useAgentContext } from "./agent-context.ts";
import { ArgumentsForm } from "./arguments-form.tsx";
import { FaultBoundary } from "./fault-boundary.tsx";
import { HostContent } from "./host-content.tsx";
import { SearchIcon, ToolIcon } from "./icons.tsx";
import type { Labels } from "./translation.ts";
import { useLabels } from "./use-labels.ts";
import { isObject, ValueView } from "./value-view.tsx";

/** Props of {@link ToolCallCard}. */
export interface ToolCallCardProps {
  readonly toolCall: ToolCallDisplay;
  readonly onApprove: (id: string) => void;
  readonly onReject: (id: string) => void;
}

const searchTool = "search_knowledge_base";

/** One call of a tool: what it is, where it stands, and the two buttons while it waits for a person. */
export function ToolCallCard(props: ToolCallCardProps): ReactNode {
  const { toolsByName } = useAgentContext();
  const { toolCall, onApprove, onReject } = props;
  const { id, name, status, result, error } = toolCall;
  const render = toolsByName.get(name)?.render;
  const card = <Card {...props} />;
  if (!render) return card;
  return (
    // The page's own drawing may fail; the person still sees the call, and can decide it.
    <FaultBoundary fallback={() => card} resetKey={toolCall}>
      <CustomCard
        render={render}
        call={{
          status,
          args: toolCall.arguments,
          result,
          error,
          onApprove: () => onApprove(id),
          onReject: () => onReject(id),
        }}
        fallback={card}
      />
    </FaultBoundary>
  );
}

/** What a tool draws itself, unless it leaves this status to the card. */
function CustomCard({
  render,
  call,
  fallback,
}: {
  readonly render: (props: ToolRenderProps) => ReactNode;
  readonly call: ToolRenderProps;
  readonly fallback: ReactNode;
}): ReactNode {
  const drawn = render(call);
  if (drawn === undefined || drawn === null) return fallback;
  return <HostContent>{drawn}</HostContent>;
}

function Card({ toolCall, onApprove, onReject }: ToolCallCardProps): ReactNode {
  const { toolsByName, builtinToolMeta } = useAgentContext();
  const labels = useLabels();
  const { name, status, result, error, sources = [] } = toolCall;
  const meta = toolsByName.get(name) ?? builtinToolMeta[name];
  const Icon = meta?.icon;
  const isSearch = name === searchTool;
  const builtin = status === "completed" ? labels.searched : labels.searching;
  const title = meta?.displayName ?? toolCall.displayName ?? (isSearch ? builtin : name);
  const isWaiting = status === "approval_requested";
  const query = isSearch ? readQuery(toolCall.arguments) : undefined;
  return (
    <section className="valet-tool" data-status={status} aria-label={title}>
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
          {query !== undefined && <bdi className="valet-tool-query">{query}</bdi>}
        </span>
        <span className="valet-tool-status">{describe(toolCall, labels)}</span>
      </div>
      {status === "error" && error !== undefined && <p className="valet-tool-error">{error}</p>}
      {isWaiting ? (
        <Approval toolCall={toolCall} title={title} onApprove={onApprove} onReject={onReject} />
      ) : (
        !(isSearch && sources.length > 0) && (
          <details className="valet-tool-details">
            <summary>{labels.details}</summary>
            <ValueView title={labels.arguments} value={toolCall.arguments} />
            {result !== undefined && <ValueView title={labels.result} value={result} />}
          </details>
        )
      )}
    </section>
  );
}

/** What would be done, and the person's word on it. */
function Approval({
  toolCall,
  title,
  onApprove,
  onReject,
}: ToolCallCardProps & { readonly title: string }): ReactNode {
  const labels = useLabels();
  const { agent } = useAgentContext();
  const [isEditing, setIsEditing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { id, arguments: value } = toolCall;

  if (isEditing && isObject(value)) {
    return (
      <ArgumentsForm
        value={value}
        label={`${labels.editArguments}: ${title}`}
        problem={problem}
        onReject={() => onReject(id)}
        onApprove={(editedInput) => {
          agent
            .approveToolCall(id, { editedInput })
            .catch((thrown: Error) => setProblem(thrown.message));
        }}
      />
    );
  }
  return (
    <>
      <ValueView title={labels.arguments} value={value} />
      <div className="valet-tool-actions">
        {toolCall.isEditable === true && isObject(value) && (
          <button
            type="button"
            className="valet-button valet-button-quiet"
            onClick={() => setIsEditing(true)}
          >
            {labels.editArguments}
          </button>
        )}
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
  );
}

/** Calls that were made together; more than one are named as a group. */
export function ToolCallGroup({ children }: { readonly children?: ReactNode }): ReactNode {
  const labels = useLabels();
  const count = Children.count(children);
  if (count < 2) return <div className="valet-tools">{children}</div>;
  const label = labels.parallelCalls({ count });
  return (
    <fieldset className="valet-tools valet-tools-group">
      <legend className="valet-tools-title">{label}</legend>
      {children}
    </fieldset>
  );
}

/** Where a call stands, and how much or how long it was. */
function describe({ status, durationMs, sources = [] }: ToolCallDisplay, labels: Labels): string {
  const hasRun = status === "completed" || status === "error";
  return [
    sources.length > 0 && labels.passagesFound({ count: sources.length }),
    // What waits for the person says so in its title.
    status !== "approval_requested" &&
      (sources.length === 0 || status !== "completed") &&
      labels.toolStatus[status],
    hasRun && durationMs !== undefined && formatDuration(durationMs, labels),
  ]
    .filter((part) => part !== false)
    .join(" · ");
}

function readQuery(value: unknown): string | undefined {
  const query = isObject(value) ? value.query : undefined;
  return typeof query === "string" && query !== "" ? query : undefined;
}

function formatDuration(ms: number, labels: Labels): string {
  return ms < 1_000
    ? labels.durationMs({ count: Math.max(1, Math.round(ms)) })
    : labels.durationSeconds({ count: Math.round(ms / 100) / 10 });
}
