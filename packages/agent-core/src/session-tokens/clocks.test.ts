import { expect, test } from "vitest";
import { type OpenTokens, openTokens, outcomes } from "../testing/open-tokens.ts";

const minute = 60_000;
const hour = 60 * minute;

/** A page whose clock is ahead of the server's; replies say only an instant. */
function openAhead(aheadMs: number, lifeS = 3600): OpenTokens {
  const tokens = openTokens();
  tokens.endpoint.saysExpiresIn = false;
  tokens.endpoint.serverAheadMs = -aheadMs;
  tokens.endpoint.lifeS = lifeS;
  return tokens;
}

/** Sends a request every so often; what became of them. */
async function use({ time, send }: OpenTokens, everyMs: number, forMs: number): Promise<string[]> {
  const sent = [];
  for (let atMs = 0; atMs < forMs; atMs += everyMs) {
    sent.push(send());
    await time.advance(everyMs);
  }
  await time.advance(1_000);
  return outcomes(sent);
}

const refusals = ({ told }: OpenTokens): number => told("rejected").length;

test("a clock two hours ahead costs one call for ten uses, and is told as suspect", async () => {
  const tokens = openAhead(2 * hour);
  expect(new Set(await use(tokens, 1_000, 10_000))).toEqual(new Set(["200"]));
  expect(tokens.endpoint.calls).toHaveLength(1);
  expect(tokens.told("clock-suspect")).toHaveLength(1);
});

test("a clock two hours ahead costs no more in three hours than a right one, and nobody sees an error", async () => {
  const tokens = openAhead(2 * hour);
  expect(new Set(await use(tokens, minute, 3 * hour))).toEqual(new Set(["200"]));
  expect(tokens.endpoint.calls.length).toBeLessThanOrEqual(4);
  expect(refusals(tokens)).toBeLessThanOrEqual(3);
});

test("a clock two hours behind renews after an hour all the same, and sends nothing expired", async () => {
  const tokens = openAhead(-2 * hour);
  expect(new Set(await use(tokens, 10_000, hour + 10 * minute))).toEqual(new Set(["200"]));
  expect(refusals(tokens)).toBe(0);
  expect(tokens.endpoint.calls).toHaveLength(2);
});

test("a clock that is a little ahead of short tokens is found out by one probe", async () => {
  const tokens = openAhead(50_000, 60);
  // Until the probe has been used for 5 s longer than the clock would have it.
  expect(new Set(await use(tokens, 1_000, 60_000))).toEqual(new Set(["200"]));
  const callsUntilProven = tokens.endpoint.calls.length;
  expect(callsUntilProven).toBeLessThanOrEqual(6);
  const before = tokens.endpoint.calls.length;
  const refusedBefore = refusals(tokens);
  expect(new Set(await use(tokens, 1_000, 10 * minute))).toEqual(new Set(["200"]));
  expect(tokens.endpoint.calls.length - before).toBeLessThanOrEqual(12);
  expect(refusals(tokens) - refusedBefore).toBeLessThanOrEqual(12);
  expect(tokens.told("clock-suspect").length).toBeGreaterThan(0);
});

test("honest short tokens pay for the probe with one refusal, and go by the clock from then on", async () => {
  for (const lifeS of [20, 60]) {
    const tokens = openAhead(0, lifeS);
    expect(new Set(await use(tokens, 1_000, 20 * minute))).toEqual(new Set(["200"]));
    expect(refusals(tokens)).toBe(1);
    expect(tokens.told("clock-suspect")).toEqual([]);
    expect(tokens.endpoint.calls.length).toBeLessThanOrEqual((20 * 60) / (lifeS * 0.75) + 2);
  }
});

test("however far the clock is ahead of one-hour tokens, three hours cost a handful of calls", async () => {
  for (const [aheadMinutes, most] of [
    [120, 4],
    [59.99, 8],
    [59.5, 8],
    [57, 8],
    [50, 20],
    [30, 8],
  ] as const) {
    const tokens = openAhead(aheadMinutes * minute);
    expect(new Set(await use(tokens, 5_000, 3 * hour))).toEqual(new Set(["200"]));
    expect(tokens.endpoint.calls.length).toBeLessThanOrEqual(most);
    expect(refusals(tokens)).toBeLessThanOrEqual(4);
  }
});

test("a revocation in the middle of a probe proves nothing about the clock", async () => {
  const tokens = openAhead(0, 60);
  // Renewed at 45 s, 90 s and 135 s; the last one is the probe.
  await use(tokens, 1_000, 140_000);
  expect(tokens.told("acquired").map((event) => "reactive" in event && event.reactive)).toEqual([
    false,
    false,
    false,
    true,
  ]);
  tokens.endpoint.revoked.add(tokens.manager.peek()?.value ?? "");
  await use(tokens, 1_000, 1_000);
  // Counted from the beginning: three by the clock, and only then the next probe.
  const after = tokens.events.length;
  await use(tokens, 1_000, 4 * minute);
  const reactive = tokens.events
    .slice(after)
    .flatMap((event) => (event.type === "acquired" ? [event.reactive] : []));
  expect(reactive.slice(0, 3)).toEqual([false, false, true]);
});

test("a clock that is set right after it was found wrong costs one refusal in a life, and no error", async () => {
  const tokens = openAhead(50_000, 60);
  await use(tokens, 1_000, 2 * minute);
  tokens.time.setWall(-50_000);
  const before = refusals(tokens);
  expect(new Set(await use(tokens, 1_000, 10 * minute))).toEqual(new Set(["200"]));
  expect(refusals(tokens) - before).toBeLessThanOrEqual(11);
});

test("replies that say expires_in make the clock's error harmless at once", async () => {
  for (const aheadMs of [2 * hour, 59.5 * minute, -2 * hour]) {
    const tokens = openAhead(aheadMs);
    tokens.endpoint.saysExpiresIn = true;
    expect(new Set(await use(tokens, minute, 3 * hour))).toEqual(new Set(["200"]));
    expect(tokens.endpoint.calls).toHaveLength(3);
    expect(refusals(tokens)).toBe(0);
  }
});

test("a wall clock that jumps three hours ahead costs exactly one call", async () => {
  const { time, endpoint, get } = openTokens();
  get();
  await time.advance(10 * minute);
  time.setWall(3 * hour);
  const callers = [get(), get()];
  await time.advance(100);
  expect(outcomes(callers)).toEqual(["token-2", "token-2"]);
  get();
  await time.advance(minute);
  expect(endpoint.calls).toHaveLength(2);
});

test("a wall clock that jumps three hours back does not lengthen a life", async () => {
  const { time, manager, get } = openTokens();
  get();
  await time.advance(10 * minute);
  time.setWall(-3 * hour);
  await time.advance(50 * minute - 5_001);
  expect(manager.peek()).toBeDefined();
  await time.advance(1);
  expect(manager.peek()).toBeUndefined();
});

test("the time zone of the page means nothing", async () => {
  const { TZ } = process.env;
  try {
    for (const zone of ["UTC", "America/St_Johns", "Pacific/Kiritimati"]) {
      process.env.TZ = zone;
      const { time, endpoint, manager, get } = openTokens();
      const end = new Date(time.clock.wall() + hour).toISOString().replace("Z", "");
      endpoint.answer = { session_token: "a", expires_at: end };
      get();
      await time.advance(100);
      expect(manager.peek()?.expiresInMs).toBe(hour - 100);
    }
  } finally {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});

test("a laptop that slept for two hours does not serve the token of before", async () => {
  const { time, endpoint, manager, get } = openTokens();
  get();
  await time.advance(100);
  time.setWall(2 * hour);
  expect(manager.peek()).toBeUndefined();
  const caller = get();
  await time.advance(0);
  expect(caller.outcome).toBe("pending");
  await time.advance(100);
  expect(caller.outcome).toBe("token-2");
  expect(endpoint.calls).toHaveLength(2);
});

test("a call that a sleep has killed ends when the page is back, and the next use asks at once", async () => {
  const { time, endpoint, get, wake, told } = openTokens();
  endpoint.turns = [{ latencyMs: Number.POSITIVE_INFINITY }];
  const before = get();
  await time.advance(1_000);
  time.setWall(2 * hour);
  wake();
  await time.advance(0);
  expect(before.outcome).toBe("callback_timeout");
  expect(endpoint.calls[0]?.signal.aborted).toBe(true);
  expect(told("timeout")).toHaveLength(1);
  const after = get();
  await time.advance(100);
  expect(after.outcome).toBe("token-1");
  expect(endpoint.calls).toHaveLength(2);
});

test("without any event from the page, the next use finds that a call is overdue", async () => {
  const { time, endpoint, get } = openTokens();
  endpoint.turns = [{ latencyMs: Number.POSITIVE_INFINITY }];
  const before = get();
  await time.advance(1_000);
  time.setWall(2 * hour);
  const after = get();
  await time.advance(100);
  expect(outcomes([before, after])).toEqual(["callback_timeout", "token-1"]);
});

test("an answer that comes after a sleep is not taken: it is as old as the sleep was long", async () => {
  const { time, endpoint, manager, get, told } = openTokens();
  const caller = get();
  await time.advance(50);
  time.setWall(2 * hour);
  await time.advance(50);
  expect(caller.outcome).toBe("callback_timeout");
  expect(manager.peek()).toBeUndefined();
  expect(told("late-result")).toHaveLength(1);
  expect(endpoint.calls).toHaveLength(1);
});

test("a call is overdue at 15 s by either clock, not a moment later", async () => {
  for (const [sleptMs, outcome] of [
    [14_899, "token-1"],
    [14_900, "callback_timeout"],
  ] as const) {
    const { time, get } = openTokens();
    const caller = get();
    await time.advance(50);
    time.setWall(sleptMs);
    await time.advance(50);
    expect(caller.outcome).toBe(outcome);
  }
});

test("the Date of the API's answers sets the next lives right", async () => {
  const aheadMs = 90 * minute;
  const { time, endpoint, manager, get, told } = openTokens();
  endpoint.saysExpiresIn = false;
  endpoint.serverAheadMs = -aheadMs;
  const serverMs = (): number => time.clock.wall() - aheadMs;
  await Promise.all([
    manager.withToken(async () => {
      await new Promise<void>((go) => time.timers.set(go, 400));
      const date = new Date(serverMs()).toUTCString();
      await new Promise<void>((go) => time.timers.set(go, 400));
      return new Response(null, { headers: { date } });
    }),
    time.advance(1_000),
  ]);
  const first = await manager.getToken();
  expect(first.expiresInMs).toBeNull();
  manager.reportRejected(first);
  get();
  await time.advance(0);
  const askedAtMs = time.clock.mono();
  await time.advance(100);
  const lifeMs = (manager.peek()?.expiresInMs ?? 0) + time.clock.mono() - askedAtMs;
  // The token's life begins when it is issued, 100 ms after it was asked for.
  expect(Math.abs(lifeMs - hour - 100)).toBeLessThan(2_000);
  expect(told("acquired").at(-1)).toMatchObject({ source: "offset", reactive: false });
  expect(told("clock-suspect").at(-1)).toMatchObject({ offsetMs: expect.closeTo(-aheadMs, -4) });
});

test("what Date said is not believed any more when a clock was set or has slept since", async () => {
  const { time, endpoint, manager, told } = openTokens();
  endpoint.saysExpiresIn = false;
  const answered = manager.withToken(async () => {
    const date = new Date(time.clock.wall() - 90 * minute).toUTCString();
    return new Response(null, { headers: { date } });
  });
  await time.advance(100);
  await answered;
  time.setWall(10 * minute);
  manager.reportRejected(await manager.getToken());
  void manager.getToken();
  await time.advance(100);
  expect(told("acquired").at(-1)).toMatchObject({ source: "absolute" });
});

test("a clock that differs by a few seconds is left alone, and so is one of which nothing is known", async () => {
  for (const date of [undefined, "nonsense", "differs"]) {
    const { time, endpoint, manager, told } = openTokens();
    endpoint.saysExpiresIn = false;
    const header = date === "differs" ? new Date(time.clock.wall() - 4_000).toUTCString() : date;
    const answered = manager.withToken(async () => {
      return new Response(null, { headers: header === undefined ? {} : { date: header } });
    });
    await time.advance(100);
    await answered;
    manager.reportRejected(await manager.getToken());
    void manager.getToken();
    await time.advance(100);
    expect(told("acquired").at(-1)).toMatchObject({ source: "absolute" });
    expect(told("clock-suspect")).toEqual([]);
  }
});

test("of several answers the one with the shortest way tells the time", async () => {
  const { time, endpoint, manager, told } = openTokens();
  endpoint.saysExpiresIn = false;
  const answer = (aheadMs: number, tookMs: number) =>
    manager.withToken(async () => {
      const date = new Date(time.clock.wall() - aheadMs).toUTCString();
      await new Promise<void>((go) => time.timers.set(go, tookMs));
      return new Response(null, { headers: { date } });
    });
  for (const [aheadMs, tookMs] of [
    [60 * minute, 5_000],
    [90 * minute, 100],
    [60 * minute, 5_000],
  ] as const) {
    const answered = answer(aheadMs, tookMs);
    await time.advance(6_000);
    await answered;
  }
  manager.reportRejected(await manager.getToken());
  void manager.getToken();
  await time.advance(100);
  expect(told("clock-suspect").at(-1)).toMatchObject({
    offsetMs: expect.closeTo(-90 * minute, -4),
  });
});

test("an API that is down proves nothing about the clock", async () => {
  const tokens = openAhead(50_000, 60);
  const { time, manager, endpoint, told } = tokens;
  await use(tokens, 1_000, 30_000);
  expect(told("acquired").at(-1)).toMatchObject({ reactive: true });
  const before = told("clock-suspect").length;
  const api = endpoint.api;
  endpoint.api = () => new Response(null, { status: 503 });
  await time.advance(20_000);
  const answered = manager.withToken(async (token) => endpoint.api(token));
  await time.advance(0);
  expect((await answered).status).toBe(503);
  expect(told("clock-suspect")).toHaveLength(before);
  endpoint.api = api;
  await use(tokens, 1_000, 2_000);
  expect(told("clock-suspect").length).toBe(before + 1);
});

test("a request that was sent before a probe seemed over proves nothing, however late its answer", async () => {
  const tokens = openAhead(50_000, 60);
  await use(tokens, 1_000, 29_000);
  expect(tokens.told("acquired").at(-1)).toMatchObject({ reactive: true });
  const sent = tokens.send({ latencyMs: 20_000 });
  await tokens.time.advance(20_000);
  expect([sent.outcome, tokens.told("clock-suspect")]).toEqual(["200", []]);
  await use(tokens, 1_000, 1_000);
  expect(tokens.told("clock-suspect")).toHaveLength(1);
});
