import { expect, test } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";

/** Opens a manager that already has a token; its life counts from time 0. */
async function openWithToken(options: { lifeS?: number } = {}) {
  const tokens = openTokens();
  tokens.endpoint.lifeS = options.lifeS ?? 3600;
  tokens.get();
  await tokens.time.advance(100);
  return tokens;
}

test("31 s before its end a token is simply used; 30 s before it is used and renewed; 5 s before it is over", async () => {
  const { time, endpoint, get } = await openWithToken();
  await time.advance(3_600_000 - 31_000 - 100);
  const fresh = get();
  await time.advance(999);
  expect([fresh.outcome, endpoint.calls.length]).toEqual(["token-1", 1]);
  await time.advance(1);
  endpoint.latencyMs = 60_000;
  const soon = get();
  await time.advance(0);
  expect([soon.outcome, endpoint.calls.length]).toEqual(["token-1", 2]);

  const other = await openWithToken();
  await other.time.advance(3_600_000 - 5_000 - 100 - 1);
  expect(other.manager.peek()?.value).toBe("token-1");
  await other.time.advance(1);
  expect(other.manager.peek()).toBeUndefined();
  const over = other.get();
  await other.time.advance(99);
  expect(over.outcome).toBe("pending");
  await other.time.advance(1);
  expect(over.outcome).toBe("token-2");
});

test("while a renewal runs, everybody gets the old token at once", async () => {
  const { time, endpoint, manager, get } = await openWithToken();
  await time.advance(3_600_000 - 30_000);
  endpoint.latencyMs = 10_000;
  const callers = Array.from({ length: 10 }, () => get());
  await time.advance(0);
  expect(new Set(outcomes(callers))).toEqual(new Set(["token-1"]));
  expect(manager.getSnapshot().state).toBe("REFRESHING");
  expect(endpoint.calls.map(({ reason }) => reason)).toEqual(["initial", "refresh"]);
  await time.advance(10_000);
  expect(manager.peek()?.value).toBe("token-2");
});

test("a renewal that takes until the old token is over is joined, not repeated", async () => {
  const { time, endpoint, get } = await openWithToken();
  endpoint.latencyMs = 10_000;
  await time.advance(3_600_000 - 9_000 - 100);
  get();
  await time.advance(5_000);
  const waiting = get();
  await time.advance(0);
  expect(waiting.outcome).toBe("pending");
  await time.advance(5_000);
  expect(waiting.outcome).toBe("token-2");
  expect(endpoint.calls).toHaveLength(2);
});

test("a renewal that somebody has joined is tried again like a first fetch", async () => {
  const { time, endpoint, get } = await openWithToken();
  endpoint.turns = [{ latencyMs: 6_000, failure: withStatus(503) }];
  await time.advance(3_600_000 - 9_000 - 100);
  get();
  await time.advance(5_000);
  const waiting = get();
  await time.advance(2_000);
  expect(waiting.outcome).toBe("token-2");
  expect(endpoint.calls.map(({ attempt }) => attempt)).toEqual([1, 1, 2]);
});

test("tokens of 20 s cost a call for three quarters of their life, not one for every use", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.lifeS = 20;
  for (let second = 0; second < 10; second += 1) {
    get();
    await time.advance(1_000);
  }
  expect(endpoint.calls).toHaveLength(1);
  for (let second = 10; second < 60; second += 1) {
    get();
    await time.advance(1_000);
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(5);
});

test("a token that looks dead on arrival is used until the server refuses it", async () => {
  for (const lifeS of [1, 0, -7_200]) {
    const { time, endpoint, get, send, told } = openTokens();
    endpoint.answer = { session_token: "a", expires_at: (time.clock.wall() + lifeS * 1000) / 1000 };
    for (let use = 0; use < 10; use += 1) {
      get();
      await time.advance(1_000);
    }
    expect(endpoint.calls).toHaveLength(1);
    expect(told("clock-suspect")).toHaveLength(1);
    expect(told("acquired")).toMatchObject([{ reactive: true, lifeMs: null }]);
    endpoint.revoked.add("a");
    endpoint.answer = { session_token: "b" };
    const sent = send();
    await time.advance(100);
    expect(sent.outcome).toBe("200");
    expect(endpoint.calls).toHaveLength(2);
  }
});

test("a token that lives shorter than its way takes is used until the server refuses it", async () => {
  const { time, endpoint, get, told } = openTokens();
  endpoint.latencyMs = 3_000;
  endpoint.answer = { token: "a", expiresIn: 2 };
  get();
  await time.advance(3_000);
  for (let use = 0; use < 10; use += 1) {
    expect(get().outcome).toBe("pending");
    await time.advance(1_000);
  }
  expect(endpoint.calls).toHaveLength(1);
  expect(told("acquired", "clock-suspect").map(({ type }) => type)).toEqual([
    "acquired",
    "clock-suspect",
  ]);
});

test("a life of 60 days starts no timer, and counts for an hour", async () => {
  const { time, endpoint, manager, get } = await openWithToken({ lifeS: 60 * 86_400 });
  expect(time.pending()).toBe(0);
  expect(time.longestDelayMs()).toBe(30_000);
  expect(manager.peek()?.expiresInMs).toBe(3_600_000 - 100);
  await time.advance(3_500_000);
  get();
  expect(endpoint.calls).toHaveLength(1);
});

test("who needs a token for longer waits for a new one; the others still get the old", async () => {
  const { time, endpoint, get } = await openWithToken();
  await time.advance(3_600_000 - 40_000 - 100);
  const demanding = get({ minValidityMs: 60_000 });
  const easy = get({ minValidityMs: 40_000 });
  const modest = get();
  await time.advance(0);
  expect(outcomes([demanding, easy, modest])).toEqual(["pending", "token-1", "token-1"]);
  await time.advance(100);
  expect(demanding.outcome).toBe("token-2");
  expect(endpoint.calls).toHaveLength(2);
});

test("a demand that no fresh token can meet does not cost a call for every use", async () => {
  const { time, endpoint, get } = await openWithToken({ lifeS: 20 });
  const callers = [];
  for (let second = 0; second < 14; second += 1) {
    callers.push(get({ minValidityMs: 60_000 }));
    await time.advance(1_000);
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(4);
  expect(outcomes(callers)).not.toContain("pending");
  const before = endpoint.calls.length;
  get({ minValidityMs: 60_000 });
  get({ minValidityMs: 60_000 });
  await time.advance(100);
  expect(endpoint.calls.length).toBeLessThanOrEqual(before + 1);
});

test("a demand that the endpoint cannot meet now is an error for who made it alone", async () => {
  const { time, endpoint, get } = await openWithToken();
  await time.advance(3_600_000 - 40_000);
  endpoint.failure = withStatus(403);
  const demanding = get({ minValidityMs: 60_000 });
  await time.advance(100);
  expect(demanding.outcome).toBe("callback_failed");
  const again = get({ minValidityMs: 60_000 });
  const modest = get();
  await time.advance(0);
  expect(outcomes([again, modest])).toEqual(["callback_failed", "token-1"]);
  expect(endpoint.calls).toHaveLength(2);
});

test("an expiry that is missing or cannot be read leaves the token usable for an hour at most", async () => {
  for (const [expires_at, detail] of [
    [undefined, "missing"],
    ["soon", "unreadable"],
    [Number.NaN, "missing"],
    ["99999-01-01T00:00:00Z", "unreadable"],
    [3e15, "unreadable"],
    [{ odd: true }, "unreadable"],
  ]) {
    const { time, endpoint, get, manager, told } = openTokens();
    endpoint.answer = { session_token: "a", expires_at };
    const caller = get();
    await time.advance(100);
    expect(caller.outcome).toBe("a");
    expect(told("expiry-invalid")).toEqual([{ type: "expiry-invalid", detail }]);
    await time.advance(3_600_000 - 101);
    expect(manager.peek()?.value).toBe("a");
    await time.advance(1);
    expect(manager.peek()).toBeUndefined();
  }
});

test("an endpoint that keeps answering with the same token is not asked for every use", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  endpoint.answer = { token: "same", expiresAt: (time.clock.wall() + 3_600_000) / 1000 };
  get();
  await time.advance(3_600_000 - 30_000);
  const callers = [];
  for (let second = 0; second < 24; second += 1) {
    callers.push(get());
    await time.advance(1_000);
  }
  expect(new Set(outcomes(callers))).toEqual(new Set(["same"]));
  // At 0 s, then after 2, 4 and 8 s more.
  expect(endpoint.calls).toHaveLength(1 + 4);
  expect(told("unchanged")).toEqual(Array(4).fill({ type: "unchanged", gen: 1 }));
  expect(manager.getSnapshot().gen).toBe(1);
});

test("the same token with a later end lives on as the same token", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.answer = { token: "same", expiresIn: 3600 };
  get();
  await time.advance(3_600_000 - 20_000);
  get();
  await time.advance(100);
  expect(manager.getSnapshot().gen).toBe(1);
  expect(manager.peek()?.expiresInMs).toBe(3_600_000 - 100);
  await time.advance(60_000);
  get();
  await time.advance(0);
  expect(endpoint.calls).toHaveLength(2);
});

test("the same token with an earlier end does not get shorter", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.answer = { token: "same", expiresIn: 3600 };
  get();
  await time.advance(3_600_000 - 20_000);
  endpoint.answer = { token: "same", expiresIn: 8 };
  get();
  await time.advance(100);
  expect(manager.peek()?.expiresInMs).toBe(19_900);
});

test("a token that comes again in its last seconds is used up to its end, not asked for at each use", async () => {
  const { time, endpoint, get } = openTokens();
  const end = new Date(time.clock.wall() + 3_600_000).toISOString();
  endpoint.answer = { session_token: "same", expires_at: end };
  endpoint.latencyMs = 10;
  get();
  await time.advance(3_600_000 - 4_900);
  const callers = [];
  for (let use = 0; use < 20; use += 1) {
    callers.push(get());
    await time.advance(200);
  }
  expect(new Set(outcomes(callers))).toEqual(new Set(["same"]));
  expect(endpoint.calls.length).toBeLessThanOrEqual(5);
});

test("a demand costs no call while only the server can tell how long the token is good", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.saysExpiresIn = false;
  endpoint.serverAheadMs = -7_200_000;
  const callers = [];
  for (let use = 0; use < 10; use += 1) {
    callers.push(get({ minValidityMs: 3_600_000 }));
    await time.advance(1_000);
  }
  expect(new Set(outcomes(callers))).toEqual(new Set(["token-1"]));
  expect(endpoint.calls).toHaveLength(1);
});
