import fc from "fast-check";
import { expect, test } from "vitest";
import { createSessionTokenManager, type SessionTokenManager } from "./session-tokens.ts";
import { createTokenEndpoint } from "./testing/token-endpoint.ts";
import { createVirtualTime } from "./testing/virtual-time.ts";
import { StopRefreshing, type TokenError } from "./token-error.ts";

function open(options: { random?: () => number } = {}) {
  const time = createVirtualTime();
  const endpoint = createTokenEndpoint(time);
  const manager = createSessionTokenManager(endpoint.getSessionToken, {
    clock: time.clock,
    timers: time.timers,
    random: options.random ?? (() => 0.5),
  });
  return { time, endpoint, manager };
}

/** What became of a promise, without waiting for it. */
function watch(promise: Promise<{ value: string }>): { outcome: string } {
  const watched = { outcome: "pending" };
  promise.then(
    ({ value }) => {
      watched.outcome = value;
    },
    (error: Partial<TokenError> & Error) => {
      watched.outcome = error.code ?? error.message;
    },
  );
  return watched;
}

const get = (manager: SessionTokenManager, signal?: AbortSignal) =>
  watch(manager.getToken(signal ? { signal } : {}));

test("nothing is called before a token is asked for", async () => {
  const { time, endpoint, manager } = open();
  manager.subscribe(() => undefined);
  manager.getSnapshot();
  manager.peek();
  await time.advance(10 * 3_600_000);
  expect(endpoint.calls).toHaveLength(0);
  expect(time.pending()).toBe(0);
});

test("fifty callers at once share one call and one token", async () => {
  const { time, endpoint, manager } = open();
  const callers = Array.from({ length: 50 }, () => get(manager));
  await time.advance(100);
  expect(new Set(callers.map(({ outcome }) => outcome))).toEqual(new Set(["token-1"]));
  expect(endpoint.calls).toHaveLength(1);
});

test("a token is used for almost an hour with one call, and no timer runs meanwhile", async () => {
  const { time, endpoint, manager } = open();
  get(manager);
  await time.advance(100);
  for (let minute = 0; minute < 59; minute += 1) {
    expect(get(manager)).toBeDefined();
    await time.advance(60_000);
  }
  expect(endpoint.calls).toHaveLength(1);
  expect(time.pending()).toBe(0);
});

test("30 s before its end the token is renewed behind the callers' backs", async () => {
  const { time, endpoint, manager } = open();
  get(manager);
  // The life counts from the moment of the request, the safe side.
  await time.advance(3_600_000 - 30_001);
  const fresh = get(manager);
  await time.advance(0);
  expect([fresh.outcome, endpoint.calls.length]).toEqual(["token-1", 1]);
  await time.advance(1);
  const soon = get(manager);
  await time.advance(0);
  expect([soon.outcome, endpoint.calls.length]).toEqual(["token-1", 2]);
  expect(manager.getSnapshot().state).toBe("REFRESHING");
  await time.advance(100);
  const after = get(manager);
  await time.advance(0);
  expect(after.outcome).toBe("token-2");
});

test("a token that is over is never served", async () => {
  const { time, manager } = open();
  get(manager);
  await time.advance(3_600_000 - 5_000);
  expect(manager.peek()).toBeUndefined();
  const late = get(manager);
  await time.advance(0);
  expect(late.outcome).toBe("pending");
  await time.advance(100);
  expect(late.outcome).toBe("token-2");
});

test("a failed renewal is not seen by anyone while the token is good", async () => {
  const { time, endpoint, manager } = open();
  get(manager);
  await time.advance(3_600_000 - 20_000);
  endpoint.failure = new TypeError("down");
  const callers = [];
  for (let second = 0; second < 14; second += 1) {
    callers.push(get(manager));
    await time.advance(1_000);
  }
  expect(new Set(callers.map(({ outcome }) => outcome))).toEqual(new Set(["token-1"]));
  expect(endpoint.calls.length).toBeLessThan(6);
});

test("tokens shorter than the window do not cost a call for every use", async () => {
  const { time, endpoint, manager } = open();
  endpoint.lifeS = 20;
  for (let use = 0; use < 10; use += 1) {
    get(manager);
    await time.advance(1_000);
  }
  expect(endpoint.calls).toHaveLength(1);
});

test("a clock two hours ahead does not cost a call for every use", async () => {
  for (const saysExpiresIn of [true, false]) {
    const { time, endpoint, manager } = open();
    endpoint.saysExpiresIn = saysExpiresIn;
    endpoint.serverAheadMs = -2 * 3_600_000;
    for (let use = 0; use < 10; use += 1) {
      get(manager);
      await time.advance(1_000);
    }
    expect(endpoint.calls).toHaveLength(1);
  }
});

test("a clock two hours behind does not keep a token for longer than it can live", async () => {
  const { time, endpoint, manager } = open();
  endpoint.saysExpiresIn = false;
  endpoint.serverAheadMs = 2 * 3_600_000;
  get(manager);
  await time.advance(3_600_000);
  expect(manager.peek()).toBeUndefined();
});

test("a laptop that slept through the end of its token does not serve it", async () => {
  const { time, manager } = open();
  get(manager);
  await time.advance(100);
  // Asleep, the monotonic clock of most systems stands still; the wall clock does not.
  time.setWall(2 * 3_600_000);
  expect(manager.peek()).toBeUndefined();
});

test("a callback that never answers fails after 15 s, and the next one is asked", async () => {
  const { time, endpoint, manager } = open();
  endpoint.latencyMs = Number.POSITIVE_INFINITY;
  const first = get(manager);
  await time.advance(14_999);
  expect(first.outcome).toBe("pending");
  await time.advance(1);
  expect(first.outcome).toBe("callback_timeout");
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  endpoint.latencyMs = 100;
  await time.advance(1_000);
  const second = get(manager);
  await time.advance(100);
  expect(second.outcome).toBe("token-1");
});

test("an endpoint that is down is asked three times, one that says nothing twice", async () => {
  for (const [failure, calls] of [
    [Object.assign(new Error("x"), { status: 503 }), 3],
    [new TypeError("fetch failed"), 3],
    [new Error("Session creation failed"), 2],
    [Object.assign(new Error("x"), { status: 403 }), 1],
    [new StopRefreshing(), 1],
    [Object.assign(new Error("x"), { permanent: true }), 1],
  ] as const) {
    const { time, endpoint, manager } = open();
    endpoint.failure = failure;
    const callers = Array.from({ length: 20 }, () => get(manager));
    await time.advance(20_000);
    expect(new Set(callers.map(({ outcome }) => outcome))).toEqual(new Set(["callback_failed"]));
    expect(endpoint.calls).toHaveLength(calls);
    expect(time.pending()).toBe(0);
  }
});

test("Retry-After is kept to, and too long a wait fails at once with it", async () => {
  const { time, endpoint, manager } = open();
  endpoint.failure = Object.assign(new Error("busy"), { status: 429, retryAfterMs: 3_000 });
  get(manager);
  await time.advance(3_099);
  expect(endpoint.calls).toHaveLength(1);
  await time.advance(1);
  expect(endpoint.calls).toHaveLength(2);

  const other = open();
  other.endpoint.failure = Object.assign(new Error("busy"), { status: 429, retryAfterMs: 60_000 });
  const refused = other.manager.getToken().catch((error: TokenError) => error);
  await other.time.advance(200);
  expect(await refused).toMatchObject({ code: "callback_failed", retryAfterMs: 60_000 });
});

test("a burst right after a failure is answered without another call", async () => {
  const { time, endpoint, manager } = open();
  endpoint.failure = new StopRefreshing();
  get(manager);
  await time.advance(100);
  expect(manager.getSnapshot().state).toBe("COOLING");
  const burst = [get(manager), get(manager)];
  await time.advance(0);
  expect(burst.map(({ outcome }) => outcome)).toEqual(["callback_failed", "callback_failed"]);
  expect(endpoint.calls).toHaveLength(1);
  endpoint.failure = undefined;
  await time.advance(1_000);
  const later = get(manager);
  await time.advance(100);
  expect(later.outcome).toBe("token-1");
});

test("one caller's abort touches neither the others nor the call", async () => {
  const { time, endpoint, manager } = open();
  const abort = new AbortController();
  const leaving = get(manager, abort.signal);
  const staying = get(manager);
  abort.abort(new Error("left"));
  await time.advance(100);
  expect([leaving.outcome, staying.outcome]).toEqual(["left", "token-1"]);
  expect(endpoint.calls[0]?.signal.aborted).toBe(false);
  const late = get(manager, abort.signal);
  await time.advance(0);
  expect(late.outcome).toBe("left");
});

test("a late 401 does not throw away the token that came after", async () => {
  const { time, endpoint, manager } = open();
  const first = manager.getToken();
  await time.advance(100);
  manager.reportRejected(await first);
  const second = get(manager);
  await time.advance(100);
  expect(second.outcome).toBe("token-2");
  expect(manager.reportRejected(await first)).toBe(false);
  expect(manager.peek()?.value).toBe("token-2");
  expect(endpoint.calls).toHaveLength(2);
});

test("a server that returns the refused token again is told apart from a working one", async () => {
  const { time, endpoint, manager } = open();
  endpoint.answer = { session_token: "stuck", expires_in: 3600 };
  const first = manager.getToken();
  await time.advance(100);
  manager.reportRejected(await first);
  const second = manager.getToken().catch((error: TokenError) => error);
  await time.advance(100);
  expect(await second).toMatchObject({ code: "token_unchanged" });
  expect(((await second) as TokenError).message).toContain("cached");
  expect(manager.peek()).toBeUndefined();
});

test("after a reset no token of the person before is served or waited for", async () => {
  const { time, endpoint, manager } = open();
  const before = get(manager);
  await time.advance(50);
  manager.reset();
  await time.advance(0);
  expect(before.outcome).toBe("session_reset");
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  endpoint.latencyMs = 500;
  const after = get(manager);
  await time.advance(100);
  // The first call has answered by now; its token belongs to the person before.
  expect(manager.peek()).toBeUndefined();
  expect(after.outcome).toBe("pending");
  await time.advance(400);
  expect(after.outcome).toBe("token-2");
});

test("a failure of before a reset is not told to those after it", async () => {
  const { time, endpoint, manager } = open();
  endpoint.failure = new StopRefreshing();
  get(manager);
  await time.advance(50);
  manager.reset();
  endpoint.latencyMs = 500;
  const after = get(manager);
  await time.advance(60);
  // The first call has failed by now.
  expect(manager.getSnapshot()).toMatchObject({ state: "ACQUIRING", lastError: undefined });
  endpoint.failure = undefined;
  await time.advance(500);
  expect(after.outcome).toBe("token-1");
});

test("nobody waits longer than 30 s, however often the endpoint is tried", async () => {
  const { time, endpoint, manager } = open();
  endpoint.latencyMs = 14_000;
  endpoint.failure = Object.assign(new Error("busy"), { status: 503, retryAfterMs: 8_000 });
  const caller = get(manager);
  await time.advance(29_999);
  expect(caller.outcome).toBe("pending");
  await time.advance(1);
  expect(caller.outcome).toBe("acquire_timeout");
});

test("a clock that is set back does not make a token live longer", async () => {
  const { time, manager } = open();
  get(manager);
  await time.advance(100);
  time.setWall(-2 * 3_600_000);
  await time.advance(3_600_000);
  expect(manager.peek()).toBeUndefined();
});

test("when a call has ended, its time limit does not run on", async () => {
  const { time, manager } = open();
  get(manager);
  expect(time.pending()).toBeGreaterThan(0);
  await time.advance(100);
  expect(time.pending()).toBe(0);
});

test("after disposal nothing is called and nothing is given", async () => {
  const { time, endpoint, manager } = open();
  const waiting = get(manager);
  manager.dispose();
  manager.dispose();
  const later = get(manager);
  manager.prefetch();
  await time.advance(60_000);
  expect([waiting.outcome, later.outcome]).toEqual(["disposed", "disposed"]);
  expect(endpoint.calls).toHaveLength(1);
  expect(time.pending()).toBe(0);
});

test("whatever happens, the endpoint is called at most 20 times in any minute", async () => {
  const { time, endpoint, manager } = open();
  endpoint.latencyMs = 1;
  for (let round = 0; round < 1_200; round += 1) {
    const promise = manager.getToken().then(
      (lease) => manager.reportRejected(lease),
      () => undefined,
    );
    await time.advance(100);
    await promise;
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(10 + 20);
  const limited = get(manager);
  await time.advance(1);
  expect(["rate_limited", expect.stringMatching(/^token/)]).toContainEqual(limited.outcome);
});

test("a new callback counts from the next call on and causes none", async () => {
  const { time, endpoint, manager } = open();
  get(manager);
  await time.advance(100);
  manager.setCallback(async () => ({ token: "of-another", expiresIn: 3600 }));
  const cached = get(manager);
  await time.advance(0);
  expect(cached.outcome).toBe("token-1");
  manager.reportRejected(manager.peek() as never);
  const fresh = get(manager);
  await time.advance(0);
  expect(fresh.outcome).toBe("of-another");
  expect(endpoint.calls).toHaveLength(1);
});

test("prefetch and the first message share one call, and its failure is nobody's error", async () => {
  const { time, endpoint, manager } = open();
  manager.prefetch();
  const caller = get(manager);
  await time.advance(100);
  expect(caller.outcome).toBe("token-1");
  expect(endpoint.calls).toHaveLength(1);
  const failing = open();
  failing.endpoint.failure = new StopRefreshing();
  failing.manager.prefetch();
  await failing.time.advance(1_000);
  expect(failing.manager.getSnapshot().lastError?.code).toBe("callback_failed");
});

test("a listener may call anything, and its faults are its own", async () => {
  const { time, manager } = open();
  const states: string[] = [];
  manager.subscribe((event) => {
    states.push(`${event.type}:${manager.getSnapshot().state}`);
    if (event.type === "acquired") manager.reset();
  });
  const caller = get(manager);
  await time.advance(100);
  expect(caller.outcome).toBe("token-1");
  expect(states).toEqual(["request:ACQUIRING", "acquired:READY", "reset:EMPTY"]);
});

test("a callback that asks the manager itself runs into its time limit, not into a dead end", async () => {
  const time = createVirtualTime();
  const manager = createSessionTokenManager(
    async () => {
      await manager.getToken();
      return { token: "x" };
    },
    { clock: time.clock, timers: time.timers },
  );
  const caller = get(manager);
  await time.advance(15_000);
  expect(caller.outcome).toBe("callback_timeout");
});

test("no token stands in what is logged or shown of a manager", async () => {
  const { time, manager } = open();
  const events: unknown[] = [];
  manager.subscribe((event) => events.push(event));
  const lease = manager.getToken();
  await time.advance(100);
  manager.reportRejected(await lease);
  const shown = JSON.stringify([events, await lease, manager.getSnapshot(), manager]);
  expect(shown).not.toContain("token-1");
});

test("random use never overlaps calls, never hangs, and leaves neither a token nor a timer behind", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("get" as const) }),
    fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 400_000 }) }),
    fc.record({ do: fc.constant("reject" as const) }),
    fc.record({ do: fc.constant("reset" as const) }),
    fc.record({ do: fc.constant("life" as const), s: fc.integer({ min: 1, max: 7_200 }) }),
    fc.record({
      do: fc.constant("health" as const),
      mode: fc.constantFrom("ok", "down", "hang", "slow"),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { time, endpoint, manager } = open();
      const watched: { outcome: string }[] = [];
      for (const action of steps) {
        if (action.do === "get") watched.push(get(manager));
        if (action.do === "wait") await time.advance(action.ms);
        if (action.do === "reject") {
          const current = manager.peek();
          if (current) {
            manager.reportRejected(current);
            expect(manager.peek()).toBeUndefined();
          }
        }
        if (action.do === "reset") manager.reset();
        if (action.do === "life") endpoint.lifeS = action.s;
        if (action.do === "health") {
          endpoint.failure = action.mode === "down" ? new TypeError("down") : undefined;
          endpoint.latencyMs =
            action.mode === "hang" ? Number.POSITIVE_INFINITY : action.mode === "slow" ? 9_000 : 50;
        }
        expect(endpoint.maxOverlap()).toBeLessThanOrEqual(1);
      }
      await time.advance(31_000);
      expect(watched.filter(({ outcome }) => outcome === "pending")).toEqual([]);
      await time.advance(3_600_001);
      expect(manager.peek()).toBeUndefined();
      expect(time.pending()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
