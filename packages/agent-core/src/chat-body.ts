import type { ChatRequest, ClientToolDeclaration } from "@valet/protocol";
import type { AgentOptions } from "./agent-options.ts";
import type { ConversationMessage } from "./messages.ts";
import type { AnyTool } from "./tools.ts";

/**
 * The body of a request, with what the page's options add to it.
 *
 * @throws TypeError when a tool's schema cannot be told as JSON Schema.
 */
export async function toChatRequest(
  body: Partial<ChatRequest>,
  options: AgentOptions<never>,
  threadId: string | undefined,
): Promise<ChatRequest> {
  const { integrationId, model, customInstructions, user, locale } = options;
  const { sourceGroupIdsInclude = [] } = options;
  const tools = options.tools?.length ? await declare(options.tools) : undefined;
  // What is undefined does not reach the wire: JSON has no such value.
  return {
    ...body,
    id: threadId,
    integrationId,
    model,
    tools,
    customInstructions,
    sourceGroupIdsInclude: sourceGroupIdsInclude.length > 0 ? sourceGroupIdsInclude : undefined,
    user: user && { ...user },
    locale,
  } as ChatRequest;
}

async function declare(tools: readonly AnyTool<never>[]): Promise<ClientToolDeclaration[]> {
  const { declareTool } = await import("./later.ts");
  return Promise.all(tools.map(declareTool));
}

/**
 * Asks a question.
 *
 * @param replaces The question that it takes the place of, with everything behind it.
 */
export function askingBody(
  { id, content }: Pick<ConversationMessage, "id" | "content">,
  replaces?: string,
): Partial<ChatRequest> {
  return {
    trigger: "submit-message",
    messages: [{ id, role: "user", parts: [{ type: "text", text: content }] }],
    ...(replaces !== undefined && { messageId: replaces }),
  };
}
