import type { ToolOutput } from "@valet/protocol";
import type { AgentEvent } from "./agent-options.ts";
import type { AgentStatus } from "./agent-snapshot.ts";
import { type AnswerDraft, callsOf, changeCall, endCall } from "./answer-draft.ts";
import { type AnyTool, checkArguments } from "./tools.ts";
import { untilAborted } from "./until-aborted.ts";

/** Runs the calls that the server leaves to the page. */
export interface PageTools {
  /**
   * Runs all pending calls of an answer side by side, after approval where a tool asks for it.
   *
   * @throws The signal's reason when it fires; what a tool throws becomes its output.
   */
  run(
    draft: AnswerDraft,
    signal: AbortSignal,
  ): Promise<{ readonly draft: AnswerDraft; readonly outputs: readonly ToolOutput[] }>;
  /** Decides a call that waits for approval. Does nothing for any other. */
  decide(toolCallId: string, isApproved: boolean): void;
}

/** What {@link createPageTools} needs. */
export interface PageToolsOptions {
  /** The tools as they are now. */
  readonly tools: () => readonly AnyTool<never>[];
  /** What tools are handed, as it is now. */
  readonly context: () => unknown;
  /** Shows an answer whose calls have changed. */
  readonly show: (draft: AnswerDraft, status: AgentStatus) => void;
  readonly emit: (event: AgentEvent) => void;
}

interface PendingCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** The calls that the server has left to the page: those without an outcome. */
export function pendingCalls(draft: AnswerDraft): PendingCall[] {
  return callsOf(draft)
    .filter(({ status }) => status === "executing")
    .map(({ id, name, arguments: input }) => ({ id, name, input }));
}

/** Creates the tools of one agent. */
export function createPageTools({ tools, context, show, emit }: PageToolsOptions): PageTools {
  const decisions = new Map<string, (isApproved: boolean) => void>();

  async function isApproved(id: string, toolName: string, signal: AbortSignal): Promise<boolean> {
    const decision = new Promise<boolean>((resolve) => void decisions.set(id, resolve));
    const said = await untilAborted(decision, signal).finally(() => decisions.delete(id));
    emit({ type: said ? "tool_approved" : "tool_denied", data: { toolName } });
    return said;
  }

  async function execute(
    tool: AnyTool<never>,
    toolCallId: string,
    input: unknown,
    signal: AbortSignal,
  ): Promise<ToolOutput> {
    const startedMs = Date.now();
    const executed = (status: "completed" | "error"): void => {
      const durationMs = Date.now() - startedMs;
      emit({ type: "tool_executed", data: { toolName: tool.name, status, durationMs } });
    };
    try {
      const args = await checkArguments(tool, input);
      const work = tool.execute(args, context() as never, { signal, toolCallId });
      const output = (await untilAborted(work, signal)) ?? null;
      executed("completed");
      return { toolCallId, output };
    } catch (thrown) {
      signal.throwIfAborted();
      executed("error");
      return { toolCallId, errorText: thrown instanceof Error ? thrown.message : String(thrown) };
    }
  }

  return {
    async run(draft, signal) {
      let current = draft;
      const update = (next: AnswerDraft, status: AgentStatus): void => {
        current = next;
        show(next, status);
      };
      const outputs = await Promise.all(
        pendingCalls(draft).map(async ({ id, name, input }): Promise<ToolOutput> => {
          const tool = tools().find((known) => known.name === name);
          if (!tool) {
            const error = `The page has no tool ${name}.`;
            update(endCall(current, id, Date.now(), { status: "error", error }), "thinking");
            return { toolCallId: id, errorText: error };
          }
          if (tool.needsApproval) {
            const waiting = changeCall(current, id, { status: "approval_requested" });
            update(waiting, "awaiting-approval");
            if (!(await isApproved(id, name, signal))) {
              update(endCall(current, id, Date.now(), { status: "denied" }), "thinking");
              return { toolCallId: id, denied: true, reason: "The person refused." };
            }
          }
          update(changeCall(current, id, { status: "executing" }), "tool");
          const output = await execute(tool, id, input, signal);
          const change =
            output.errorText === undefined
              ? { status: "completed" as const, result: output.output }
              : { status: "error" as const, error: output.errorText };
          update(endCall(current, id, Date.now(), change), "thinking");
          return output;
        }),
      );
      return { draft: current, outputs };
    },
    decide: (toolCallId, isAllowed) => decisions.get(toolCallId)?.(isAllowed),
  };
}
