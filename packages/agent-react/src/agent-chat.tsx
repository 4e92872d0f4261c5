"use client";
import { type ReactNode, useMemo, useState } from "react";
import { useAgentContext } from "./agent-context.ts";
import { AgentFooter } from "./agent-footer.tsx";
import { AgentInput } from "./agent-input.tsx";
import { AgentThreadHistory } from "./agent-thread-history.tsx";
import { downloadConversation } from "./download-conversation.ts";
import { ExamplePrompts } from "./example-prompts.tsx";
import { FaultBoundary } from "./fault-boundary.tsx";
import { HostContent } from "./host-content.tsx";
import { CloseIcon, DownloadIcon, HistoryIcon, NewIcon } from "./icons.tsx";
import { LiveStatus } from "./live-status.tsx";
import { MessageList } from "./message-list.tsx";
import { OfflineNote } from "./offline-note.tsx";
import { warnOfUnknownProps } from "./unknown-props.ts";
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
  /** Whether the footer says what the chat is built with. @default true */
  readonly attribution?: boolean;
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

/**
 * The whole chat. Fills its parent, which needs a height. A fault in it shows in its own place, and
 * never takes the page around down.
 */
export function AgentChat(props: AgentChatProps): ReactNode {
  warnOfUnknownProps("AgentChat", props, chatProps);
  warnOfUnknownProps("AgentChat branding", props.branding ?? {}, brandingProps);
  return (
    <FaultBoundary fallback={(retry) => <ChatFault onRetry={retry} onClose={props.onClose} />}>
      <Chat {...props} />
    </FaultBoundary>
  );
}

const chatProps = ["branding", "onClose", "headerActions", "maxContentWidth"];
const brandingProps = [
  "title",
  "subtitle",
  "description",
  "examplePrompts",
  "inputPlaceholder",
  "footerExtra",
  "attribution",
];

/** Stands where the chat was. Uses nothing that may have failed itself. */
function ChatFault({
  onRetry,
  onClose,
}: {
  readonly onRetry: () => void;
  readonly onClose: (() => void) | undefined;
}): ReactNode {
  const labels = useLabels();
  return (
    <div className="valet-root valet-chat">
      <div className="valet-note" role="alert">
        <p>{labels.chatFailed}</p>
        <button type="button" className="valet-button" onClick={onRetry}>
          {labels.retry}
        </button>
        {onClose && (
          <button type="button" className="valet-button" onClick={onClose}>
            {labels.close}
          </button>
        )}
      </div>
    </div>
  );
}

function Chat({
  branding = {},
  onClose,
  headerActions,
  maxContentWidth = 820,
}: AgentChatProps): ReactNode {
  const labels = useLabels();
  const { messages, resetConversation, sendMessage, historyDisabled } = useAgentChat();
  const { emit } = useAgentContext();
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
            <>
              <HeaderButton
                label={labels.download}
                onClick={() => downloadConversation(messages, labels)}
              >
                <DownloadIcon />
              </HeaderButton>
              <HeaderButton label={labels.newConversation} onClick={resetConversation}>
                <NewIcon />
              </HeaderButton>
            </>
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
              onSelect={(prompt) => {
                emit({ type: "suggestion_clicked", data: {} });
                void sendMessage(prompt);
              }}
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
          <AgentFooter branding={branding} />
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
