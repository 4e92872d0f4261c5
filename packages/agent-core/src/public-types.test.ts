import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  Agent,
  AgentError,
  type AgentEvent,
  type AgentOptions,
  type ContentBlock,
  type ConversationMessage,
  createToolHelper,
  type EndUserInfo,
  HistoryDisabledError,
  type OnAgentEvent,
  SessionWithoutOwnerError,
  ThreadNotFoundError,
  type ToolCallDisplay,
  type ToolDefinition,
  type ToolDisplayMeta,
} from "./index.ts";

// What stands here is checked by the compiler: an app in the words of the SDK that this one takes
// the place of. Nothing in it may need a change but the package's name.

interface AppContext {
  readonly navigate: (path: string) => void;
}

const tool = createToolHelper<AppContext>();

const openPage = tool({
  name: "open_page",
  description: "Opens a page.",
  displayName: "Open a page",
  parameters: z.object({ path: z.string(), tab: z.string().optional() }),
  needsApproval: true,
  execute: async ({ path, tab }, { navigate }) => {
    navigate(tab === undefined ? path : `${path}#${tab}`);
    return { opened: path };
  },
});

/** Without the helper, and with raw JSON Schema. */
const addLine: ToolDefinition = {
  name: "add_line",
  description: "Adds a line.",
  parameters: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  execute: async (args) => ({ length: args.text.length as number }),
};

/** State as an app keeps it: plain arrays, set by what the SDK hands out. */
let shown: ConversationMessage[] = [];
const setMessages = (messages: ConversationMessage[]): void => {
  shown = messages;
};

/** Draws as an app without components does. */
function draw(message: ConversationMessage): string {
  if (message.role === "user") return message.content;
  if (message.isError) return `failed: ${message.content}`;
  return message.blocks.map(drawBlock).join("");
}

function drawLoosely(message: ConversationMessage): string {
  return message.blocks?.map(drawBlock).join("") ?? message.content;
}

function drawBlock(block: ContentBlock): string {
  if (block.type === "text") return block.content;
  return drawCalls(block.toolCalls);
}

function drawCalls(calls: ToolCallDisplay[]): string {
  return calls
    .map(
      ({ id, name, displayName, status, arguments: args, result, error, durationMs, sources }) => {
        const links = (sources ?? []).map(
          ({ title, sourceUrl, sourceType, sourceVisibility }) =>
            `${title} ${sourceUrl} ${sourceType} ${sourceVisibility}`,
        );
        const given = Object.entries(args).map(([key, value]) => `${key}=${String(value)}`);
        return [id, displayName ?? name, status, given, String(result), error, durationMs, links];
      },
    )
    .join();
}

const onEvent: OnAgentEvent = (event) => {
  switch (event.type) {
    case "response_completed":
      return void [event.data.threadId, event.data.toolCallCount.toFixed()];
    case "response_error":
      return void [event.data.threadId, event.data.error.toUpperCase()];
    case "tool_executed":
      return void [event.data.toolName, event.data.status, event.data.durationMs.toFixed()];
    case "tool_approved":
    case "tool_denied":
      return void event.data.toolName.length;
    case "thread_resumed":
    case "thread_deleted":
      return void event.data.threadId.length;
    case "message_sent":
    case "generation_stopped":
    case "conversation_reset":
    case "panel_opened":
    case "panel_closed":
      return;
    default:
  }
};

const user: EndUserInfo = { email: "a@example.com", name: "A", unique_client_id: "1" };
const meta: Record<string, ToolDisplayMeta> = { search_knowledge_base: { displayName: "Docs" } };

function openApp(): Agent<AppContext> {
  const options: AgentOptions<AppContext> = {
    projectId: "prj_1",
    integrationId: "int_1",
    model: "kapa-agent-1.0",
    getSessionToken: async () => {
      const res = await fetch("/api/session", { method: "POST" });
      return res.json();
    },
    tools: [openPage, addLine],
    context: { navigate: () => undefined },
    onMessagesChange: setMessages,
    onStreamingChange: (isStreaming: boolean) => void isStreaming,
    onEvent,
    customInstructions: "Be brief.",
    user,
    builtinToolMeta: meta,
    sourceGroupIdsInclude: ["group"],
    enableHistory: true,
  };
  return new Agent<AppContext>(options);
}

/** Never run: it is there to be compiled. */
async function useApp(agent: Agent<AppContext>): Promise<unknown> {
  await agent.sendMessage("Hello").catch((error: unknown) => error);
  agent.stopGeneration();
  agent.approveToolCall("call_1");
  agent.rejectToolCall("call_1");
  agent.updateOptions({ context: { navigate: () => undefined }, tools: [openPage] });
  agent.clearSession();
  agent.resetConversation();
  const messages: ConversationMessage[] = agent.getMessages();
  const { threads, nextCursor } = await agent.listThreads({ limit: 10 });
  await agent.listThreads();
  if (nextCursor) await agent.listThreads({ cursor: nextCursor });
  for (const { id, title, updatedAt, messageCount } of threads) {
    await agent.resumeThread(id);
    await agent.deleteThread(id);
    void [title.length, Date.parse(updatedAt), messageCount.toFixed()];
  }
  return [messages.map(draw), messages.map(drawLoosely), agent.getIsStreaming()];
}

test("an app in the words of the SDK before this one compiles, and opens", () => {
  const agent = openApp();
  expect(useApp).toBeTypeOf("function");
  expect([agent.getMessages(), agent.getIsStreaming(), agent.getThreadId(), shown]).toEqual([
    [],
    false,
    undefined,
    [],
  ]);
  agent.dispose();
});

test("both forms of a session are taken, with the normalised one's expiry as a number", () => {
  type Given = Awaited<ReturnType<AgentOptions["getSessionToken"]>>;
  expectTypeOf<{ session_token: string; expires_at: string }>().toExtend<Given>();
  expectTypeOf<{ token: string; expiresAt: number }>().toExtend<Given>();
  expectTypeOf<{ id: string }>().not.toExtend<Given>();
});

test("the names of statuses, roles, blocks and events are these", () => {
  expectTypeOf<ToolCallDisplay["status"]>().toEqualTypeOf<
    "pending" | "approval_requested" | "executing" | "completed" | "error" | "denied" | "stopped"
  >();
  expectTypeOf<ConversationMessage["role"]>().toEqualTypeOf<"user" | "assistant">();
  expectTypeOf<ContentBlock["type"]>().toEqualTypeOf<"text" | "tool_calls">();
  expectTypeOf<AgentEvent["type"]>().toEqualTypeOf<
    | "message_sent"
    | "response_completed"
    | "response_error"
    | "generation_stopped"
    | "tool_executed"
    | "tool_approved"
    | "tool_denied"
    | "tool_arguments_edited"
    | "conversation_reset"
    | "thread_resumed"
    | "thread_deleted"
    | "stream_reconnected"
    | "feedback_submitted"
    | "source_opened"
    | "suggestion_clicked"
    | "panel_opened"
    | "panel_closed"
  >();
  expectTypeOf<AgentEvent["data"]["threadId"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<AgentEvent["data"]["runId"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<AgentEvent["data"]["messageId"]>().toEqualTypeOf<string | undefined>();
});

test("only what must be given must be given", () => {
  expectTypeOf<
    Pick<AgentOptions, "projectId" | "integrationId" | "getSessionToken">
  >().toExtend<AgentOptions>();
  expectTypeOf<ToolDefinition["needsApproval"]>().extract<boolean>().toEqualTypeOf<boolean>();
  expectTypeOf<keyof ToolDefinition>().toEqualTypeOf<
    | "name"
    | "description"
    | "parameters"
    | "execute"
    | "displayName"
    | "needsApproval"
    | "onReturn"
    | "timeoutMs"
  >();
});

test("errors can be told apart by their class, and by their code", () => {
  for (const [error, code] of [
    [new HistoryDisabledError(), "history_disabled"],
    [new SessionWithoutOwnerError(), "history_needs_owner"],
    [new ThreadNotFoundError(), "not_found"],
  ] as const) {
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toBeInstanceOf(Error);
    expect([error.code, error.name]).toEqual([code, error.constructor.name]);
  }
});
