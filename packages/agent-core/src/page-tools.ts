import type { ToolOutput } from "@valet/protocol";
import type { AgentEvent } from "./agent-options.ts";
import type { AgentStatus } from "./agent-snapshot.ts";
import { type AnswerDraft, callsOf, changeCall, endCall } from "./answer-draft.ts";
import type { ToolCallDisplay } from "./messages.ts";
import type { HeldCalls } from "./tabs.ts";
import { type AnyTool, checkArguments } from "./tools.ts";
import { untilAborted } from "./until-aborted.ts";

/**
 * Whose a pending call is. `here`: of this page, which has not begun it. `returned`: found after
 * the page that it was of had gone. `elsewhere`: of another page of the same conversation, which
 * runs it or may do so at any moment. `undecided`: of another page, which waits for the person.
 */
export type CallStanding = "here" | "returned" | "elsewhere" | "undecided";

/** Runs the calls that the server leaves to the page. */
export interface PageTools {
  /**
   * Runs all pending calls of an answer side by side, after approval where a tool asks for it. A
   * call of another page is only waited for; when the person decides it here, it becomes this
   * page's.
   *
   * @param standingOf Whose a call is. @default here
   * @returns The outputs of this page's calls, once no call is waited for any more.
   * @throws The signal's reason when it fires; what a tool throws becomes its output.
   */
  run(
    draft: AnswerDraft,
    signal: AbortSignal,
    standingOf?: (toolCallId: string) => CallStanding,
  ): Promise<{ readonly draft: AnswerDraft; readonly outputs: readonly ToolOutput[] }>;
  /** Decides a call that waits for approval. Does nothing for any other. */
  decide(toolCallId: string, isApproved: boolean): void;
  /**
   * No longer waits for a decision about a call, or about any: another page has it. What runs
   * already runs on.
   */
  letGo(toolCallId?: string): void;
  /** The calls that this page has, or has the output of. */
  readonly held: HeldCalls;
  /** Has none any more. */
  forget(): void;
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
  /** Told when the person decides about a call here, before it runs. */
  readonly onDecided: (toolCallId: string) => void;
}

/** Whether a call may run here, was refused, is another page's, or cannot run. */
type Gate = "open" | "closed" | "elsewhere" | { readonly error: string };
type ShowCall = (
  changes: Partial<ToolCallDisplay> & Pick<ToolCallDisplay, "status">,
  status: AgentStatus,
) => void;

const unknownOutcome = "The page was left before the tool had ended. It may or may not have run.";

interface PendingCall {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
}

/** The calls that the server has left to the page: those without an outcome. */
export function pendingCalls(draft: AnswerDraft): PendingCall[] {
  return callsOf(draft)
    .filter(({ status }) => ["pending", "approval_requested", "executing"].includes(status))
    .map(({ id, name, arguments: input }) => ({ id, name, input }));
}

/** Creates the tools of one agent. */
export function createPageTools({
  tools,
  context,
  show,
  emit,
  onDecided,
}: PageToolsOptions): PageTools {
  /** Calls that are waited for: what settles them, and whether the person may do so here. */
  const waiting = new Map<string, { settle: (gate: Gate) => void; isDecidable: boolean }>();
  const held = new Set<string>();

  /** Waits for the person, or for another page to take the call. */
  async function decisionOf(
    { id, name }: PendingCall,
    isDecidable: boolean,
    signal: AbortSignal,
  ): Promise<Gate> {
    const settled = new Promise<Gate>((settle) => void waiting.set(id, { settle, isDecidable }));
    const gate = await untilAborted(settled, signal).finally(() => waiting.delete(id));
    if (gate === "elsewhere") {
      held.delete(id);
      return gate;
    }
    held.add(id);
    onDecided(id);
    const type = gate === "open" ? "tool_approved" : "tool_denied";
    emit({ type, data: { toolName: name } });
    return gate;
  }

  /** Whether a call may run here now. Shows and waits for what stands before it. */
  async function passGate(
    call: PendingCall,
    tool: AnyTool<never> | undefined,
    standing: CallStanding,
    { signal, showCall }: { signal: AbortSignal; showCall: ShowCall },
  ): Promise<Gate> {
    const { needsApproval = false, onReturn = "ask" } = tool ?? {};
    if (standing === "elsewhere" || standing === "undecided") {
      const isDecidable = standing === "undecided" && tool !== undefined && needsApproval;
      if (isDecidable) showCall({ status: "approval_requested" }, "awaiting-approval");
      else showCall({ status: "executing" }, "tool");
      return decisionOf(call, isDecidable, signal);
    }
    held.add(call.id);
    if (!tool) return { error: `The page has no tool ${call.name}.` };
    const isReturned = standing === "returned";
    if (isReturned && onReturn === "fail") return { error: unknownOutcome };
    if (!needsApproval && !(isReturned && onReturn === "ask")) return "open";
    showCall({ status: "approval_requested" }, "awaiting-approval");
    return decisionOf(call, true, signal);
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

  /** One call from its standing to its output; without one when it is another page's. */
  async function settleCall(
    call: PendingCall,
    standing: CallStanding,
    { signal, showCall }: { signal: AbortSignal; showCall: ShowCall },
  ): Promise<ToolOutput | undefined> {
    const { id: toolCallId, name, input } = call;
    const tool = tools().find((known) => known.name === name);
    const gate = await passGate(call, tool, standing, { signal, showCall });
    if (gate === "elsewhere") {
      showCall({ status: "executing" }, "tool");
      return undefined;
    }
    if (gate === "closed") {
      showCall({ status: "denied" }, "thinking");
      return { toolCallId, denied: true, reason: "The person refused." };
    }
    if (gate !== "open" || !tool) {
      const error = gate === "open" ? unknownOutcome : gate.error;
      showCall({ status: "error", error }, "thinking");
      return { toolCallId, errorText: error };
    }
    showCall({ status: "executing" }, "tool");
    const output = await execute(tool, toolCallId, input, signal);
    const { errorText: error } = output;
    showCall(
      error === undefined
        ? { status: "completed", result: output.output }
        : { status: "error", error },
      "thinking",
    );
    return output;
  }

  return {
    get held() {
      const isUndecided = (id: string): boolean => waiting.get(id)?.isDecidable ?? false;
      const ids = [...held];
      return {
        decided: ids.filter((id) => !isUndecided(id)),
        undecided: ids.filter(isUndecided),
      } as const;
    },
    async run(draft, signal, standingOf = () => "here") {
      let current = draft;
      const calls = pendingCalls(draft);
      const outputs = calls.map((call) => {
        const showCall: ShowCall = (changes, status) => {
          const isEnd = ["completed", "error", "denied"].includes(changes.status);
          current = isEnd
            ? endCall(current, call.id, Date.now(), changes)
            : changeCall(current, call.id, changes);
          show(current, status);
        };
        return settleCall(call, standingOf(call.id), { signal, showCall });
      });
      try {
        const settled = await Promise.all(outputs);
        return { draft: current, outputs: settled.filter((output) => output !== undefined) };
      } catch (thrown) {
        for (const { id } of calls) held.delete(id);
        throw thrown;
      }
    },
    decide(toolCallId, isApproved) {
      const call = waiting.get(toolCallId);
      if (call?.isDecidable) call.settle(isApproved ? "open" : "closed");
    },
    letGo(toolCallId) {
      for (const [id, { settle }] of waiting) {
        if (toolCallId === undefined || id === toolCallId) settle("elsewhere");
      }
    },
    forget: () => held.clear(),
  };
}
