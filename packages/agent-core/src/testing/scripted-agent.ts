import type { StreamPart } from "@valet/protocol";
import { Agent } from "../agent.ts";
import type { AgentEvent, AgentOptions } from "../agent-options.ts";
import type { AgentSnapshot } from "../agent-snapshot.ts";
import type { ToolCallDisplay } from "../messages.ts";

/** An agent that talks to a scripted server, and what it has told. */
export function openScriptedAgent<Context = unknown>(
  url: string,
  options: Partial<AgentOptions<Context>> = {},
): { agent: Agent<Context>; events: AgentEvent[] } {
  const events: AgentEvent[] = [];
  const agent = new Agent<Context>({
    projectId: "prj_1",
    integrationId: "int_1",
    baseUrl: url,
    getSessionToken: async () => ({ session_token: "token", expires_in: 3600 }),
    onEvent: (event) => void events.push(event),
    ...options,
  });
  return { agent, events };
}

/** Resolves when a snapshot fits. */
export function untilSnapshot<Context>(
  agent: Agent<Context>,
  fits: (snapshot: AgentSnapshot) => boolean,
): Promise<AgentSnapshot> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!fits(agent.getSnapshot())) return;
      stop();
      resolve(agent.getSnapshot());
    };
    const stop = agent.subscribe(look);
    look();
  });
}

/** The calls of the last answer, by their ids. */
export function callsById({ messages }: AgentSnapshot): Record<string, ToolCallDisplay> {
  const calls = (messages.at(-1)?.blocks ?? []).flatMap((block) =>
    block.type === "tool_calls" ? block.toolCalls : [],
  );
  return Object.fromEntries(calls.map((call) => [call.id, call]));
}

/** A call that the server leaves open. */
export interface OpenCall {
  readonly id: string;
  readonly name: string;
  readonly input?: unknown;
  /** @default "page" */
  readonly side?: "server" | "page";
  /** Where the server asks for an approval. */
  readonly approvalId?: string;
  readonly isEditable?: boolean;
}

/** A run that ends with calls left open. */
export function runWithCalls(...calls: OpenCall[]): StreamPart[] {
  return [
    { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
    ...calls.flatMap(({ id, name, input = {}, side = "page", ...asks }): StreamPart[] => [
      {
        type: "tool-input-available",
        toolCallId: id,
        toolName: name,
        input,
        ...(side === "page" && { dynamic: true }),
      },
      ...(asks.approvalId === undefined
        ? []
        : [
            {
              type: "tool-approval-request" as const,
              toolCallId: id,
              approvalId: asks.approvalId,
              ...(asks.isEditable !== undefined && { isEditable: asks.isEditable }),
            },
          ]),
    ]),
    { type: "finish", finishReason: "tool-calls" },
  ];
}
