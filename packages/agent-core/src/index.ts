export { Agent } from "./agent.ts";
export {
  AgentError,
  type AgentErrorOptions,
  HistoryDisabledError,
  SessionWithoutOwnerError,
  ThreadNotFoundError,
} from "./agent-error.ts";
export type {
  AgentEvent,
  AgentOptions,
  EndUserInfo,
  OnAgentEvent,
  ToolDisplayMeta,
} from "./agent-options.ts";
export type { AgentSnapshot, AgentStatus, AuthState, QueuedMessage } from "./agent-snapshot.ts";
export type { AgentFailure } from "./failure.ts";
export type { Clock, TokenLease } from "./lease.ts";
export type {
  ContentBlock,
  ConversationMessage,
  MessageSource,
  ToolCallDisplay,
  ToolCallStatus,
} from "./messages.ts";
export { SessionEndpointError, sessionEndpoint } from "./session-endpoint.ts";
export type { SessionTokenResult } from "./session-reply.ts";
export {
  createSessionTokenManager,
  type GetSessionToken,
  type GetSessionTokenContext,
  type SendContext,
  type SessionTokenManager,
  type SessionTokenManagerOptions,
  type SessionTokenSnapshot,
  type SessionTokenState,
  type Timers,
  type TokenEvent,
  type WithTokenOptions,
} from "./session-tokens.ts";
export type { ListedThread, ThreadPage, ThreadPageOptions } from "./thread-history.ts";
export {
  isTokenError,
  StopRefreshing,
  TokenError,
  type TokenErrorCode,
  type TokenErrorOptions,
} from "./token-error.ts";
export {
  type AnyTool,
  createToolHelper,
  type JsonSchema,
  type ToolDefinition,
  type ToolExecution,
  type ToolParameters,
} from "./tools.ts";
