import { expect, test } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";

const never = Number.POSITIVE_INFINITY;

test("what was fetched for the person before comes to nothing, whenever it comes", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  endpoint.turns = [{ latencyMs: 500, answer: { token: "of-a" } }];
  const ofA = get();
  await time.advance(50);
  manager.reset("sign-out");
  const ofB = get();
  await time.advance(100);
  expect(outcomes([ofA, ofB])).toEqual(["session_reset", "token-1"]);
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  await time.advance(1_000);
  expect(manager.peek()?.value).toBe("token-1");
  expect(told("reset", "late-result")).toEqual([
    { type: "reset", reason: "sign-out" },
    { type: "late-result" },
  ]);
});

test("the end of the fetch before does not take the place of the fetch that runs now", async () => {
  for (const before of [{ answer: { token: "of-a" } }, { failure: withStatus(401) }]) {
    const { time, endpoint, manager, get } = openTokens();
    endpoint.turns = [
      { latencyMs: 100, ...before },
      { latencyMs: 500, answer: { token: "of-b" } },
    ];
    get();
    await time.advance(50);
    manager.reset();
    const first = get();
    await time.advance(60);
    expect(manager.getSnapshot()).toMatchObject({ state: "ACQUIRING", lastError: undefined });
    const second = get();
    await time.advance(500);
    expect(outcomes([first, second])).toEqual(["of-b", "of-b"]);
    expect(endpoint.calls).toHaveLength(2);
  }
});

test("who waited for the person before is refused and not given the next one's token", async () => {
  const { time, manager, get } = openTokens();
  const waiting = get();
  manager.reset();
  const next = get();
  await time.advance(100);
  expect(outcomes([waiting, next])).toEqual(["session_reset", "token-1"]);
});

test("a request that a reset meets between 401 and second send is not sent as somebody else", async () => {
  const { time, endpoint, manager, send, get } = openTokens();
  get();
  await time.advance(100);
  endpoint.revoked.add("token-1");
  const sent = send();
  await time.advance(50);
  manager.reset();
  get();
  await time.advance(1_000);
  expect(sent.outcome).toBe("session_reset");
  expect(endpoint.sends).toEqual(["token-1"]);
});

test("a request that a reset meets while it waits for its token is not sent", async () => {
  const { time, endpoint, manager, send } = openTokens();
  const sent = send();
  await time.advance(50);
  manager.reset();
  await time.advance(1_000);
  expect(sent.outcome).toBe("session_reset");
  expect(endpoint.sends).toEqual([]);
});

test("a reset in the moment in which the token comes still keeps it back", async () => {
  const { time, endpoint, manager, send, get } = openTokens();
  manager.subscribe(({ type }) => {
    if (type === "acquired") manager.reset();
  });
  const sent = send();
  const got = get();
  await time.advance(100);
  expect(outcomes([sent, got])).toEqual(["session_reset", "session_reset"]);
  expect(endpoint.sends).toEqual([]);
});

test("a reset right after a use that a cached token would have served is in time", async () => {
  const { time, manager, get } = openTokens();
  get();
  await time.advance(100);
  const caller = get();
  manager.reset();
  await time.advance(0);
  expect(caller.outcome).toBe("session_reset");
});

test("a fetch that fails for one person never brings the other one's token back", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.turns = [{ answer: { token: "of-a" } }, { failure: withStatus(403) }];
  get();
  await time.advance(100);
  manager.reset();
  const failed = get();
  await time.advance(1_100);
  const next = get();
  await time.advance(100);
  expect(outcomes([failed, next])).toEqual(["callback_failed", "token-1"]);
});

test("a token that was refused for one person may be the good one of another", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.answer = { token: "shared" };
  get();
  await time.advance(100);
  const old = manager.peek();
  manager.reportRejected(old as never);
  manager.reset();
  const caller = get();
  await time.advance(100);
  expect(caller.outcome).toBe("shared");
  // A 401 of before the change still comes in.
  expect(manager.reportRejected(old as never)).toBe(false);
  expect(manager.peek()?.value).toBe("shared");
});

test("a failure of the person before is not held against the next one", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.turns = [{ failure: withStatus(403) }];
  get();
  await time.advance(100);
  expect(manager.getSnapshot().state).toBe("COOLING");
  manager.reset();
  expect(manager.getSnapshot()).toMatchObject({ state: "EMPTY", lastErrorCode: undefined });
  const next = get();
  await time.advance(100);
  expect(next.outcome).toBe("token-1");
});

test("fifty resets a second buy no more than the budget, and never two wanted calls at once", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.latencyMs = 30;
  for (let round = 0; round < 50 * 60; round += 1) {
    get();
    manager.reset();
    get();
    await time.advance(20);
    expect(endpoint.maxOverlap()).toBeLessThanOrEqual(1);
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(20);
});

test("after disposal nothing is called, nothing is given, and nothing runs", async () => {
  const { time, endpoint, manager, events, get, send, listening } = openTokens();
  const waiting = [get(), send()];
  await time.advance(50);
  expect(listening()).toBe(1);
  manager.dispose();
  expect(time.pending()).toBe(1); // The endpoint's own answer.
  expect(listening()).toBe(0);
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  manager.dispose();
  manager[Symbol.dispose]();
  manager.reset();
  manager.prefetch();
  manager.setCallback(endpoint.getSessionToken);
  manager.subscribe((event) => events.push(event));
  const told = events.length;
  const later = [get(), send()];
  await time.advance(60_000);
  expect(outcomes([...waiting, ...later])).toEqual(Array(4).fill("disposed"));
  expect(manager.peek()).toBeUndefined();
  expect(manager.reportRejected({ value: "x", gen: 1 } as never)).toBe(false);
  expect(manager.getSnapshot().state).toBe("DISPOSED");
  expect(endpoint.calls).toHaveLength(1);
  expect(events.slice(told)).toEqual([]);
  expect(events.at(-1)).toEqual({ type: "disposed" });
  expect(time.pending()).toBe(0);
});

test("a request that disposal meets between 401 and second send says so", async () => {
  const { time, endpoint, manager, send, get } = openTokens();
  get();
  await time.advance(100);
  endpoint.revoked.add("token-1");
  const sent = send();
  await time.advance(50);
  manager.dispose();
  await time.advance(1_000);
  expect(sent.outcome).toBe("disposed");
});

test("a thousand new callbacks cause neither a call nor a reset; the latest is the one that is asked", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  get();
  await time.advance(100);
  for (let render = 0; render < 1_000; render += 1) {
    manager.setCallback(async () => ({ token: `render-${render}` }));
  }
  const cached = get();
  await time.advance(0);
  expect(cached.outcome).toBe("token-1");
  expect([endpoint.calls.length, told("reset").length]).toEqual([1, 0]);
  manager.reportRejected(cached.lease as never);
  const fresh = get();
  await time.advance(0);
  expect(fresh.outcome).toBe("render-999");
});

test("a callback that is replaced while it hangs counts for the call that it made, and not for the next try", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.turns = [{ failure: withStatus(503) }, { latencyMs: never }];
  const caller = get();
  await time.advance(100);
  manager.setCallback(async () => ({ token: "of-the-new-one" }));
  await time.advance(500);
  expect(caller.outcome).toBe("of-the-new-one");
  expect(endpoint.calls).toHaveLength(1);
});

test("a late 401 of the person before asks nobody for a token, and tells only that the person changed", async () => {
  const { time, endpoint, manager, get, send } = openTokens();
  get();
  await time.advance(100);
  endpoint.revoked.add("token-1");
  const sent = send({ latencyMs: 500 });
  await time.advance(100);
  manager.reset("sign-out");
  // The next one is not signed in yet.
  endpoint.failure = withStatus(401);
  await time.advance(3_000);
  expect(sent.outcome).toBe("session_reset");
  expect(endpoint.calls).toHaveLength(1);
  expect(manager.getSnapshot()).toMatchObject({ state: "EMPTY", lastErrorCode: undefined });
});

test("a request that began before a reset is refused without a call, even if it waits for nothing", async () => {
  const { time, endpoint, manager, send } = openTokens();
  const sent = send();
  manager.reset();
  await time.advance(1_000);
  expect(sent.outcome).toBe("session_reset");
  expect(endpoint.calls).toHaveLength(0);
});

test("what a callback does when its signal fires is done for the next person", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.turns = [{ latencyMs: never }];
  get();
  await time.advance(50);
  const seen: unknown[] = [];
  endpoint.calls[0]?.signal.addEventListener("abort", () => {
    seen.push(manager.getSnapshot().state, get());
  });
  manager.reset();
  await time.advance(100);
  expect(seen).toMatchObject(["EMPTY", { outcome: "token-1" }]);
});

test("why a token is asked for, and how long to wait for it, begin anew with the person", async () => {
  const { time, endpoint, manager, get } = openTokens({ refreshAheadMs: 600_000 });
  get();
  await time.advance(100);
  manager.reportRejected(manager.peek() as never);
  manager.reset();
  get();
  await time.advance(100);
  expect(endpoint.calls.map(({ reason }) => reason)).toEqual(["initial", "initial"]);
  // Renewals of the person before had failed and were put off.
  await time.advance(3_600_000 - 500_000);
  endpoint.failure = new TypeError("down");
  for (let at = 0; at < 10; at += 1) {
    get();
    await time.advance(10_000);
  }
  endpoint.failure = undefined;
  manager.reset();
  endpoint.lifeS = 20;
  get();
  await time.advance(100);
  const before = endpoint.calls.length;
  await time.advance(15_000);
  get();
  await time.advance(100);
  expect(endpoint.calls.length).toBe(before + 1);
});

test("a success that comes after a reset says nothing of a token with the same text", async () => {
  const { time, endpoint, manager, get, send, told } = openTokens();
  endpoint.answer = { token: "shared" };
  send({ latencyMs: 1_000 });
  await time.advance(500);
  manager.reset();
  get();
  await time.advance(1_000);
  // The next person's was never taken: that it is refused, and the next one, too, is a loop.
  manager.reportRejected(manager.peek() as never);
  endpoint.answer = { token: "another" };
  get();
  await time.advance(100);
  manager.reportRejected(manager.peek() as never);
  expect(told("auth-loop")).toMatchObject([{ freshRejections: 2 }]);
});

test("a reset in the very moment in which a request gets its token keeps it from being sent", async () => {
  const { time, endpoint, manager, send } = openTokens();
  void manager.getToken().then(() => manager.reset());
  const sent = send();
  await time.advance(100);
  expect([sent.outcome, endpoint.sends]).toEqual(["session_reset", []]);
});
