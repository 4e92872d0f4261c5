"use client";
import { type ReactNode, useMemo, useRef } from "react";
import { AgentChat, type AgentChatProps } from "./agent-chat.tsx";
import { useAgentContext } from "./agent-context.ts";
import { useEarlyEffect } from "./use-early-effect.ts";
import { useStyleProperties } from "./use-style-properties.ts";

/** Props of {@link AgentPanel}. */
export interface AgentPanelProps extends Omit<AgentChatProps, "onClose"> {
  readonly open: boolean;
  readonly onClose: () => void;
  /** In pixels; never wider than the window. @default 476 */
  readonly width?: number;
  /** Where it begins, for pages with a bar at their top. @default 0 */
  readonly top?: number | string;
}

/** The chat in a drawer that slides in from the side. Closing it keeps the conversation. */
export function AgentPanel({
  open,
  onClose,
  width = 476,
  top = 0,
  ...chat
}: AgentPanelProps): ReactNode {
  const { agent, emit, dir } = useAgentContext();
  const panel = useRef<HTMLElement>(null);
  useStyleProperties(
    panel,
    useMemo(
      () => ({ width: `min(${width}px, 100vw)`, top: typeof top === "number" ? `${top}px` : top }),
      [width, top],
    ),
  );
  const opener = useRef<Element | null>(null);
  const wasOpen = useRef(false);

  // Before effects that hide what opened it, with which the focus would go.
  useEarlyEffect(() => {
    // As a property: what React makes of the attribute differs between its versions.
    if (panel.current) panel.current.inert = !open;
    if (open === wasOpen.current) return;
    wasOpen.current = open;
    const type = open ? "panel_opened" : "panel_closed";
    emit({ type, data: { threadId: agent.getThreadId() } });
    if (open) {
      // Within a shadow root the document knows only the host.
      const root = panel.current?.getRootNode() as Document | ShadowRoot | undefined;
      opener.current = root?.activeElement ?? document.activeElement;
      panel.current?.querySelector("textarea")?.focus();
    } else if (opener.current instanceof HTMLElement) opener.current.focus();
  }, [open, agent, emit]);

  return (
    <aside
      ref={panel}
      className="valet-panel"
      dir={dir}
      data-open={open}
      aria-hidden={!open}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <AgentChat {...chat} onClose={onClose} />
    </aside>
  );
}
