import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { type ModelEndpoint, openModelEndpoint } from "../support/model-endpoint.ts";

/** T26: somebody burns the budget of the model with calls at the same time. */
let model: ModelEndpoint;
let server: AttackedServer;
beforeAll(async () => {
  model = await openModelEndpoint();
  server = await openAttackedServer(model.variables);
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

const askAtOnce = async (token: string, count: number) => {
  const answers = await Promise.all(
    Array.from({ length: count }, () =>
      server.as(token, "/chat/", { method: "POST", body: question("Is it?") }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  await Promise.all(answers.map((answer) => answer.text()));
  return statuses;
};

test("of 16 questions at once, exactly as many are answered as the session has turns", async () => {
  for (const turns of [1, 3, 7]) {
    server.clock.ms += 60_000;
    const before = model.requests.length;
    const { session_token: token } = await server.mint({ limits: { turns } });
    const statuses = await askAtOnce(token, 16);
    expect(statuses.filter((status) => status === 200)).toHaveLength(turns);
    expect(statuses.filter((status) => status === 429)).toHaveLength(16 - turns);
    expect(model.requests.length - before).toBe(turns);
  }
});

test("a session whose tokens do not reach for a question does not get it to the model, however often it asks", async () => {
  server.clock.ms += 60_000;
  const before = model.requests.length;
  const { session_token: enough } = await server.mint({ limits: { model_tokens: 1_000_000 } });
  expect(await askAtOnce(enough, 1)).toEqual([200]);
  expect(model.requests.length).toBe(before + 1);
  const { session_token: token } = await server.mint({ limits: { model_tokens: 10 } });
  for (let round = 0; round < 3; round += 1) {
    const answers = await Promise.all(
      [0, 1, 2].map(() => server.as(token, "/chat/", { method: "POST", body: question("Is it?") })),
    );
    for (const answer of answers) expect(await answer.text()).toContain("budget_exhausted");
  }
  expect(model.requests.length).toBe(before + 1);
});
