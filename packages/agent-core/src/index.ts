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
  EventPlace,
  OnAgentEvent,
  ToolDisplayMeta,
} from "./agent-options.ts";
export type { AgentSnapshot, AgentStatus, AuthState, QueuedMessage } from "./agent-snapshot.ts";
export type { AgentFailure } from "./failure.ts";
export type {
  AnswerMessage,
  ContentBlock,
  ConversationMessage,
  MessageSource,
  QuestionMessage,
  ToolCallDisplay,
  ToolCallStatus,
} from "./messages.ts";
export type { Clock, TokenLease } from "./session-tokens/lease.ts";
export { SessionEndpointError, sessionEndpoint } from "./session-tokens/session-endpoint.ts";
export type { LifeSource, SessionTokenResult } from "./session-tokens/session-reply.ts";
export { createSessionTokenManager } from "./session-tokens/session-token-manager.ts";
export {
  isTokenError,
  StopRefreshing,
  TokenError,
  type TokenErrorCode,
  type TokenErrorOptions,
} from "./session-tokens/token-error.ts";
export type {
  GetSessionToken,
  GetSessionTokenContext,
  GetTokenOptions,
  SendContext,
  SendWithToken,
  SessionTokenManager,
  SessionTokenManagerOptions,
  SessionTokenSnapshot,
  SessionTokenState,
  Timers,
  TokenEvent,
  TokenReason,
  WithTokenOptions,
} from "./session-tokens/types.ts";
export type { ListedThread, ThreadPage, ThreadPageOptions } from "./thread-history.ts";
export {
  type AnyTool,
  createToolHelper,
  type JsonSchema,
  type ToolArguments,
  type ToolDefinition,
  type ToolExecution,
  type ToolParameters,
  type Zod3Schema,
} from "./tools.ts";
