import { type ApprovalDecision, maxQuestionBytes, type ToolOutput } from "@valet/protocol";
import { z } from "zod";
import { ProblemError } from "../http/problem-answer.ts";
import type { Turn } from "./turns.ts";

/** The most bytes of a chat request. */
export const maxChatBytes = 256 * 1024;

const messageId = z.string().min(1).max(128);

/** A foreign client sends its whole history, with parts and fields that are its own affair. */
const historyMessage = z.looseObject({
  id: messageId.optional(),
  role: z.string(),
  parts: z.array(z.looseObject({ type: z.string() })).optional(),
});

const toolOutput = z
  .strictObject({
    toolCallId: z.string().min(1).max(128),
    output: z.unknown().optional(),
    errorText: z.string().max(8_192).optional(),
    denied: z.boolean().optional(),
    reason: z.string().max(2_048).optional(),
  })
  .refine(
    ({ output, errorText, denied }) =>
      [output !== undefined, errorText !== undefined, denied === true].filter(Boolean).length <= 1,
    "Give one of `output`, `errorText` and `denied`.",
  );

const approval = z
  .strictObject({
    approvalId: z.string().min(1).max(128),
    approved: z.boolean(),
    editedInput: z.unknown().optional(),
    reason: z.string().max(2_048).optional(),
  })
  .refine(
    ({ approved, editedInput }) => approved || editedInput === undefined,
    "Give `editedInput` only with `approved`.",
  );

const toolDeclaration = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "Use 1 to 64 of A-Z a-z 0-9 _ -."),
  description: z.string().max(8_192),
  inputSchema: z
    .record(z.string(), z.unknown())
    .refine(({ type }) => type === undefined || type === "object", "Its type must be object."),
  needsApproval: z.boolean().optional(),
});

/** The body of `POST .../chat/`. */
export const chatRequest = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9._~:-]{1,128}$/, "Use 1 to 128 of A-Z a-z 0-9 . _ ~ : -.")
    .optional(),
  trigger: z.enum(["submit-message", "regenerate-message"]).optional(),
  /** The last answer, to be written anew; or the question that the new one takes the place of. */
  messageId: messageId.optional(),
  messages: z.array(historyMessage).max(2_000).optional(),
  toolOutputs: z.array(toolOutput).max(64).optional(),
  approvals: z
    .array(approval)
    .max(64)
    .refine(
      (all) => new Set(all.map(({ approvalId }) => approvalId)).size === all.length,
      "Decide each call once.",
    )
    .optional(),
  tools: z.array(toolDeclaration).max(128).optional(),
  integrationId: z.string().min(1).max(128).optional(),
  model: z.string().min(1).max(128).optional(),
  customInstructions: z.string().max(32_768).optional(),
  sourceGroupIdsInclude: z.array(z.string().max(128)).max(64).optional(),
  user: z
    .record(z.string(), z.unknown())
    .refine((user) => JSON.stringify(user).length <= 4_096, "Use at most 4,096 characters.")
    .optional(),
  locale: z
    .string()
    .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}$/, "Use a BCP 47 tag.")
    .optional(),
});

/** A chat request whose shape is right. */
export type ChatInput = z.output<typeof chatRequest>;

/**
 * What a request asks for. Answers to calls go before a question: with them, `messages` is only
 * history.
 *
 * @throws {@link ProblemError} `invalid_request` for a question that is missing, empty or too long.
 */
export function readTurn(input: ChatInput, newMessageId: () => string): Turn {
  const { trigger, toolOutputs = [], approvals = [], messages = [] } = input;
  const named = input.messageId === undefined ? {} : { messageId: input.messageId };
  if (trigger === "regenerate-message") return { kind: "regenerate", ...named };
  if (toolOutputs.length > 0 || approvals.length > 0) {
    return {
      kind: "replies",
      outputs: toolOutputs.map(toToolOutput),
      approvals: approvals.map(toApproval),
      fromHistory: false,
    };
  }
  const last = messages.at(-1);
  if (last?.role === "assistant") {
    return {
      kind: "replies",
      outputs: readOutputs(last),
      approvals: readApprovals(last),
      fromHistory: true,
    };
  }
  const question = messages.filter(({ role }) => role === "user").at(-1);
  const text = (question?.parts ?? [])
    .map(({ type, text: words }) => (type === "text" && typeof words === "string" ? words : ""))
    .join("");
  if (text.trim() === "") throw questionProblem("Send a user message with some text.");
  if (Buffer.byteLength(text) > maxQuestionBytes) {
    throw questionProblem(`A question has at most ${maxQuestionBytes} bytes.`);
  }
  return {
    kind: "question",
    messageId: question?.id ?? newMessageId(),
    text,
    ...(input.messageId !== undefined && { replaces: input.messageId }),
  };
}

/** Whether a request brings only answers to calls, so that {@link readTurn} finds no new question. */
export function isContinuation({
  trigger,
  toolOutputs = [],
  approvals = [],
  messages = [],
}: ChatInput): boolean {
  if (trigger === "regenerate-message") return false;
  if (toolOutputs.length > 0 || approvals.length > 0) return true;
  return messages.at(-1)?.role === "assistant";
}

/** The outputs that the AI SDK's clients write into the message that the calls stand in. */
function readOutputs({ parts = [] }: z.output<typeof historyMessage>): ToolOutput[] {
  return parts.flatMap((part): ToolOutput[] => {
    const { toolCallId, state, output, errorText } = part;
    if (typeof toolCallId !== "string") return [];
    if (state === "output-available") return [{ toolCallId, output: output ?? null }];
    if (state !== "output-error") return [];
    const why = typeof errorText === "string" ? errorText : "The tool failed.";
    return [{ toolCallId, errorText: why.slice(0, 8_192) }];
  });
}

const historyApproval = z.object({
  id: z.string().min(1).max(128),
  approved: z.boolean(),
  reason: z.string().optional(),
});

/**
 * The decisions that the AI SDK's clients write into the message that the calls stand in. Whatever
 * else such a part says, its arguments above all, is not looked at.
 */
function readApprovals({ parts = [] }: z.output<typeof historyMessage>): ApprovalDecision[] {
  const seen = new Set<string>();
  return parts.flatMap((part): ApprovalDecision[] => {
    const { data } = historyApproval.safeParse(part.approval);
    if (!data || seen.has(data.id)) return [];
    seen.add(data.id);
    const { id: approvalId, approved, reason } = data;
    return [
      { approvalId, approved, ...(reason === undefined ? {} : { reason: reason.slice(0, 2_048) }) },
    ];
  });
}

function toApproval({
  approvalId,
  approved,
  editedInput,
  reason,
}: z.output<typeof approval>): ApprovalDecision {
  return {
    approvalId,
    approved,
    ...(editedInput === undefined ? {} : { editedInput }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function toToolOutput({
  toolCallId,
  output,
  errorText,
  denied,
  reason,
}: z.output<typeof toolOutput>): ToolOutput {
  if (denied) return { toolCallId, denied, ...(reason === undefined ? {} : { reason }) };
  if (errorText !== undefined) return { toolCallId, errorText };
  // A tool that gives nothing has no `output` left once its answer was written as JSON.
  return { toolCallId, output: output ?? null };
}

function questionProblem(what: string): ProblemError {
  return new ProblemError("invalid_request", { field: "messages", detail: `messages: ${what}` });
}
