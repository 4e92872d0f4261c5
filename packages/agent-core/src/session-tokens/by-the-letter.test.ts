import { expect, test, vi } from "vitest";
import { openTokens, outcomes, type Watched } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";
import { sessionEndpoint } from "./session-endpoint.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";
import { isTokenError, TokenError } from "./token-error.ts";
import type { GetSessionToken } from "./types.ts";

/** Promises that have a number in them, held to that number. */
const hour = 3_600_000;

test("a callback that answers at once, or twice, is called once", async () => {
  for (const answer of [
    () => ({ token: "at-once" }),
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is the point
      then(resolve: (value: { token: string }) => void) {
        resolve({ token: "at-once" });
        resolve({ token: "second" });
      },
    }),
  ]) {
    const { time, manager, get } = openTokens();
    const callback = vi.fn(answer as GetSessionToken);
    manager.setCallback(callback);
    const callers = [get(), get()];
    await time.advance(10_000);
    callers.push(get());
    await time.advance(0);
    expect(outcomes(callers)).toEqual(["at-once", "at-once", "at-once"]);
    expect(callback).toHaveBeenCalledOnce();
  }
});

test("with a clock two hours behind the renewal is at 59 minutes and 30 seconds", async () => {
  const { time, endpoint, send } = openTokens();
  endpoint.saysExpiresIn = false;
  endpoint.serverAheadMs = 2 * hour;
  send();
  await time.advance(59 * 60_000 + 29_999);
  send();
  await time.advance(0);
  expect(endpoint.calls).toHaveLength(1);
  await time.advance(1);
  send();
  await time.advance(0);
  expect(endpoint.calls).toHaveLength(2);
});

test("a clock 50 s ahead of tokens of 60 s costs four short leases, then a call and a 401 for each life", async () => {
  const { time, endpoint, send, told } = openTokens();
  endpoint.lifeS = 60;
  endpoint.saysExpiresIn = false;
  endpoint.serverAheadMs = -50_000;
  const sent: Watched[] = [];
  const use = async (forMs: number): Promise<void> => {
    for (let atMs = 0; atMs < forMs; atMs += 1_000) {
      sent.push(send());
      await time.advance(1_000);
    }
  };
  while (told("clock-suspect").length === 0) await use(1_000);
  const leases = told("acquired");
  expect(leases.length).toBeLessThanOrEqual(4);
  expect(leases.map((event) => "reactive" in event && event.reactive)).toEqual([
    false,
    false,
    false,
    true,
  ]);
  // To the end of the life that proved it, and ten more.
  while (told("rejected").length === 0) await use(1_000);
  const calls = endpoint.calls.length;
  await use(600_000);
  expect(endpoint.calls.length - calls).toBeLessThanOrEqual(10);
  expect(told("rejected").length - 1).toBeLessThanOrEqual(10);
  expect(new Set(outcomes(sent))).toEqual(new Set(["200"]));
});

test("a hundred sends in an outage, each after the failure of the one before, are held to the budget", async () => {
  const { time, endpoint, send } = openTokens();
  endpoint.failure = withStatus(500);
  endpoint.latencyMs = 1;
  const callsAtMs: number[] = [];
  let seen = 0;
  for (let request = 0; request < 100; request += 1) {
    const sent = send();
    while (sent.outcome === "pending") {
      await time.advance(10);
      for (; seen < endpoint.calls.length; seen += 1) callsAtMs.push(time.clock.mono());
    }
  }
  expect(endpoint.sends).toEqual([]);
  for (const [index, atMs] of callsAtMs.entries()) {
    const inAMinute = callsAtMs.slice(index).filter((later) => later - atMs < 60_000);
    expect(inAMinute.length).toBeLessThanOrEqual(20);
  }
});

test("a reset between 401 and second send is in time at each of its moments", async () => {
  for (const moment of ["rejected", "request", "acquired"] as const) {
    const { time, endpoint, manager, send, get } = openTokens();
    get();
    await time.advance(100);
    endpoint.revoked.add("token-1");
    manager.subscribe(({ type }) => {
      if (type === moment && endpoint.sends.length === 1) manager.reset();
    });
    const sent = send();
    await time.advance(5_000);
    expect([moment, sent.outcome, endpoint.sends]).toEqual([moment, "session_reset", ["token-1"]]);
  }
});

test("the ready-made endpoint sends nothing that would make a browser ask first", async () => {
  const sent: Request[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    sent.push(new Request(url, init));
    return Response.json({ session_token: "a" });
  });
  try {
    const manager = createSessionTokenManager(sessionEndpoint("https://app.test/api/session"));
    await manager.getToken();
  } finally {
    vi.unstubAllGlobals();
  }
  expect(sent.map(({ method, headers, body }) => [method, [...headers], body])).toEqual([
    ["POST", [], null],
  ]);
});

test("two copies of the package know one another's errors, and neither takes them for its own class", async () => {
  vi.resetModules();
  const copy = await import("./token-error.ts");
  expect(copy.TokenError).not.toBe(TokenError);
  const [ours, theirs] = [new TokenError("disposed", "x"), new copy.TokenError("disposed", "x")];
  expect([theirs instanceof TokenError, isTokenError(theirs)]).toEqual([false, true]);
  expect([ours instanceof copy.TokenError, copy.isTokenError(ours)]).toEqual([false, true]);
});

test("when the budget is used up a flight ends before it has begun, and its failure is held", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  for (let round = 0; round < 11; round += 1) {
    manager.reset();
    get();
    await time.advance(1);
  }
  expect(endpoint.calls).toHaveLength(10);
  expect(told("request")).toHaveLength(10);
  expect(manager.getSnapshot()).toMatchObject({ state: "COOLING", lastErrorCode: "rate_limited" });
});

test("a demand while a renewal runs waits for that renewal", async () => {
  const { time, endpoint, get } = openTokens();
  get();
  await time.advance(hour - 20_000);
  endpoint.latencyMs = 10_000;
  const easy = get();
  await time.advance(1_000);
  const demanding = get({ minValidityMs: 60_000 });
  await time.advance(9_000);
  expect(outcomes([easy, demanding])).toEqual(["token-1", "token-2"]);
  expect(endpoint.calls).toHaveLength(2);
});

test("a listener that resets when it hears of a request keeps the callback from being called", async () => {
  const { time, endpoint, manager, get } = openTokens();
  const end = manager.subscribe(({ type }) => {
    if (type === "request") manager.reset();
  });
  const caller = get();
  await time.advance(20_000);
  expect([caller.outcome, endpoint.calls.length]).toEqual(["session_reset", 0]);
  end();
});

test("the event of a new token tells its generation, and how long it took and lives", async () => {
  const { time, manager, get, told } = openTokens();
  get();
  await time.advance(100);
  manager.reportRejected(manager.peek() as never);
  get();
  await time.advance(100);
  expect(told("acquired", "rejected")).toMatchObject([
    { type: "acquired", gen: 1, latencyMs: 100, lifeMs: hour, source: "relative", reactive: false },
    { type: "rejected", gen: 1, wasCurrent: true },
    { type: "acquired", gen: 2 },
  ]);
});

test("a token of 20 s is used up to its last second, not up to its last five", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.lifeS = 20;
  get();
  await time.advance(18_999);
  expect(manager.peek()?.value).toBe("token-1");
  await time.advance(1);
  expect(manager.peek()).toBeUndefined();
});
