import type { ApprovalDecision, ToolOutput } from "@valet/protocol";
import { AgentError } from "./agent-error.ts";
import type { AgentEvent } from "./agent-options.ts";
import type { AgentStatus } from "./agent-snapshot.ts";
import {
  type AnswerDraft,
  changeCall,
  endCall,
  pendingCalls,
  toArguments,
} from "./answer-draft.ts";
import type { ToolCallDisplay } from "./messages.ts";
import type { Timers } from "./session-tokens/types.ts";
import type { HeldCalls } from "./tabs.ts";
import { createToResult, type ToResult, toErrorText } from "./tool-output.ts";
import { checkArguments } from "./tool-schema.ts";
import type { AnyTool } from "./tools.ts";
import { untilAborted } from "./until-aborted.ts";
import { timeUp, withinTime } from "./within-time.ts";

/**
 * Whose a pending call is. `here`: of this page, which has not begun it. `returned`: found after
 * the page that it was of had gone. `elsewhere`: of another page of the same conversation, which
 * runs it or may do so at any moment. `undecided`: of another page, which waits for the person.
 */
export type CallStanding = "here" | "returned" | "elsewhere" | "undecided";

/** What became of the calls of an answer. */
export interface ToolRound {
  readonly draft: AnswerDraft;
  /** The calls that were settled here. */
  readonly settled: readonly string[];
  readonly outputs: readonly ToolOutput[];
  readonly approvals: readonly ApprovalDecision[];
}

/** Settles the calls that the server leaves to the page and to the person before it. */
export interface PageTools {
  /**
   * Settles all pending calls of an answer side by side: asks the person where a call needs it, and
   * runs the page's own. A call of another page is only waited for; when the person decides it here,
   * it becomes this page's.
   *
   * @param standingOf Whose a call is. @default here
   * @returns What is to be told of this page's calls, once no call is waited for any more.
   * @throws The signal's reason when it fires; what a tool throws becomes its output.
   */
  run(
    draft: AnswerDraft,
    signal: AbortSignal,
    standingOf?: (toolCallId: string) => CallStanding,
  ): Promise<ToolRound>;
  /**
   * Lets a call that waits for approval run. Does nothing for any other.
   *
   * @param editedInput Arguments in place of the model's.
   * @throws {@link AgentError} `call_not_editable`, `invalid_arguments`; the call still waits then.
   */
  approve(toolCallId: string, editedInput?: unknown): Promise<void>;
  /** Refuses a call that waits for approval. Does nothing for any other. */
  reject(toolCallId: string, reason?: string): void;
  /**
   * No longer waits for a decision about a call, or about any: another page has it, or the answer
   * has ended. What runs already runs on.
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
  /** A call of the answer that is shown last, by its id. */
  readonly findCall: (id: string) => ToolCallDisplay | undefined;
  /** Shows an answer whose calls have changed. */
  readonly show: (draft: AnswerDraft, status: AgentStatus) => void;
  readonly emit: (event: AgentEvent) => void;
  /** Told when the person decides about a call here, before it runs. */
  readonly onDecided: (toolCallId: string) => void;
  readonly timers: Timers;
}

/** What a person has decided about a call. */
interface Decision {
  readonly approved: boolean;
  /** The arguments in place of the model's. */
  readonly editedInput?: unknown;
  /** Why it was refused, in words for the model. */
  readonly reason?: string;
}

/** A call that may go on, was refused, is another page's, or cannot run. */
type Gate =
  | { readonly type: "open"; readonly args: unknown; readonly decision?: Decision }
  | { readonly type: "closed"; readonly decision: Decision }
  | { readonly type: "elsewhere" }
  | { readonly type: "failed"; readonly error: string };

/** One call on its way: its signal, and how its changes are shown. */
interface Way {
  readonly standing: CallStanding;
  readonly signal: AbortSignal;
  readonly toResult: ToResult;
  readonly showCall: (changes: Partial<ToolCallDisplay> & Pick<ToolCallDisplay, "status">) => void;
}

type Said = ToolOutput | ApprovalDecision;

const defaultTimeoutMs = 60_000;
/** The server takes 2,048 characters. */
const maxReasonLength = 2_000;
const unknownOutcome = "The page was left before the tool had ended. It may or may not have run.";
const elsewhere: Gate = { type: "elsewhere" };

/** Creates the tools of one agent. */
export function createPageTools({
  tools,
  context,
  findCall,
  show,
  emit,
  onDecided,
  timers,
}: PageToolsOptions): PageTools {
  /** Calls that are waited for: what settles them, and whether the person may do so here. */
  const waiting = new Map<
    string,
    { settle: (decision: Decision | undefined) => void; isDecidable: boolean }
  >();
  /** Decisions about calls that are shown while their run still goes on. */
  const early = new Map<string, Decision>();
  /** What was decided in this round; it may be shown as undecided for a moment more. */
  const decided = new Set<string>();
  const held = new Set<string>();
  /** What was let go since the round began, for calls that were not waited for yet. */
  const released = new Set<string>();
  let isAllReleased = false;

  const toolOf = (name: string): AnyTool<never> | undefined =>
    tools().find((known) => known.name === name);
  const isReleased = (id: string): boolean => isAllReleased || released.has(id);

  function findUndecided(id: string): ToolCallDisplay | undefined {
    const call = findCall(id);
    if (call?.status !== "approval_requested" || early.has(id) || decided.has(id)) return undefined;
    return waiting.get(id)?.isDecidable === false ? undefined : call;
  }

  function decide(id: string, decision: Decision): void {
    const call = waiting.get(id);
    if (call) call.settle(decision);
    else early.set(id, decision);
  }

  /** Waits for the person, or for another page to take the call: then there is no decision. */
  async function decisionOf(
    { id, name }: ToolCallDisplay,
    isDecidable: boolean,
    signal: AbortSignal,
  ): Promise<Decision | undefined> {
    const startedMs = Date.now();
    const settled = new Promise<Decision | undefined>((settle) => {
      waiting.set(id, { settle, isDecidable });
      if (isReleased(id)) settle(undefined);
      if (isDecidable && early.has(id)) settle(early.get(id));
    });
    early.delete(id);
    const decision = await untilAborted(settled, signal).finally(() => waiting.delete(id));
    if (!decision) {
      held.delete(id);
      return undefined;
    }
    held.add(id);
    decided.add(id);
    onDecided(id);
    const call = { toolName: name, toolCallId: id };
    if (decision.editedInput !== undefined) emit({ type: "tool_arguments_edited", data: call });
    const durationMs = Math.max(0, Date.now() - startedMs);
    const type = decision.approved ? "tool_approved" : "tool_denied";
    emit({ type, data: { ...call, durationMs } });
    return decision;
  }

  /** Whether a call may go on here now. Shows and waits for what stands before it. */
  async function passGate(call: ToolCallDisplay, way: Way): Promise<Gate> {
    const { standing, signal, showCall } = way;
    const isOurs = standing === "here" || standing === "returned";
    if (isOurs) held.add(call.id);
    const checked = await checkCall(call, way);
    if (checked.error !== undefined && isOurs) return { type: "failed", error: checked.error };
    const { args, tool } = checked;
    const isDecidable =
      standing !== "elsewhere" && checked.error === undefined && (await asks(call, checked, way));
    if (isOurs && !isDecidable) return isReleased(call.id) ? elsewhere : { type: "open", args };
    showCall(
      isDecidable
        ? { status: "approval_requested", ...(call.error !== undefined && { error: call.error }) }
        : { status: "executing" },
    );
    const decision = await decisionOf(call, isDecidable, signal);
    if (!decision) return elsewhere;
    if (!decision.approved) return { type: "closed", decision };
    const { editedInput } = decision;
    if (editedInput === undefined) return { type: "open", args, decision };
    const { originalArguments = call.arguments } = call;
    const changed = { arguments: toArguments(editedInput), originalArguments };
    showCall({ status: "executing", ...changed });
    const edited = tool ? await checkArguments(tool, editedInput) : editedInput;
    return { type: "open", args: edited, decision };
  }

  /** The page's own tool and its arguments, or what is wrong with them. The server has checked its. */
  async function checkCall(
    call: ToolCallDisplay,
    { standing, signal }: Way,
  ): Promise<{ args?: unknown; tool?: AnyTool<never>; error?: string }> {
    if (call.side === "server") return { args: call.arguments };
    const tool = toolOf(call.name);
    if (!tool) return { error: `The page has no tool ${call.name}.` };
    if (standing === "returned" && tool.onReturn === "fail") return { error: unknownOutcome };
    try {
      return { tool, args: await untilAborted(checkArguments(tool, call.arguments), signal) };
    } catch (thrown) {
      signal.throwIfAborted();
      return { error: toErrorText(thrown) };
    }
  }

  /** Whether the person is asked before a call goes on. */
  async function asks(
    call: ToolCallDisplay,
    { tool, args }: { readonly tool?: AnyTool<never>; readonly args?: unknown },
    { standing, signal }: Way,
  ): Promise<boolean> {
    if (call.approvalId !== undefined) return true;
    const {
      needsApproval: rule = false,
      timeoutMs = defaultTimeoutMs,
      onReturn = "ask",
    } = tool ?? {};
    if (standing === "returned" && onReturn === "ask") return true;
    if (typeof rule === "boolean") return rule;
    try {
      const askRule = () => rule(args as never, context() as never);
      return (await withinTime(askRule, timeoutMs, signal, timers)) !== false;
    } catch {
      signal.throwIfAborted();
      return true;
    }
  }

  /** Runs a tool of the page. Gives what the server is told of it, and what people see. */
  async function execute(
    tool: AnyTool<never>,
    toolCallId: string,
    args: unknown,
    { signal, toResult }: Way,
  ): Promise<{ said: ToolOutput; changes: Parameters<Way["showCall"]>[0] }> {
    const { timeoutMs = defaultTimeoutMs } = tool;
    const startedMs = Date.now();
    const executed = (status: "completed" | "error"): void => {
      const durationMs = Math.max(0, Date.now() - startedMs);
      const data = { toolName: tool.name, toolCallId, status, durationMs };
      emit({ type: "tool_executed", data });
    };
    try {
      const work = (own: AbortSignal): unknown =>
        tool.execute(args as never, context() as never, { signal: own, toolCallId });
      const result = (await withinTime(work, timeoutMs, signal, timers)) ?? null;
      const said = { toolCallId, output: toResult(result) };
      executed("completed");
      return { said, changes: { status: "completed", result } };
    } catch (thrown) {
      signal.throwIfAborted();
      executed("error");
      const isLate = thrown === timeUp;
      const error = isLate
        ? `The tool did not finish within ${timeoutMs / 1_000} s.`
        : toErrorText(thrown);
      return { said: { toolCallId, errorText: error }, changes: { status: "error", error } };
    }
  }

  /** What the server is to be told of a call; nothing when it is another page's. */
  async function settleCall(call: ToolCallDisplay, way: Way): Promise<Said[] | undefined> {
    const { id: toolCallId, approvalId } = call;
    const { showCall } = way;
    const approval = (decision: Decision | undefined): Said[] => {
      if (!decision || approvalId === undefined) return [];
      // What was edited before, and not taken or not begun, is what is shown and meant.
      const isEdited = decision.approved && call.originalArguments !== undefined;
      return [{ approvalId, ...(isEdited && { editedInput: call.arguments }), ...decision }];
    };
    const gate = await passGate(call, way);
    switch (gate.type) {
      case "elsewhere":
        showCall({ status: "executing" });
        return undefined;
      case "failed": {
        const { error } = gate;
        showCall({ status: "error", error });
        // Without an approval the server takes nothing of a call that needs one.
        if (approvalId === undefined) return [{ toolCallId, errorText: error }];
        return approval({ approved: false, reason: error.slice(0, maxReasonLength) });
      }
      case "closed": {
        showCall({ status: "denied" });
        const { reason = "The person refused." } = gate.decision;
        if (approvalId === undefined) return [{ toolCallId, denied: true, reason }];
        return approval(gate.decision);
      }
      case "open": {
        showCall({ status: "executing" });
        const tool = toolOf(call.name);
        // What is the server's goes on there, once it is told.
        if (call.side === "server" || !tool) return approval(gate.decision);
        const { said, changes } = await execute(tool, toolCallId, gate.args, way);
        showCall(changes);
        return [said, ...approval(gate.decision)];
      }
    }
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
      const toResult = createToResult();
      released.clear();
      decided.clear();
      isAllReleased = false;
      try {
        const said = await Promise.all(
          calls.map((call) => {
            const showCall: Way["showCall"] = (changes) => {
              // Meanwhile another conversation may be shown.
              signal.throwIfAborted();
              const isEnd = ["completed", "error", "denied"].includes(changes.status);
              current = isEnd
                ? endCall(current, call.id, Date.now(), changes)
                : changeCall(current, call.id, changes);
              show(current, statusOf(current));
            };
            return settleCall(call, { standing: standingOf(call.id), signal, toResult, showCall });
          }),
        );
        const all = said.flatMap((one) => one ?? []);
        return {
          draft: current,
          settled: calls.filter((_, at) => said[at]).map(({ id }) => id),
          outputs: all.filter((one) => "toolCallId" in one),
          approvals: all.filter((one) => "approvalId" in one),
        };
      } catch (thrown) {
        for (const { id } of calls) held.delete(id);
        throw thrown;
      } finally {
        // A later call may bear the same id: what was said of this one is not said of it.
        early.clear();
        decided.clear();
      }
    },

    async approve(id, editedInput) {
      const call = findUndecided(id);
      if (!call) return;
      if (editedInput === undefined) {
        decide(id, { approved: true });
        return;
      }
      if (!call.isEditable) {
        throw new AgentError("call_not_editable", "The arguments of this call cannot be changed.");
      }
      const tool = call.side === "server" ? undefined : toolOf(call.name);
      if (tool) {
        await checkArguments(tool, editedInput).catch((cause: unknown) => {
          const options = { field: "editedInput", cause };
          throw new AgentError("invalid_arguments", toErrorText(cause), options);
        });
      }
      // The first word counts, if another one was said meanwhile.
      if (findUndecided(id)) decide(id, { approved: true, editedInput });
    },

    reject(id, reason) {
      if (!findUndecided(id)) return;
      const why = reason === undefined ? {} : { reason: reason.slice(0, maxReasonLength) };
      decide(id, { approved: false, ...why });
    },

    letGo(toolCallId) {
      if (toolCallId === undefined) {
        isAllReleased = true;
        early.clear();
      } else {
        released.add(toolCallId);
        early.delete(toolCallId);
      }
      for (const [id, { settle }] of waiting) {
        if (isReleased(id)) settle(undefined);
      }
    },

    forget() {
      held.clear();
      early.clear();
    },
  };
}

/** People come first: nothing goes on without them. */
function statusOf(draft: AnswerDraft): AgentStatus {
  const pending = pendingCalls(draft);
  if (pending.some(({ status }) => status === "approval_requested")) return "awaiting-approval";
  return pending.length > 0 ? "tool" : "thinking";
}
