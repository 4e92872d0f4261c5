import type { StoredThread, StoredToolCall } from "@valet/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AgentHarness,
  createAgentHarness,
  problemOf,
  readAnswer,
  someQuestion,
  someSession,
} from "./testing/agent-harness.ts";
import { calls, createScriptedModel, finishes, says } from "./testing/scripted-model.ts";
import { createTicketTool } from "./testing/some-tools.ts";

/** What somebody does in a conversation whose answers make four calls each. `call` counts them all. */
type Act =
  | { readonly do: "approve"; readonly call: number; readonly edit: boolean }
  | { readonly do: "deny"; readonly call: number }
  | { readonly do: "output"; readonly call: number; readonly approved: boolean }
  | { readonly do: "stop" }
  | { readonly do: "question" }
  | { readonly do: "restart" };

const someCallNumber = fc.nat(11);
const someAct: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("approve" as const),
      call: someCallNumber,
      edit: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("deny" as const), call: someCallNumber }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("output" as const),
      call: someCallNumber,
      approved: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Act>({ do: "stop" }, { do: "question" }, { do: "restart" }),
  },
);

const kinds = ["editable", "fixed", "page", "gated"] as const;
const maxQuestions = 3;

/** A call as the rules say that it should stand. */
interface Expected {
  readonly kind: (typeof kinds)[number];
  state: StoredToolCall["state"];
}

const isOpen = ({ state }: Expected) =>
  ["pending", "approval_requested", "approved"].includes(state);

test("whatever is decided, reported, asked, stopped and restarted in whatever order, each call does what the rules say, once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someAct, { minLength: 4, maxLength: 18 }), async (acts) => {
      let nowMs = 1_800_000_000_000;
      let asked = 0;
      const editable = createTicketTool({ name: "editable", isEditable: true });
      const fixed = createTicketTool({ name: "fixed" });
      const input = { title: "as asked" };
      const editedInput = { title: "as edited" };
      const model = createScriptedModel(({ prompt }) =>
        prompt.at(-1)?.role === "user"
          ? [...kinds.map((kind) => calls(`${kind}_${asked}`, kind, input)), finishes("tool-calls")]
          : [...says("Done."), finishes()],
      );
      const tools = ["page", "gated"].map((name) => ({
        name,
        description: "Does it.",
        inputSchema: {},
        needsApproval: name === "gated",
      }));
      const openHarness = (before?: AgentHarness) =>
        createAgentHarness({
          model,
          serverTools: [editable.tool, fixed.tool],
          now: () => nowMs,
          ...(before && { database: before.database }),
        });
      const session = someSession({ owner: "jo", expiresAtMs: nowMs * 2 });
      let harness = await openHarness();
      let threadId = "";
      const expected: Expected[] = [];
      const inputs: unknown[] = [];
      let answers = 0;

      async function storedCalls(): Promise<StoredToolCall[]> {
        const response = await harness.request(session, `/threads/${threadId}`);
        const { messages } = (await response.json()) as StoredThread;
        return messages.flatMap(({ parts }) =>
          parts.filter((part): part is StoredToolCall => part.type === "tool-call"),
        );
      }
      async function question(): Promise<void> {
        for (const call of expected) if (isOpen(call)) call.state = "stopped";
        asked += 1;
        const id = threadId === "" ? {} : { id: threadId };
        const body = { ...id, tools, messages: [someQuestion("Do it")] };
        ({ threadId } = await readAnswer(await harness.chat(session, body)));
        for (const kind of kinds) {
          expected.push({ kind, state: kind === "page" ? "pending" : "approval_requested" });
        }
      }
      /** Sends replies; `refusal` is the code that the rules say, or undefined for what counts. */
      async function reply(body: object, refusal: string | undefined): Promise<void> {
        const response = await harness.chat(session, { id: threadId, tools, ...body });
        if (refusal !== undefined) {
          expect((await problemOf(response)).code).toBe(refusal);
          return;
        }
        const { text } = await readAnswer(response);
        const isOver = !expected.some(isOpen);
        if (isOver) answers += 1;
        expect(text).toBe(isOver ? "Done." : "");
      }

      async function perform(act: Act): Promise<void> {
        if (act.do === "question") {
          if (asked < maxQuestions) await question();
          return;
        }
        if (act.do === "restart") {
          harness = await openHarness(harness);
          expect(await harness.record.endInterrupted(nowMs)).toBe(0);
          return;
        }
        if (act.do === "stop") {
          const stopped = expected.some(isOpen);
          const path = `/chat/${threadId}/stop`;
          const response = await harness.request(session, path, { method: "POST" });
          expect(await response.json()).toEqual({ stopped });
          for (const call of expected) if (isOpen(call)) call.state = "stopped";
          return;
        }
        const at = act.call % expected.length;
        const call = expected[at] as Expected;
        const { approvalId, toolCallId } = (await storedCalls())[at] as StoredToolCall;
        const isServers = call.kind === "editable" || call.kind === "fixed";
        const wasAsked = call.state === "approval_requested";
        if (act.do === "output") {
          const isGated = call.kind === "gated";
          const approvals = act.approved && isGated ? [{ approvalId, approved: true }] : [];
          const refusal = isServers
            ? "invalid_request"
            : isGated && wasAsked && !act.approved
              ? "approval_required"
              : isOpen(call)
                ? undefined
                : approvals.length > 0
                  ? "approval_decided"
                  : "conflict";
          if (refusal === undefined) call.state = "completed";
          await reply({ toolOutputs: [{ toolCallId, output: at }], approvals }, refusal);
          return;
        }
        if (call.kind === "page") return;
        if (act.do === "deny") {
          if (wasAsked) call.state = "denied";
          const approvals = [{ approvalId, approved: false }];
          await reply({ approvals }, wasAsked ? undefined : "approval_decided");
          return;
        }
        const mayEdit = call.kind === "editable";
        const refusal = !wasAsked
          ? "approval_decided"
          : act.edit && !mayEdit
            ? "invalid_request"
            : undefined;
        if (refusal === undefined) {
          call.state = isServers ? "completed" : "approved";
          if (isServers) inputs.push(act.edit ? editedInput : input);
        }
        const edit = act.edit ? { editedInput } : {};
        await reply({ approvals: [{ approvalId, approved: true, ...edit }] }, refusal);
      }

      await question();
      for (const act of acts) {
        await perform(act);
        // So that no run is remembered: what counts is on record.
        nowMs += 120_000;
        expect((await storedCalls()).map(({ state }) => state)).toEqual(
          expected.map(({ state }) => state),
        );
      }
      const ran = [...editable.runs, ...fixed.runs].map((run) => JSON.stringify(run.input));
      expect(ran.sort()).toEqual(inputs.map((each) => JSON.stringify(each)).sort());
      expect(model.calls).toHaveLength(asked + answers);
      await harness.database.destroy();
    }),
    { numRuns: 20 },
  );
}, 120_000);
