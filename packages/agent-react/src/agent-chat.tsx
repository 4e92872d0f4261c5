"use client";
import { type ReactNode, useMemo, useState } from "react";
import { AgentFooter } from "./agent-footer.tsx";
import { AgentInput } from "./agent-input.tsx";
import { AgentThreadHistory } from "./agent-thread-history.tsx";
import { ExamplePrompts } from "./example-prompts.tsx";
import { HostContent } from "./host-content.tsx";
import { CloseIcon, HistoryIcon, NewIcon } from "./icons.tsx";
import { LiveStatus } from "./live-status.tsx";
import { MessageList } from "./message-list.tsx";
import { OfflineNote } from "./offline-note.tsx";
import { useAgentChat } from "./use-agent-chat.ts";
import { useLabels } from "./use-labels.ts";
import { ValetRoot } from "./valet-root.tsx";

/** What the chat calls itself and begins with. */
export interface AgentChatBranding {
  /** @default "AI Assistant" */
  readonly title?: ReactNode;
  /** Heading of the empty chat. @default "What can I help with?" */
  readonly subtitle?: string;
  /** Stands below it. */
  readonly description?: string;
  /** Questions to begin with. @default none */
  readonly examplePrompts?: readonly string[];
  /** @default "Ask a question" */
  readonly inputPlaceholder?: string;
  /** Stands at the end of the footer. */
  readonly footerExtra?: ReactNode;
}

/** Props of {@link AgentChat}. */
export interface AgentChatProps {
  readonly branding?: AgentChatBranding;
  /** Given, there is a button that closes the chat. */
  readonly onClose?: () => void;
  /** Stands before that button. */
  readonly headerActions?: ReactNode;
  /** In pixels; 0 lets the text run over the whole width. @default 820 */
  readonly maxContentWidth?: number;
}

/** The whole chat. Fills its parent, which needs a height. */
export function AgentChat({
  branding = {},
  onClose,
  headerActions,
  maxContentWidth = 820,
}: AgentChatProps): ReactNode {
  const labels = useLabels();
  const { messages, resetConversation, sendMessage, historyDisabled } = useAgentChat();
  const [showsHistory, setShowsHistory] = useState(false);
  const { title = labels.title, subtitle = labels.subtitle, description } = branding;
  const variables = useMemo(
    () => ({ "--valet-content-width": maxContentWidth === 0 ? "none" : `${maxContentWidth}px` }),
    [maxContentWidth],
  );
  return (
    <ValetRoot className="valet-chat" variables={variables}>
      <header className="valet-header">
        <div className="valet-title">
          <HostContent>{title}</HostContent>
        </div>
        <div className="valet-header-actions">
          <HostContent>{headerActions}</HostContent>
          {messages.length > 0 && (
            <HeaderButton label={labels.newConversation} onClick={resetConversation}>
              <NewIcon />
            </HeaderButton>
          )}
          {!historyDisabled && (
            <HeaderButton
              label={showsHistory ? labels.backToChat : labels.history}
              isPressed={showsHistory}
              onClick={() => setShowsHistory(!showsHistory)}
            >
              <HistoryIcon />
            </HeaderButton>
          )}
          {onClose && (
            <HeaderButton label={labels.close} onClick={onClose}>
              <CloseIcon />
            </HeaderButton>
          )}
        </div>
      </header>
      {showsHistory ? (
        <AgentThreadHistory onThreadSelected={() => setShowsHistory(false)} />
      ) : (
        <MessageList>
          <div className="valet-empty">
            <h2 className="valet-empty-title">{subtitle}</h2>
            {description !== undefined && <p className="valet-empty-text">{description}</p>}
            <ExamplePrompts
              prompts={branding.examplePrompts ?? []}
              onSelect={(prompt) => void sendMessage(prompt)}
            />
          </div>
        </MessageList>
      )}
      <div className="valet-composer">
        <div className="valet-column">
          <OfflineNote />
          {!showsHistory && (
            <AgentInput
              {...(branding.inputPlaceholder !== undefined && {
                placeholder: branding.inputPlaceholder,
              })}
            />
          )}
          <AgentFooter>{branding.footerExtra}</AgentFooter>
        </div>
      </div>
      <LiveStatus />
    </ValetRoot>
  );
}

function HeaderButton({
  label,
  isPressed,
  onClick,
  children,
}: {
  readonly label: string;
  readonly isPressed?: boolean;
  readonly onClick: () => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <button
      type="button"
      className="valet-icon-button"
      aria-label={label}
      aria-pressed={isPressed}
      title={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
