export {
  type AgentEvent,
  type AgentOptions,
  type ContentBlock,
  type ConversationMessage,
  type EndUserInfo,
  HistoryDisabledError,
  type MessageSource,
  type OnAgentEvent,
  SessionWithoutOwnerError,
  sessionEndpoint,
  ThreadNotFoundError,
  type ToolCallDisplay,
  type ToolCallStatus,
  type ToolDefinition,
} from "@valet/agent-core";
export { AgentChat, type AgentChatBranding, type AgentChatProps } from "./agent-chat.tsx";
export type {
  AgentTool,
  BuiltinToolMeta,
  BuiltinToolMeta as ToolDisplayMeta,
  ToolIcon,
  ToolLook,
  ToolRenderProps,
} from "./agent-context.ts";
export { AgentFooter, type AgentFooterProps } from "./agent-footer.tsx";
export { AgentInput, type AgentInputProps } from "./agent-input.tsx";
export { AgentLauncher, type AgentLauncherProps } from "./agent-launcher.tsx";
export { AgentMessageBubble, type AgentMessageBubbleProps } from "./agent-message-bubble.tsx";
export { AgentPanel, type AgentPanelProps } from "./agent-panel.tsx";
export { AgentProvider, type AgentProviderProps } from "./agent-provider.tsx";
export { AgentThreadHistory, type AgentThreadHistoryProps } from "./agent-thread-history.tsx";
export { createToolHelper } from "./create-tool-helper.ts";
export { conversationToMarkdown } from "./download-conversation.ts";
export { ExamplePrompts, type ExamplePromptsProps } from "./example-prompts.tsx";
export { useAgentStatus, useMessage, useMessageIds, usePendingApprovals } from "./selectors.ts";
export { SourceTiles, type SourceTilesProps, type TileSource } from "./source-tiles.tsx";
export {
  type AgentColorScheme,
  type AgentThemeConfig,
  type ResolvedTheme,
  resolveTheme,
} from "./theme.ts";
export { ToolCallCard, type ToolCallCardProps, ToolCallGroup } from "./tool-call-card.tsx";
export {
  type AgentTexts,
  type AgentTranslation,
  english,
  type PluralText,
} from "./translation.ts";
export { type AgentChatState, useAgentChat } from "./use-agent-chat.ts";
export { type AgentColorSchemeState, useAgentColorScheme } from "./use-agent-color-scheme.ts";
