export {
  type ApprovalDecision,
  type ChatRequest,
  type ClientToolDeclaration,
  type FeedbackRequest,
  type MessageFeedback,
  maxQuestionBytes,
  type Source,
  type StoredMessage,
  type StoredThread,
  type StoredToolCall,
  type TextPart,
  type ThreadList,
  type ThreadSummary,
  type ToolCallState,
  type ToolOutput,
  type UserMessage,
} from "./chat.ts";
export { type ErrorCode, type ErrorCodeEntry, errorCodes, isErrorCode } from "./error-codes.ts";
export {
  createEventStreamDecoder,
  doneData,
  type EventStreamDecoder,
  encodeEvent,
  heartbeat,
  parseEventId,
  type StreamEvent,
} from "./event-stream.ts";
export { createProblem, type Problem, type ProblemDetails, parseProblem } from "./problem.ts";
export {
  agentPath,
  type SessionRate,
  type SessionReply,
  type SessionRequest,
  type SessionStatus,
} from "./sessions.ts";
export { type FinishReason, isTerminal, type StreamPart } from "./stream-parts.ts";
