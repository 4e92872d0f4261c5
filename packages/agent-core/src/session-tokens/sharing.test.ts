import { expect, test, vi } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";
import type { SessionTokenResult } from "./session-reply.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";

test("a hundred managers that nobody uses call nothing and wait for nothing", async () => {
  const callback = vi.fn();
  for (let at = 0; at < 100; at += 1) {
    const manager = createSessionTokenManager(callback);
    const end = manager.subscribe(() => undefined);
    manager.getSnapshot();
    manager.peek();
    manager.setCallback(callback);
    end();
    manager.dispose();
  }
  const { time, endpoint, manager } = openTokens();
  manager.getSnapshot();
  await time.advance(24 * 3_600_000);
  expect(callback).not.toHaveBeenCalled();
  expect(endpoint.calls).toHaveLength(0);
  expect(time.pending()).toBe(0);
});

test("fifty callers at once share one call, and get the very same lease at the same moment", async () => {
  const { time, endpoint, get } = openTokens();
  const callers = Array.from({ length: 50 }, () => get());
  await time.advance(100);
  expect(new Set(outcomes(callers))).toEqual(new Set(["token-1"]));
  expect(new Set(callers.map(({ lease }) => lease)).size).toBe(1);
  expect(new Set(callers.map(({ atMs }) => atMs))).toEqual(new Set([100]));
  expect(endpoint.calls).toHaveLength(1);
});

test("fifty callers of a broken endpoint cost three calls and share one error", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.failure = withStatus(503);
  const callers = Array.from({ length: 50 }, () => get());
  await time.advance(20_000);
  expect(endpoint.calls).toHaveLength(3);
  expect(new Set(callers.map(({ error }) => error)).size).toBe(1);
  expect(callers[0]?.error).toMatchObject({
    code: "callback_failed",
    status: 503,
    attempts: 3,
    retryable: true,
  });
});

test("an error that says nothing of itself is worth one more try, not two", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.failure = new Error("x");
  const callers = Array.from({ length: 50 }, () => get());
  await time.advance(20_000);
  expect(endpoint.calls).toHaveLength(2);
  expect(new Set(outcomes(callers))).toEqual(new Set(["callback_failed"]));
});

test("a callback may throw at once, answer at once, or answer twice", async () => {
  const throwing = openTokens();
  throwing.manager.setCallback(() => {
    throw Object.assign(new Error("at once"), { permanent: true });
  });
  const thrown = throwing.get();
  await throwing.time.advance(0);
  expect(thrown.error).toMatchObject({ code: "callback_failed", attempts: 1 });

  const immediate = openTokens();
  immediate.manager.setCallback(() => ({ token: "at-once" }));
  const given = immediate.get();
  await immediate.time.advance(0);
  expect(given.outcome).toBe("at-once");

  const twice = openTokens();
  twice.manager.setCallback(
    () =>
      ({
        // biome-ignore lint/suspicious/noThenProperty: a thenable that misbehaves is the point
        then(resolve: (value: SessionTokenResult) => void) {
          resolve({ token: "first" });
          resolve({ token: "second" });
        },
      }) as PromiseLike<SessionTokenResult>,
  );
  const first = twice.get();
  await twice.time.advance(0);
  expect(first.outcome).toBe("first");
});

test("who comes while the first answer is being handed out gets the same token", async () => {
  const { time, endpoint, manager, get } = openTokens();
  const late: ReturnType<typeof get>[] = [];
  const first = manager.getToken().then((lease) => {
    late.push(get());
    return lease;
  });
  await time.advance(100);
  expect(late[0]?.lease).toBe(await first);
  expect(endpoint.calls).toHaveLength(1);
});

test("one caller's abort touches neither the others nor the call", async () => {
  const { time, endpoint, get } = openTokens();
  const abort = new AbortController();
  const leaving = get({ signal: abort.signal });
  const staying = get();
  await time.advance(50);
  abort.abort(new Error("left"));
  await time.advance(50);
  expect(outcomes([leaving, staying])).toEqual(["left", "token-1"]);
  expect(leaving.atMs).toBe(50);
  expect(endpoint.calls).toHaveLength(1);
  expect(endpoint.calls[0]?.signal.aborted).toBe(false);
});

test("when every caller has left, the call ends all the same and serves the next one", async () => {
  const { time, endpoint, get } = openTokens();
  const abort = new AbortController();
  const callers = [get({ signal: abort.signal }), get({ signal: abort.signal })];
  await time.advance(50);
  abort.abort(new Error("left"));
  await time.advance(50);
  expect(outcomes(callers)).toEqual(["left", "left"]);
  const next = get();
  await time.advance(0);
  expect(next.outcome).toBe("token-1");
  expect(endpoint.calls).toHaveLength(1);
});

test("a signal that has fired already costs no call", async () => {
  const { time, endpoint, get, send } = openTokens();
  const signal = AbortSignal.abort(new Error("gone"));
  const callers = [get({ signal }), send({ signal })];
  await time.advance(1_000);
  expect(outcomes(callers)).toEqual(["gone", "gone"]);
  expect(endpoint.calls).toHaveLength(0);
});

test("ten thousand callers with one signal leave no listener on it", async () => {
  const { time, manager } = openTokens();
  const { signal } = new AbortController();
  let listeners = 0;
  const add = vi.spyOn(signal, "addEventListener").mockImplementation(() => {
    listeners += 1;
  });
  const remove = vi.spyOn(signal, "removeEventListener").mockImplementation(() => {
    listeners -= 1;
  });
  const callers = Array.from({ length: 10_000 }, () => manager.getToken({ signal }));
  await time.advance(0);
  expect(listeners).toBe(10_000);
  await time.advance(100);
  await Promise.all(callers);
  expect(add).toHaveBeenCalledTimes(10_000);
  expect(remove).toHaveBeenCalledTimes(10_000);
  expect(listeners).toBe(0);
});

test("a callback that asks the manager itself runs into its time limit, not into a dead end", async () => {
  const { time, endpoint, manager, get } = openTokens();
  manager.setCallback(async () => {
    await manager.getToken();
    return { token: "never" };
  });
  const caller = get();
  await time.advance(14_999);
  expect(caller.outcome).toBe("pending");
  await time.advance(1);
  expect(caller.outcome).toBe("callback_timeout");
  manager.setCallback(endpoint.getSessionToken);
  await time.advance(1_000);
  const later = get();
  await time.advance(100);
  expect(later.outcome).toBe("token-1");
});

test("prefetch and the first use share one call; a second prefetch and one with a token cost none", async () => {
  const { time, endpoint, manager, get } = openTokens();
  manager.prefetch();
  manager.prefetch();
  const caller = get();
  await time.advance(100);
  manager.prefetch();
  await time.advance(100);
  expect(caller.outcome).toBe("token-1");
  expect(endpoint.calls.map(({ reason }) => reason)).toEqual(["prefetch"]);
});

test("a prefetch that fails is nobody's error, tries once, and does not spoil the next use for long", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  endpoint.failure = withStatus(503);
  manager.prefetch();
  await time.advance(100);
  expect(endpoint.calls).toHaveLength(1);
  expect(told("failed")).toHaveLength(1);
  expect(manager.getSnapshot()).toMatchObject({
    state: "COOLING",
    lastErrorCode: "callback_failed",
  });
  manager.prefetch();
  endpoint.failure = undefined;
  await time.advance(1_000);
  const caller = get();
  await time.advance(100);
  expect(caller.outcome).toBe("token-1");
  expect(endpoint.calls).toHaveLength(2);
});

test("a caller waits 30 s in all, even if the token that came for it was refused on the way", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.latencyMs = 14_000;
  endpoint.turns = [{ latencyMs: 14_000, failure: withStatus(503) }];
  let refusals = 0;
  manager.subscribe(({ type }) => {
    const current = manager.peek();
    if (type !== "acquired" || !current || refusals > 0) return;
    refusals += 1;
    manager.reportRejected(current);
  });
  const caller = get();
  await time.advance(29_999);
  expect([caller.outcome, refusals]).toEqual(["pending", 1]);
  await time.advance(1);
  expect([caller.outcome, caller.atMs]).toEqual(["acquire_timeout", 30_000]);
});

test("a function that listens twice is told twice, and each subscription ends by itself", () => {
  const { manager } = openTokens();
  const listener = vi.fn();
  const endFirst = manager.subscribe(listener);
  manager.subscribe(listener);
  manager.reset();
  expect(listener).toHaveBeenCalledTimes(2);
  endFirst();
  endFirst();
  manager.reset();
  expect(listener).toHaveBeenCalledTimes(3);
});

test("a prefetch while a failure is held calls nothing", async () => {
  const { time, endpoint, manager } = openTokens();
  endpoint.failure = withStatus(503);
  manager.prefetch();
  await time.advance(100);
  manager.prefetch();
  await time.advance(900);
  expect(endpoint.calls).toHaveLength(1);
});

test("who begins to listen in an event is told of the next one first", () => {
  const { manager } = openTokens();
  const late = vi.fn();
  manager.subscribe(() => void manager.subscribe(late));
  manager.reset();
  expect(late).not.toHaveBeenCalled();
  manager.reset();
  expect(late).toHaveBeenCalledOnce();
});
