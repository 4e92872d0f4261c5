// @vitest-environment happy-dom

import { cleanup, render, screen } from "@testing-library/react";
import { type FunctionComponent, type ReactNode, useState } from "react";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  AgentChat,
  type AgentChatBranding,
  AgentFooter,
  AgentPanel,
  AgentProvider,
  type AgentThemeConfig,
  AgentThreadHistory,
  type AgentTool,
  type ContentBlock,
  type ConversationMessage,
  createToolHelper,
  type EndUserInfo,
  type OnAgentEvent,
  type ResolvedTheme,
  resolveTheme,
  ToolCallCard,
  type ToolCallDisplay,
  ToolCallGroup,
  type ToolDefinition,
  type ToolDisplayMeta,
  useAgentChat,
  useAgentColorScheme,
} from "./index.ts";

// What stands here is checked by the compiler: an app in the words of the SDK that this one takes
// the place of. Nothing in it may need a change but the package's name.

interface AppContext {
  readonly navigate: (path: string) => void;
}

/** An icon as the usual sets make them. */
const IconSearch: FunctionComponent<{
  size?: number | string;
  color?: string;
  stroke?: number | string;
  className?: string;
}> = () => null;

const tool = createToolHelper<AppContext>();

const createItem = tool({
  name: "create_item",
  description: "Creates an item.",
  displayName: "Create an item",
  icon: IconSearch,
  iconColor: "#0f766e",
  parameters: z.object({ title: z.string(), count: z.number().optional() }),
  needsApproval: true,
  execute: async ({ title, count }, { navigate }) => {
    expectTypeOf(title).toEqualTypeOf<string>();
    expectTypeOf(count).toEqualTypeOf<number | undefined>();
    navigate(`/items/${title}`);
    return { created: title };
  },
  render: ({ status, args, result, error, onApprove, onReject }) => {
    expectTypeOf(args.title).toEqualTypeOf<string>();
    expectTypeOf(result).toBeUnknown();
    expectTypeOf(error).toEqualTypeOf<string | undefined>();
    if (status !== "approval_requested") return null;
    return (
      <form onSubmit={onApprove}>
        {args.title}
        <button type="button" onClick={() => onReject()}>
          No
        </button>
      </form>
    );
  },
});

/** Without the helper. */
const plain: AgentTool<AppContext> = {
  name: "look",
  description: "Looks.",
  parameters: { type: "object", properties: { at: { type: "string" } } },
  execute: async (args, context) => {
    context.navigate(args.at);
    return "seen";
  },
  render: ({ args }) => <b>{args.at}</b>,
};
const definition: ToolDefinition<AppContext> = plain;

const tools: AgentTool<AppContext>[] = [createItem, plain];
const builtinToolMeta: Record<string, ToolDisplayMeta> = {
  search_knowledge_base: { displayName: "Search docs", icon: IconSearch, iconColor: "teal" },
};
const branding: AgentChatBranding = {
  title: <b>Acme</b>,
  subtitle: "Hello",
  description: "Ask",
  examplePrompts: ["One?"],
  inputPlaceholder: "Ask",
  footerExtra: "Extra",
};
const theme: AgentThemeConfig = {
  accentColor: "#9333ea",
  colorScheme: "auto",
  fontFamily: "serif",
  fontSize: 14,
  radius: "pill",
};
const user: EndUserInfo = { email: "ada@example.com", name: "Ada" };
const events: string[] = [];
const onEvent: OnAgentEvent = (event) => {
  switch (event.type) {
    case "response_completed":
      events.push(`${event.data.threadId} ${event.data.toolCallCount}`);
      break;
    case "tool_executed":
      events.push(`${event.data.toolName} ${event.data.status} ${event.data.durationMs}`);
      break;
    default:
      events.push(event.type);
  }
};

/** The raw reply of the API, as `res.json()` gives it. */
async function getSessionToken() {
  const reply = await fetch("/api/session", { method: "POST" });
  return reply.json();
}

function Headless(): ReactNode {
  const chat = useAgentChat();
  const scheme = useAgentColorScheme();
  expectTypeOf(chat.sendMessage).returns.resolves.toBeVoid();
  expectTypeOf(chat.isStreaming).toBeBoolean();
  expectTypeOf(chat.historyDisabled).toBeBoolean();
  const messages: ConversationMessage[] = chat.messages;
  const draw = (block: ContentBlock): ReactNode =>
    block.type === "text" ? (
      block.content
    ) : (
      <ToolCallGroup>
        {block.toolCalls.map((toolCall: ToolCallDisplay) => (
          <ToolCallCard
            key={toolCall.id}
            toolCall={toolCall}
            onApprove={chat.approveToolCall}
            onReject={chat.rejectToolCall}
          />
        ))}
      </ToolCallGroup>
    );
  return (
    <>
      {messages.map((message, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: so it is written for the other SDK.
        <div key={at}>
          {message.role === "assistant" ? message.blocks.map(draw) : message.content}
        </div>
      ))}
      <input value={chat.inputValue} onChange={(event) => chat.setInputValue(event.target.value)} />
      <button type="button" onClick={() => void chat.sendMessage(chat.inputValue).catch(() => {})}>
        {scheme.colorScheme}
      </button>
      <button type="button" onClick={chat.resetConversation}>
        {chat.threadId}
      </button>
      <button type="button" onClick={chat.stopGeneration}>
        Stop
      </button>
    </>
  );
}

function App(): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <AgentProvider<AppContext>
      getSessionToken={getSessionToken}
      projectId="prj_1"
      integrationId="int_1"
      model="kapa-agent-1.0"
      tools={tools}
      context={{ navigate: () => undefined }}
      builtinToolMeta={builtinToolMeta}
      customInstructions="Be short."
      user={user}
      onEvent={onEvent}
      theme={theme}
      sourceGroupIdsInclude={["a"]}
      enableHistory
    >
      <AgentChat
        branding={branding}
        onClose={() => setOpen(false)}
        headerActions={<i />}
        maxContentWidth={0}
      />
      <AgentPanel
        open={open}
        onClose={() => setOpen(false)}
        width={476}
        top="3rem"
        branding={branding}
      />
      <AgentThreadHistory className="mine" onThreadSelected={(id) => events.push(id)} />
      <AgentFooter branding={branding} />
      <Headless />
    </AgentProvider>
  );
}

test("an app in the words of the other SDK compiles, and stands", () => {
  render(<App />);
  expect(screen.getAllByRole("textbox", { name: "Message" })).toHaveLength(1);
  expect(definition.name).toBe("look");
  cleanup();
});

test("both shapes of a session, sync or not, and a theme with its ten shades, have their types", () => {
  const theirs: ResolvedTheme = resolveTheme(theme);
  expect(
    [theirs.primaryColors, theirs.darkColors, theirs.lightColors].map((all) => all.length),
  ).toEqual([10, 10, 10]);
  expectTypeOf(theirs.radius.md).toBeNumber();
  expectTypeOf(theirs.status.error).toBeString();
  expectTypeOf(theirs.accentForeground).toBeString();
  const raw = async () => ({ session_token: "t", expires_at: "2026-03-17T10:54:51Z" });
  const mapped = async () => ({ token: "t", expiresAt: 1 });
  for (const getToken of [raw, mapped]) {
    render(
      <AgentProvider projectId="p" integrationId="i" getSessionToken={getToken}>
        <p>There</p>
      </AgentProvider>,
    );
    expect(screen.getByText("There")).toBeTruthy();
    cleanup();
  }
});
