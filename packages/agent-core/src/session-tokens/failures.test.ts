import { inspect } from "node:util";
import { expect, test, vi } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";
import { readRetryAfter } from "./session-endpoint.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";
import { isTokenError, StopRefreshing, TokenError } from "./token-error.ts";

const never = Number.POSITIVE_INFINITY;

test("a callback that never answers fails after 15 s, is told so, and the next one is asked", async () => {
  const { time, endpoint, get, told } = openTokens();
  endpoint.turns = [{ latencyMs: never }];
  const first = get();
  await time.advance(14_999);
  expect(first.outcome).toBe("pending");
  await time.advance(1);
  expect(first.error).toMatchObject({ code: "callback_timeout", retryable: true, attempts: 1 });
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  expect(told("timeout", "failed").map(({ type }) => type)).toEqual(["timeout", "failed"]);
  expect(time.pending()).toBe(0);
  await time.advance(1_000);
  const second = get();
  await time.advance(100);
  expect(second.outcome).toBe("token-1");
});

test("an answer that comes after its time is thrown away, whatever is current by then", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  endpoint.turns = [{ latencyMs: 20_000, answer: { token: "late" } }];
  get();
  await time.advance(16_000);
  get();
  await time.advance(100);
  await time.advance(3_900);
  expect(told("late-result")).toEqual([{ type: "late-result" }]);
  expect(manager.peek()?.value).toBe("token-1");
  expect(manager.getSnapshot().gen).toBe(1);
});

test("while a token is good, an endpoint that is down is nobody's matter", async () => {
  const { time, endpoint, get, told } = openTokens();
  get();
  await time.advance(3_600_000 - 20_000);
  endpoint.failure = new TypeError("down");
  const callers = [];
  for (let second = 0; second < 14; second += 1) {
    callers.push(get());
    await time.advance(0);
    expect(callers.at(-1)?.outcome).toBe("token-1");
    await time.advance(1_000);
  }
  // 0 s, then 2 s and 4 s and 8 s later.
  expect(endpoint.calls).toHaveLength(1 + 3);
  expect(told("failed").every((event) => "background" in event && event.background)).toBe(true);
});

test("background tries are kept apart by 2 s, 4 s, 8 s ... and at most 60 s, half more or less", async () => {
  for (const [random, gapsMs] of [
    [0.5, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    [0, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]],
  ] as const) {
    const { time, endpoint, get } = openTokens({ random: () => random, refreshAheadMs: 600_000 });
    get();
    await time.advance(3_600_000 - 600_000);
    endpoint.failure = new TypeError("down");
    endpoint.latencyMs = 0;
    const atMs: number[] = [];
    let seen = endpoint.calls.length;
    while (atMs.length < gapsMs.length + 1) {
      get();
      await time.advance(0);
      if (endpoint.calls.length > seen) atMs.push(time.clock.mono());
      seen = endpoint.calls.length;
      await time.advance(500);
    }
    expect(atMs.slice(1).map((at, index) => at - (atMs[index] ?? 0))).toEqual(gapsMs);
  }
});

test("without a token a failing endpoint is tried again, with waits within the jitter's bounds", async () => {
  for (const [random, delaysMs] of [
    [0, [0, 0]],
    [0.999, [499.5, 999]],
  ] as const) {
    const { time, endpoint, get, told } = openTokens({ random: () => random });
    endpoint.turns = [{ failure: withStatus(503) }, { failure: withStatus(503) }];
    const caller = get();
    await time.advance(5_000);
    expect(caller.outcome).toBe("token-1");
    expect(
      told("failed").flatMap((event) =>
        event.type === "failed" && event.retryInMs !== undefined ? [event.retryInMs] : [],
      ),
    ).toEqual(delaysMs);
    expect(endpoint.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  }
});

test("what the endpoint says of the time to wait is kept to; more than 8 s fails at once with it", async () => {
  const short = openTokens();
  short.endpoint.turns = [{ failure: withStatus(429, 2_000) }];
  const patient = short.get();
  await short.time.advance(2_099);
  expect(short.endpoint.calls).toHaveLength(1);
  short.wake();
  await short.time.advance(0);
  expect(short.endpoint.calls).toHaveLength(1);
  await short.time.advance(1);
  expect(short.endpoint.calls).toHaveLength(2);
  await short.time.advance(100);
  expect(patient.outcome).toBe("token-1");

  const long = openTokens();
  long.endpoint.turns = [{ failure: withStatus(429, 120_000) }];
  const refused = long.get();
  await long.time.advance(100);
  expect(refused.error).toMatchObject({ code: "callback_failed", retryAfterMs: 120_000 });
});

test("Retry-After is read in both of its forms", () => {
  const nowMs = Date.UTC(2026, 0, 1);
  const read = (text: string) => readRetryAfter(new Headers({ "retry-after": text }), nowMs);
  expect(read("2")).toBe(2_000);
  expect(read(new Date(nowMs + 120_000).toUTCString())).toBe(120_000);
  expect(read(new Date(nowMs - 5_000).toUTCString())).toBe(0);
  expect(read("soon")).toBeUndefined();
  expect(readRetryAfter(new Headers())).toBeUndefined();
});

test("each kind of failure gets the tries that it is worth", async () => {
  for (const [failure, calls, retryable] of [
    [new TypeError("fetch failed"), 3, true],
    [new DOMException("aborted by somebody", "AbortError"), 3, true],
    [withStatus(408), 3, true],
    [withStatus(425), 3, true],
    [withStatus(429), 3, true],
    [withStatus(500), 3, true],
    [new Error("Session creation failed"), 2, true],
    [withStatus(400), 1, false],
    [withStatus(401), 1, false],
    [withStatus(403), 1, false],
    [withStatus(404), 1, false],
    [withStatus(410), 1, false],
    [new StopRefreshing("signed out"), 1, false],
    [Object.assign(new Error("x"), { permanent: true }), 1, false],
  ] as const) {
    const { time, endpoint, get } = openTokens();
    endpoint.failure = failure;
    const caller = get();
    await time.advance(20_000);
    expect([failure, endpoint.calls.length]).toEqual([failure, calls]);
    expect(caller.error).toMatchObject({ code: "callback_failed", retryable, cause: failure });
    expect(time.pending()).toBe(0);
  }
});

test("who signs in after a refusal goes on without a reset", async () => {
  for (const status of [401, 403]) {
    const { time, endpoint, get } = openTokens();
    endpoint.turns = [{ failure: withStatus(status) }];
    const refused = get();
    await time.advance(100);
    expect(refused.error).toMatchObject({ code: "callback_failed", status, retryable: false });
    expect(refused.error?.message).toContain("signed in");
    await time.advance(1_000);
    const later = get();
    await time.advance(100);
    expect(later.outcome).toBe("token-1");
  }
});

test("whatever a callback rejects with, callers get a TokenError with that as its cause", async () => {
  const trap = new Proxy(new Error("x"), {
    get() {
      throw new Error("trap");
    },
    getPrototypeOf() {
      throw new Error("trap");
    },
    has() {
      throw new Error("trap");
    },
  });
  for (const thrown of [undefined, null, "a text", 7, Symbol("s"), Object.freeze({ a: 1 }), trap]) {
    const { time, manager, get } = openTokens();
    manager.setCallback(() => Promise.reject(thrown));
    const caller = get();
    await time.advance(5_000);
    expect(isTokenError(caller.error)).toBe(true);
    expect(caller.error?.code).toBe("callback_failed");
    expect(Object.hasOwn(caller.error as TokenError, "cause")).toBe(true);
    expect(caller.error?.cause === thrown).toBe(true);
    expect(manager.getSnapshot().lastError).toBe(caller.error);
  }
});

test("a reply whose properties throw when they are read is a failure of the callback", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.answer = {
    get session_token() {
      throw new Error("a getter that throws");
    },
  };
  const caller = get();
  await time.advance(5_000);
  expect(caller.error).toMatchObject({ code: "callback_failed" });
});

test("a burst of requests in an outage, each after the failure of the one before, is held to the budget", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.failure = withStatus(500);
  endpoint.latencyMs = 1;
  for (let request = 0; request < 100; request += 1) {
    const caller = get();
    for (let wait = 0; caller.outcome === "pending" && wait < 400; wait += 1)
      await time.advance(10);
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(
    20 * Math.max(1, Math.ceil(time.clock.mono() / 60_000)),
  );
});

test("for a second after a failure everybody gets it without a call, then the endpoint is asked", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.failure = new StopRefreshing();
  const first = get();
  await time.advance(100);
  expect(manager.getSnapshot().state).toBe("COOLING");
  const burst = [get(), get()];
  await time.advance(999);
  expect(burst.map(({ error }) => error)).toEqual([first.error, first.error]);
  const last = get();
  await time.advance(0);
  expect(last.error).toBe(first.error);
  expect(endpoint.calls).toHaveLength(1);
  endpoint.failure = undefined;
  await time.advance(1);
  expect(manager.getSnapshot().state).toBe("EMPTY");
  const later = get();
  await time.advance(100);
  expect(later.outcome).toBe("token-1");
  expect(manager.getSnapshot()).toMatchObject({ lastError: undefined, lastErrorCode: undefined });
});

test("what the browser says about being online is not believed; when it comes back the wait is cut", async () => {
  vi.stubGlobal("navigator", { onLine: false });
  try {
    const { time, endpoint, get, wake } = openTokens();
    endpoint.turns = [{ failure: new TypeError("offline") }];
    const caller = get();
    await time.advance(100);
    expect(endpoint.calls).toHaveLength(1);
    wake();
    await time.advance(0);
    expect(endpoint.calls).toHaveLength(2);
    wake();
    await time.advance(100);
    expect(caller.outcome).toBe("token-1");
    expect(endpoint.calls).toHaveLength(2);
    expect(time.pending()).toBe(0);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("coming back again and again does not buy more than three tries", async () => {
  const { time, endpoint, get, wake } = openTokens();
  endpoint.failure = new TypeError("offline");
  const caller = get();
  for (let step = 0; step < 50; step += 1) {
    await time.advance(10);
    wake();
  }
  await time.advance(1_000);
  expect(caller.outcome).toBe("callback_failed");
  expect(endpoint.calls).toHaveLength(3);
});

test("nobody waits longer than 30 s, however often the endpoint is tried, and the fetch goes on", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.latencyMs = 14_000;
  endpoint.turns = [
    { failure: withStatus(503, 8_000) },
    { failure: withStatus(503, 8_000) },
    { answer: { token: "at-last" } },
  ];
  const caller = get();
  await time.advance(15_000);
  const later = get();
  await time.advance(14_999);
  expect(caller.outcome).toBe("pending");
  await time.advance(1);
  expect(caller.error).toMatchObject({ code: "acquire_timeout", retryable: true });
  expect(later.outcome).toBe("pending");
  expect(endpoint.calls.at(-1)?.signal.aborted).toBe(false);
  await time.advance(14_999);
  expect(outcomes([caller, later])).toEqual(["acquire_timeout", "pending"]);
});

test("StopRefreshing and TokenError are errors of their own kind, across copies of the package", () => {
  expect(new StopRefreshing().message).not.toBe("");
  const foreign = Object.defineProperty(new Error("x"), Symbol.for("valet.TokenError"), {
    value: true,
  });
  expect(isTokenError(foreign)).toBe(true);
  expect(isTokenError(new TokenError("disposed", "x"))).toBe(true);
  for (const other of [new Error("x"), null, undefined, "x", {}]) {
    expect(isTokenError(other)).toBe(false);
  }
});

test("an error of our own kind that throws when it is read leaves nothing behind", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", onUnhandled);
  const { time, manager, endpoint, get } = openTokens();
  const trap = new Proxy(new TokenError("disposed", "x"), {
    get() {
      throw new Error("trap");
    },
  });
  manager.setCallback(() => Promise.reject(trap));
  const first = get();
  await time.advance(5_000);
  manager.setCallback(endpoint.getSessionToken);
  const second = get();
  await time.advance(2_000);
  await new Promise((resolve) => setImmediate(resolve));
  process.removeListener("unhandledRejection", onUnhandled);
  expect(outcomes([first, second])).toEqual(["callback_failed", "token-1"]);
  expect(unhandled).toEqual([]);
});

test("an error of another manager's is the callback's failure here, whatever its code", async () => {
  for (const code of ["disposed", "session_reset", "rate_limited", "token_rejected"] as const) {
    const { time, manager, get } = openTokens();
    manager.setCallback(() => Promise.reject(new TokenError(code, "of another manager")));
    const caller = get();
    await time.advance(5_000);
    expect(caller.error).toMatchObject({ code: "callback_failed", attempts: 2 });
  }
});

test("every failure says after how many calls it came", async () => {
  for (const [answer, code] of [
    ["a text", "invalid_token"],
    [{ token: "refused-before" }, "token_unchanged"],
  ] as const) {
    const { time, endpoint, manager, get } = openTokens();
    manager.reportRejected({ value: "refused-before", gen: 0 } as never);
    endpoint.turns = [{ failure: withStatus(503) }, { answer }];
    const caller = get();
    await time.advance(3_000);
    expect(caller.error).toMatchObject({ code, attempts: 2, retryable: false });
  }
});

test("a parser's error that quotes the token brings it nowhere, and other words only into the cause", async () => {
  const secret = "s3cret-token-0123456789";
  for (const [fails, cause] of [
    [() => JSON.parse(secret), undefined],
    [() => Promise.reject(Object.assign(new Error(`not ${secret}`), { status: 502 })), "not "],
  ] as const) {
    const { time, manager, get, events } = openTokens();
    manager.setCallback(async () => fails());
    const caller = get();
    await time.advance(9_000);
    const { error } = caller;
    expect(error?.code).toBe("callback_failed");
    const { lastError } = manager.getSnapshot();
    const shown = [error?.message, error?.stack, error?.hint, lastError?.message];
    expect(JSON.stringify([error, events, manager.getSnapshot(), shown])).not.toContain("s3cret");
    if (cause === undefined) expect(inspect(error)).not.toContain("s3cret");
    else expect(error).toHaveProperty("cause.message", expect.stringContaining(cause));
  }
});

test("the time that an endpoint names is kept to when it is too long to wait for, up to a minute", async () => {
  for (const [saysMs, heldMs] of [
    [20_000, 20_000],
    [3_600_000, 60_000],
    [Number.POSITIVE_INFINITY, 60_000],
  ] as const) {
    const { time, endpoint, get } = openTokens();
    endpoint.turns = [{ failure: withStatus(503, saysMs) }];
    const first = get();
    await time.advance(100);
    expect(first.error?.retryAfterMs).toBe(saysMs);
    await time.advance(heldMs - 1);
    const early = get();
    await time.advance(0);
    expect([early.error, endpoint.calls.length]).toEqual([first.error, 1]);
    await time.advance(1);
    const later = get();
    await time.advance(100);
    expect(later.outcome).toBe("token-1");
  }
});

test("a renewal is put off for as long as the endpoint asks, and nobody sees it", async () => {
  const { time, endpoint, get } = openTokens({ refreshAheadMs: 600_000 });
  get();
  await time.advance(3_600_000 - 600_000);
  endpoint.turns = [{ failure: withStatus(429, 30_000) }];
  const callers = [get()];
  await time.advance(100);
  for (let at = 0; at < 29; at += 1) {
    callers.push(get());
    await time.advance(1_000);
  }
  expect(endpoint.calls).toHaveLength(2);
  await time.advance(1_000);
  callers.push(get());
  await time.advance(100);
  expect(new Set(outcomes(callers))).toEqual(new Set(["token-1"]));
  expect(endpoint.calls).toHaveLength(3);
});

test("a negative time to wait is none", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.turns = [{ failure: withStatus(503, -5_000) }];
  const caller = get();
  await time.advance(349);
  expect(endpoint.calls).toHaveLength(1);
  await time.advance(101);
  expect(caller.outcome).toBe("token-1");
});

test("after an ordinary time limit its failure is held, though real timers fire a little early", async () => {
  const states = new Set<string>();
  for (let round = 0; round < 40; round += 1) {
    const manager = createSessionTokenManager(() => new Promise(() => undefined), {
      callbackTimeoutMs: 5,
    });
    await manager.getToken().catch(() => undefined);
    states.add(manager.getSnapshot().state);
  }
  expect([...states]).toEqual(["COOLING"]);
  // The same with clocks that are exact.
  const { time, endpoint, manager, get } = openTokens();
  endpoint.latencyMs = never;
  get();
  await time.advance(15_000);
  expect(manager.getSnapshot().state).toBe("COOLING");
});

test("an outage that comes to light after a sleep is one of time: no second call for who was away", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.turns = [{ failure: new TypeError("the connection slept, too") }];
  const caller = get();
  await time.advance(50);
  time.setWall(2 * 3_600_000);
  await time.advance(5_000);
  expect([caller.outcome, endpoint.calls.length]).toEqual(["callback_timeout", 1]);
});

test("a wait of exactly 8 s is sat out, one of a moment more is not", async () => {
  for (const [saysMs, calls] of [
    [8_000, 2],
    [8_001, 1],
  ] as const) {
    const { time, endpoint, get } = openTokens();
    endpoint.turns = [{ failure: withStatus(503, saysMs) }];
    get();
    await time.advance(8_200);
    expect([saysMs, endpoint.calls.length]).toEqual([saysMs, calls]);
  }
});

test("a renewal that failed holds up a demand for a second only, and then it is tried", async () => {
  const { time, endpoint, get } = openTokens();
  get();
  await time.advance(3_600_000 - 25_000);
  endpoint.turns = [{ failure: withStatus(503) }];
  get();
  await time.advance(100);
  // The next renewal in the background is 2 s away.
  await time.advance(1_000);
  const demanding = get({ minValidityMs: 60_000 });
  await time.advance(100);
  expect(demanding.outcome).toBe("token-2");
});
