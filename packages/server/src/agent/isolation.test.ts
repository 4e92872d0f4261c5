import fc from "fast-check";
import { expect, test } from "vitest";
import type { SessionPrincipal } from "../sessions/principal.ts";
import { createAgentHarness, someQuestion, someSession } from "./testing/agent-harness.ts";
import { createScriptedModel, finishes, says } from "./testing/scripted-model.ts";

/** Who a session stands for; two sessions of the same person differ in nothing but their id. */
const somePerson = fc.record({
  projectId: fc.constantFrom("prj_1", "prj_2"),
  owner: fc.constantFrom("jo", "al", null),
  integrationId: fc.constantFrom("int_1", null),
});

/** DESIGN's rule, said once more in other words. */
function mayShare(a: SessionPrincipal, b: SessionPrincipal): boolean {
  if (a.projectId !== b.projectId || a.owner !== b.owner) return false;
  return a.owner !== null || a.integrationId === b.integrationId;
}

test("nobody reaches a thread that is not theirs, by any route, and cannot tell it from none", async () => {
  await fc.assert(
    fc.asyncProperty(somePerson, somePerson, async (first, second) => {
      const model = createScriptedModel([...says("Secret."), finishes()]);
      const { ask, chat, request, database } = await createAgentHarness({ model });
      const owner = someSession(first);
      const other = someSession(second);
      const { threadId, runId } = await ask(owner, "Mine");
      const routes: ((id: string) => Promise<Response>)[] = [
        (id) => request(other, `/threads/${id}`),
        (id) =>
          request(other, `/chat/${id}/stream`, { headers: { "last-event-id": `${runId}:0` } }),
        (id) => request(other, `/chat/${id}/stop`, { method: "POST" }),
        (id) => chat(other, { id, messages: [someQuestion("Yours?")] }),
        (id) => chat(other, { id, toolOutputs: [{ toolCallId: "c" }] }),
        (id) => request(other, `/threads/${id}`, { method: "DELETE" }),
      ];
      const unknown = `thr_${"0".repeat(22)}`;
      const shared = mayShare(owner, other);
      for (const [at, route] of routes.entries()) {
        const answer = await route(threadId);
        const none = await route(unknown);
        if (shared) {
          expect([none.status, answer.status === 404], `route ${at}`).not.toEqual([404, true]);
          await answer.arrayBuffer();
        } else {
          expect(answer.status, `route ${at}`).toBe(none.status);
          expect(await answer.text(), `route ${at}`).toBe(await none.text());
        }
      }
      if (other.owner !== null && !shared) {
        const list = await request(other, "/threads");
        expect(await list.json()).toEqual({ threads: [], next_cursor: null });
      }
      await database.destroy();
    }),
    { numRuns: 40 },
  );
});

test("an id that a client chose names a thread in its own session alone", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { ask, request } = await createAgentHarness({ model });
  const first = someSession({ owner: "jo" });
  const renewed = someSession({ owner: "jo" });
  await ask(first, "Mine", { id: "chat-1" });
  await ask(renewed, "Another", { id: "chat-1" });
  expect(model.calls[1]?.prompt).toHaveLength(2);
  const read = async (session: SessionPrincipal, id: string) =>
    (await request(session, `/threads/${id}`)).status;
  expect(await read(first, "chat-1")).toBe(200);
  expect(await read(someSession({ owner: "jo" }), "chat-1")).toBe(404);
  expect(await read(renewed, `${first.sid}~chat-1`)).toBe(404);
});
