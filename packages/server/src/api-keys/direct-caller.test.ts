import { expect, test } from "vitest";
import {
  createAgentHarness,
  only,
  readAnswer,
  someQuestion,
  someSession,
} from "../agent/testing/agent-harness.ts";
import { createPausingModel } from "../agent/testing/scripted-model.ts";
import { cutEndedCallers, toCaller } from "./direct-caller.ts";
import { openKeys } from "./testing/open-keys.ts";

/** What can befall a key, and what its stream is told. */
const ends = {
  key_revoked: ({ keys }, act) => keys.revoke(act),
  key_disabled: ({ keys }, act) => keys.disable(act),
  key_rotated: ({ keys }, act) => keys.rotate(act, { overlapMs: 0 }),
  key_expired: async ({ keys, clock }, act) => {
    await keys.update(act, { expiresAtMs: clock.ms + 1 });
    clock.ms += 1;
  },
} satisfies Record<
  string,
  (
    opened: Awaited<ReturnType<typeof openKeys>>,
    act: { projectId: string; kid: string; actor: string },
  ) => Promise<unknown>
>;

test.each(Object.entries(ends))(
  "the answer that a key is reading itself ends with %s, and nobody else's does",
  async (code, end) => {
    const opened = await openKeys();
    const { keys, projectId, clock } = opened;
    const { row } = await keys.create({ projectId, name: "k", actor: "a" });
    const other = await keys.create({ projectId, name: "other", actor: "a" });
    const { model, release } = createPausingModel();
    const { chat, streams } = await createAgentHarness({ model });
    const ask = { messages: [someQuestion("One?")] };
    const callerOf = (kid: string) =>
      toCaller({ kid, projectId, scopes: [] }, { nowMs: clock.ms, policy: {} });
    const mine = await chat(callerOf(row.kid), ask);
    const theirs = await chat(callerOf(other.row.kid), ask);
    const session = await chat(someSession({ projectId, kid: row.kid }), ask);
    expect(cutEndedCallers(keys, streams)).toBe(0);
    await end(opened, { projectId, kid: row.kid, actor: "a" });
    expect(cutEndedCallers(keys, streams)).toBe(1);
    const { parts } = await readAnswer(mine);
    expect(only(parts, "data-error")[0]?.data).toMatchObject({ code, retryable: false });
    release();
    expect((await readAnswer(theirs)).text).toBe("One two.");
    expect((await readAnswer(session)).text).toBe("One two.");
  },
);

test("who a key is when it asks for itself comes from its own row and has no owner", () => {
  const caller = toCaller(
    { kid: "kid000000001", projectId: "prj_1", scopes: [] },
    { nowMs: 5, policy: {} },
  );
  expect(caller).toMatchObject({
    sid: "key_kid000000001",
    direct: true,
    projectId: "prj_1",
    owner: null,
    visitorId: null,
    integrationId: null,
  });
});
