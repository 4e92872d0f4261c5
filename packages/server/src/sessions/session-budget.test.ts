import { expect, test } from "vitest";
import type { SessionPolicy, SessionPrincipal } from "./principal.ts";
import { createSessionBudget } from "./session-budget.ts";

const session = (limits: SessionPolicy["limits"], sid = "ses_1"): SessionPrincipal => ({
  sid,
  projectId: "prj_1",
  kid: "k",
  integrationId: null,
  owner: null,
  visitorId: null,
  visitorIp: null,
  issuedAtMs: 0,
  expiresAtMs: 3_600_000,
  policy: limits ? { limits } : {},
});

test("a session has as many turns as it was given, and a turn that failed to begin costs none", () => {
  const budget = createSessionBudget(() => 0);
  const mine = session({ turns: 2 });
  budget.takeTurn(mine).giveBack();
  budget.takeTurn(mine).settle(5);
  budget.takeTurn(mine).settle(5);
  expect(() => budget.takeTurn(mine)).toThrow("used up");
  expect(() => budget.takeTurn(session({ turns: 2 }, "ses_2"))).not.toThrow();
});

test("streams are counted while they run, and model tokens when they have run", () => {
  const budget = createSessionBudget(() => 0);
  const narrow = session({ streams: 1 });
  const running = budget.takeTurn(narrow);
  expect(() => budget.takeTurn(narrow)).toThrow("used up");
  running.settle(0);
  expect(() => budget.takeTurn(narrow)).not.toThrow();
  const cheap = session({ modelTokens: 100 }, "ses_3");
  budget.takeTurn(cheap).settle(100);
  expect(() => budget.takeTurn(cheap)).toThrow("used up");
});

test("a session without limits is not limited", () => {
  const budget = createSessionBudget(() => 0);
  for (let turn = 0; turn < 1_000; turn += 1) budget.takeTurn(session(undefined));
});
