import { inspect } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import { withStatus } from "../testing/token-endpoint.ts";
import { createSessionTokenManager } from "./session-token-manager.ts";
import type { TokenEvent } from "./types.ts";

afterEach(() => vi.unstubAllGlobals());

test("two managers share nothing", async () => {
  const a = openTokens();
  const b = openTokens();
  a.endpoint.answer = { token: "of-a" };
  b.endpoint.answer = { token: "of-b" };
  const callers = [a.get(), b.get()];
  await a.time.advance(100);
  await b.time.advance(100);
  expect(outcomes(callers)).toEqual(["of-a", "of-b"]);
  a.manager.reportRejected(b.manager.peek() as never);
  b.manager.reset();
  expect(a.manager.peek()?.value).toBe("of-a");
  for (let call = 0; call < 30; call += 1) {
    a.manager.reset();
    a.get();
    await a.time.advance(100);
  }
  expect(a.told("rate-limited")).not.toEqual([]);
  const other = b.get();
  await b.time.advance(100);
  expect(other.outcome).toBe("of-b");
});

test("a page that comes back after two hours with a fetch under way serves nothing stale and fetches once", async () => {
  const { time, endpoint, manager, get, wake } = openTokens();
  endpoint.turns = [{ latencyMs: 5_000, answer: { token: "two-hours-old" } }];
  const before = get();
  await time.advance(1_000);
  // Frozen: neither timers nor the monotonic clock move, the wall clock does.
  time.setWall(2 * 3_600_000);
  wake();
  const after = get();
  await time.advance(10_000);
  expect(outcomes([before, after])).toEqual(["callback_timeout", "token-1"]);
  expect(manager.peek()?.value).toBe("token-1");
  expect(endpoint.calls).toHaveLength(2);
});

test("two hundred tabs in the background make no call of their own in a whole day", async () => {
  const tabs = Array.from({ length: 200 }, () => openTokens());
  for (const { time, get } of tabs) {
    get();
    await time.advance(100);
  }
  for (const { time, wake } of tabs) {
    await time.advance(24 * 3_600_000);
    wake();
    await time.advance(0);
    expect(time.pending()).toBe(0);
  }
  expect(tabs.map(({ endpoint }) => endpoint.calls.length)).toEqual(Array(200).fill(1));
});

test("the page is listened to only while a token is being fetched, whatever becomes of it", async () => {
  for (const turn of [
    {},
    { failure: withStatus(403) },
    { latencyMs: Number.POSITIVE_INFINITY },
    { answer: "nonsense" },
  ]) {
    const { time, endpoint, get, listening } = openTokens();
    expect(listening()).toBe(0);
    endpoint.turns = [turn];
    get();
    await time.advance(50);
    expect(listening()).toBe(1);
    await time.advance(20_000);
    expect(listening()).toBe(0);
  }
});

test("the page's own events count: shown, restored, online, and hidden does not", async () => {
  const page = new EventTarget();
  const document = { visibilityState: "visible" };
  vi.stubGlobal("document", document);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  const time = openTokens();
  for (const [target, type, visibility, calls] of [
    [page, "pageshow", "visible", 2],
    [page, "online", "hidden", 2],
    // It bubbles from the document to the window.
    [page, "visibilitychange", "visible", 2],
    [page, "visibilitychange", "hidden", 1],
  ] as const) {
    const callback = vi.fn(async () => {
      throw new TypeError("offline");
    });
    const { clock, timers } = time.time;
    const manager = createSessionTokenManager(callback, { clock, timers, random: () => 0.5 });
    manager.getToken().catch(() => undefined);
    await time.time.advance(10);
    document.visibilityState = visibility;
    target.dispatchEvent(new Event(type));
    await time.time.advance(0);
    expect([type, visibility, callback.mock.calls.length]).toEqual([type, visibility, calls]);
    manager.dispose();
    target.dispatchEvent(new Event(type));
    await time.time.advance(10_000);
    expect(callback).toHaveBeenCalledTimes(calls);
  }
});

const acts = {
  throws: () => {
    throw new Error("a listener's own fault");
  },
  asks: ({ get }: ReturnType<typeof openTokens>) => get(),
  resets: ({ manager }: ReturnType<typeof openTokens>) => manager.reset(),
  disposes: ({ manager }: ReturnType<typeof openTokens>) => manager.dispose(),
  reports: ({ manager }: ReturnType<typeof openTokens>) => {
    const current = manager.peek();
    if (current) manager.reportRejected(current);
  },
} as const;

/** Brings about every type of event. */
async function live(tokens: ReturnType<typeof openTokens>): Promise<void> {
  const { time, endpoint, send, get, manager } = tokens;
  endpoint.saysExpiresIn = false;
  endpoint.turns = [
    { failure: withStatus(503) },
    { answer: { token: "x", expiresAt: "2001-01-01 00:00:00" } },
    { answer: { token: "y", expiresIn: 100 } },
    { answer: { token: "y", expiresIn: 100 } },
  ];
  endpoint.revoked.add("x");
  send();
  await time.advance(2_000);
  await time.advance(80_000);
  get();
  await time.advance(2_000);
  endpoint.revoked.add("y").add("token-1").add("token-2");
  endpoint.turns = [];
  send();
  await time.advance(2_000);
  endpoint.turns = [{ latencyMs: 16_000 }];
  get();
  await time.advance(20_000);
  for (let round = 0; round < 12; round += 1) {
    manager.reset("again");
    get();
    await time.advance(200);
  }
}

test("a listener may do anything at any event: all that wait get an answer, and the manager works on", async () => {
  const types = new Set<TokenEvent["type"]>();
  for (const [name, act] of Object.entries(acts)) {
    const faults: unknown[] = [];
    const told = vi.spyOn(console, "error").mockImplementation((fault) => void faults.push(fault));
    try {
      const tokens = openTokens();
      const watched: ReturnType<typeof tokens.get>[] = [];
      const { get, send } = tokens;
      const seeing = {
        ...tokens,
        get: () => {
          const caller = get();
          watched.push(caller);
          return caller;
        },
        send: () => {
          const caller = send();
          watched.push(caller);
          return caller;
        },
      };
      let depth = 0;
      tokens.manager.subscribe((event) => {
        types.add(event.type);
        if (depth > 0) return;
        depth += 1;
        try {
          act(seeing);
        } finally {
          depth -= 1;
        }
      });
      await live(seeing);
      await tokens.time.advance(120_000);
      expect([name, outcomes(watched).filter((outcome) => outcome === "pending")]).toEqual([
        name,
        [],
      ]);
      const last = get();
      await tokens.time.advance(10_000);
      expect([name, last.outcome !== "pending"]).toEqual([name, true]);
      expect(tokens.endpoint.maxOverlap()).toBeLessThanOrEqual(1);
      await new Promise((resolve) => setImmediate(resolve));
      if (name === "throws") expect(faults.length).toBeGreaterThan(0);
      else expect(faults).toEqual([]);
    } finally {
      told.mockRestore();
    }
  }
  expect([...types].sort()).toEqual([
    "acquired",
    "auth-loop",
    "clock-suspect",
    "disposed",
    "expiry-invalid",
    "failed",
    "late-result",
    "rate-limited",
    "rejected",
    "request",
    "reset",
    "timeout",
    "unchanged",
  ]);
});

test("the snapshot is the same object until something changes", async () => {
  const { time, manager, get, endpoint } = openTokens();
  const seen = [manager.getSnapshot()];
  const look = (): void => {
    const now = manager.getSnapshot();
    expect(manager.getSnapshot()).toBe(now);
    if (now !== seen.at(-1)) seen.push(now);
  };
  get();
  look();
  await time.advance(100);
  look();
  get();
  await time.advance(1_000);
  look();
  await time.advance(3_600_000 - 20_000);
  endpoint.failure = new TypeError("down");
  get();
  look();
  await time.advance(100);
  look();
  await time.advance(30_000);
  look();
  manager.dispose();
  look();
  expect(seen.map(({ state, gen, lastErrorCode }) => [state, gen, lastErrorCode])).toEqual([
    ["EMPTY", 0, undefined],
    ["ACQUIRING", 0, undefined],
    ["READY", 1, undefined],
    ["REFRESHING", 1, undefined],
    ["READY", 1, "callback_failed"],
    ["EMPTY", 1, "callback_failed"],
    ["DISPOSED", 1, undefined],
  ]);
});

test("no token stands in any event, error, snapshot or dump, and nothing is written anywhere", async () => {
  const written: string[] = [];
  const spy = (name: string) =>
    new Proxy(() => undefined, {
      get: (_, key) => spy(`${name}.${String(key)}`),
      set: (_, key) => {
        written.push(`${name}.${String(key)}`);
        return true;
      },
      apply: () => void written.push(name),
      construct: () => {
        written.push(name);
        return {};
      },
    });
  for (const name of [
    "localStorage",
    "sessionStorage",
    "indexedDB",
    "BroadcastChannel",
    "history",
    "caches",
    "console",
  ]) {
    vi.stubGlobal(name, spy(name));
  }
  const tokens = openTokens();
  const { time, endpoint, manager, events, get, send } = tokens;
  const secret = "s3cret-";
  const issue = endpoint.getSessionToken;
  manager.setCallback(async (context) => {
    const reply = (await issue(context)) as { session_token: string };
    return { ...reply, session_token: `${secret}${reply.session_token}` };
  });
  const seen: unknown[] = [];
  manager.subscribe((event) => seen.push(event, manager.getSnapshot(), manager.peek()));
  const watched = [get(), send()];
  await time.advance(1_000);
  endpoint.revoked.add(`${secret}token-1`).add(`${secret}token-2`);
  watched.push(send());
  await time.advance(2_000);
  manager.setCallback(async () => ({ session_token: `${secret}\n` }));
  watched.push(get());
  await time.advance(2_000);
  manager.setCallback(async () => ({ session_token: `${secret}a`, token: `${secret}b` }));
  watched.push(get());
  await time.advance(2_000);
  manager.reset();
  await live(tokens);
  expect(new Set(outcomes(watched))).toEqual(
    new Set([`${secret}token-1`, "200", "token_rejected", "invalid_token"]),
  );
  const dumped = [seen, events, manager, watched.map(({ lease, error }) => [lease, error])];
  for (const text of [
    JSON.stringify(dumped),
    inspect(dumped, { depth: 12, showHidden: false }),
    ...watched.flatMap(({ lease, error }) => [
      String(lease),
      String(error),
      JSON.stringify(lease ?? null),
      inspect(lease),
      inspect({ ...lease }),
      error?.stack ?? "",
    ]),
  ]) {
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify(watched[0]?.lease)).toBe('{"gen":1}');
  expect(written).toEqual([]);
});

test("unhandled rejections never happen, even when nobody looks at what fails", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", onUnhandled);
  const { time, endpoint, manager } = openTokens();
  endpoint.failure = withStatus(403);
  manager.prefetch();
  await time.advance(100);
  endpoint.failure = undefined;
  await time.advance(1_000);
  manager.getToken().catch(() => undefined);
  await time.advance(100);
  await time.advance(3_600_000 - 20_000);
  endpoint.turns = [
    { latencyMs: 15_500, failure: new Error("after its time") },
    { latencyMs: 200, failure: new Error("after the reset") },
  ];
  void manager.getToken();
  await time.advance(16_000);
  manager.getToken().catch(() => undefined);
  await time.advance(100);
  manager.reset();
  await time.advance(1_000);
  manager.dispose();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.removeListener("unhandledRejection", onUnhandled);
  expect(unhandled).toEqual([]);
});

test("a document without events of a window is no page, and no fault", async () => {
  vi.stubGlobal("document", { visibilityState: "visible" });
  const manager = createSessionTokenManager(async () => ({ token: "a" }));
  expect((await manager.getToken()).value).toBe("a");
});

test("after a fetch nothing listens to the page any more", async () => {
  const signals: AbortSignal[] = [];
  vi.stubGlobal("document", { visibilityState: "visible" });
  vi.stubGlobal("addEventListener", (_: string, __: unknown, options: { signal: AbortSignal }) => {
    signals.push(options.signal);
  });
  const manager = createSessionTokenManager(async () => ({ token: "a" }));
  const token = manager.getToken();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
  await token;
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
});

test("without performance the wall clock does for both", async () => {
  vi.stubGlobal("performance", undefined);
  const manager = createSessionTokenManager(async () => ({ token: "a", expiresIn: 3600 }));
  expect((await manager.getToken()).value).toBe("a");
});
