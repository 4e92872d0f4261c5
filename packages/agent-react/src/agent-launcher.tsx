"use client";
import { type ReactNode, useState } from "react";
import { AgentPanel, type AgentPanelProps } from "./agent-panel.tsx";
import { ChatIcon } from "./icons.tsx";
import { useLabels } from "./use-labels.ts";
import { ValetRoot } from "./valet-root.tsx";

/** Props of {@link AgentLauncher}: those of the panel that it opens, and its own. */
export interface AgentLauncherProps extends Omit<AgentPanelProps, "open" | "onClose"> {
  /** What the button says. @default "Ask the assistant" */
  readonly label?: string;
  /** @default closed */
  readonly defaultOpen?: boolean;
  /** Whether the panel is open, where the page wants to say so itself. */
  readonly open?: boolean;
  /** Told when the button or the panel wants it to be open or closed. */
  readonly onOpenChange?: (open: boolean) => void;
}

/** A button in the corner of the page that opens the panel. All that a page needs to have the chat. */
export function AgentLauncher({
  label,
  defaultOpen = false,
  open,
  onOpenChange,
  ...panel
}: AgentLauncherProps): ReactNode {
  const labels = useLabels();
  const [isOpenItself, setIsOpenItself] = useState(defaultOpen);
  const isOpen = open ?? isOpenItself;
  const setIsOpen = (wanted: boolean): void => {
    setIsOpenItself(wanted);
    onOpenChange?.(wanted);
  };
  return (
    <>
      <ValetRoot className="valet-launcher">
        <button
          type="button"
          className="valet-button valet-button-primary valet-launcher-button"
          aria-expanded={isOpen}
          onClick={() => setIsOpen(true)}
        >
          <ChatIcon />
          {label ?? labels.openChat}
        </button>
      </ValetRoot>
      <AgentPanel {...panel} open={isOpen} onClose={() => setIsOpen(false)} />
    </>
  );
}
