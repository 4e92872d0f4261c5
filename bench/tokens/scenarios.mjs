// The scenarios. Each says what it does to an implementation, and when nothing could be better.
// `get` asks an implementation for its token, `request` sends a request by way of its own handling
// of 401s. A result is what a caller got, the calls of the endpoint, and the time that it took.

const minute = 60_000;
const hour = 60 * minute;

export const scenarios = [
  {
    id: "cold",
    title: "50 cold callers",
    best: "1 call, all served",
    async run({ endpoint, advance, watch, get }) {
      const callers = Array.from({ length: 50 }, () => watch(get()));
      await advance(20_000);
      const served = callers.filter(({ value }) => endpoint.isValid(value)).length;
      return { got: `${served} of 50 served`, isBest: served === 50 && endpoint.calls === 1 };
    },
  },
  {
    id: "cold-down",
    title: "50 cold callers, endpoint down",
    best: "1 to 3 calls, told within 1 s",
    async run({ endpoint, advance, watch, get, unhandled }) {
      endpoint.fails = () => true;
      const callers = Array.from({ length: 50 }, () => watch(get()));
      await advance(2 * minute);
      const told = callers.filter(({ error }) => error).length;
      const ms = Math.max(...callers.map(({ ms: took }) => took ?? Number.POSITIVE_INFINITY));
      const stray = unhandled.length > 0 ? ", unhandled rejections" : "";
      const isBest = told === 50 && ms < 1_000 && endpoint.calls <= 3 && stray === "";
      return { got: `${told} of 50 told${stray}`, ms, isBest };
    },
  },
  {
    id: "hangs",
    title: "callback never settles: caller after 300 s",
    best: "error within 15 s",
    async run({ endpoint, advance, watch, get }) {
      endpoint.hangs = () => true;
      const caller = watch(get());
      await advance(300_000);
      return {
        got: caller.kind,
        ms: caller.ms,
        isBest: caller.kind === "error" && caller.ms <= 15_000,
      };
    },
  },
  {
    id: "hangs-once",
    title: "... then healthy: second caller after 60 s",
    best: "served",
    async run({ endpoint, advance, watch, get }) {
      endpoint.hangs = (call) => call === 1;
      watch(get());
      await advance(minute);
      const caller = watch(get());
      await advance(240_000);
      return { got: caller.kind, ms: caller.ms, isBest: endpoint.isValid(caller.value) };
    },
  },
  {
    id: "last-seconds-down",
    title: "20 s left, endpoint down",
    best: "the token, at once",
    async run({ endpoint, advance, watch, get, prime }) {
      await prime();
      await advance(hour - 20_000 - 1_000);
      endpoint.fails = () => true;
      const caller = watch(get());
      await advance(2 * minute);
      return {
        got: caller.kind,
        ms: caller.ms,
        isBest: caller.kind === "token" && caller.ms === 0,
      };
    },
  },
  {
    id: "slow-renewal",
    title: "45 s left, endpoint takes 3 s",
    best: "not blocked",
    async run({ endpoint, advance, watch, get, prime }) {
      await prime();
      await advance(hour - 45_000 - 1_000);
      endpoint.latencyMs = 3_000;
      const caller = watch(get());
      await advance(10_000);
      return {
        got: caller.kind,
        ms: caller.ms,
        isBest: caller.kind === "token" && caller.ms === 0,
      };
    },
  },
  {
    id: "short-life",
    title: "20 s tokens, 10 uses in 10 s",
    best: "1 call",
    async run({ endpoint, advance, watch, get }) {
      endpoint.lifeMs = 20_000;
      const served = await useEverySecond({ endpoint, advance, watch, get });
      return { got: `${served} of 10 served`, isBest: served === 10 && endpoint.calls === 1 };
    },
  },
  {
    id: "short-life-idle",
    title: "20 s tokens, idle minute",
    best: "no call",
    async run({ endpoint, advance, prime }) {
      endpoint.lifeMs = 20_000;
      await prime();
      const before = endpoint.calls;
      await advance(minute);
      const calls = endpoint.calls - before;
      return { got: "idle", calls, isBest: calls === 0 };
    },
  },
  {
    id: "clock-ahead",
    title: "client 2 h ahead, 10 uses",
    best: "1 call, all served",
    async run({ endpoint, advance, watch, get }) {
      endpoint.clientAheadMs = 2 * hour;
      const served = await useEverySecond({ endpoint, advance, watch, get });
      return { got: `${served} of 10 served`, isBest: served === 10 && endpoint.calls === 1 };
    },
  },
  {
    id: "clock-behind",
    title: "client 2 h behind, after 65 min",
    best: "a token that is good",
    async run({ endpoint, advance, watch, get, prime }) {
      endpoint.clientAheadMs = -2 * hour;
      await prime();
      await advance(65 * minute);
      const caller = watch(get());
      await advance(minute);
      // What it was when it was given, not a minute later.
      const isGood = caller.wasValid;
      const got = caller.kind === "token" ? (isGood ? "good token" : "expired token") : caller.kind;
      return { got, ms: caller.ms, isBest: isGood };
    },
  },
  {
    id: "long-life",
    title: "60-day token, next 10 s",
    best: "no call",
    async run({ endpoint, advance, prime }) {
      endpoint.lifeMs = 60 * 24 * hour;
      await prime();
      const before = endpoint.calls;
      await advance(10_000);
      const calls = endpoint.calls - before;
      return { got: "idle", calls, isBest: calls === 0 };
    },
  },
  {
    id: "abort",
    title: "first caller aborts: second caller",
    best: "served",
    async run({ endpoint, advance, watch, get }) {
      const abort = new AbortController();
      watch(get(abort.signal));
      const second = watch(get());
      await advance(50);
      abort.abort();
      await advance(20_000);
      return { got: second.kind, ms: second.ms, isBest: endpoint.isValid(second.value) };
    },
  },
  {
    id: "empty",
    title: 'callback returns ""',
    best: "a clear error",
    async run({ endpoint, advance, watch, get }) {
      endpoint.isEmpty = true;
      const caller = watch(get());
      await advance(2 * minute);
      const got = caller.kind === "token" ? `"${caller.value}"` : caller.kind;
      return { got, ms: caller.ms, isBest: caller.kind === "error" };
    },
  },
  {
    id: "401-spread",
    title: "20 requests of one revoked token, 401s over 2 s",
    best: "1 call, 20 served",
    run: (tools) => refuseTwenty(tools, (request) => 100 * (request + 1)),
  },
  {
    id: "401-at-once",
    title: "20 requests of one revoked token, 401s at once",
    best: "1 call, 20 served",
    run: (tools) => refuseTwenty(tools, () => 100),
  },
  {
    id: "401-always",
    title: "server always 401, one request",
    best: "2 sends, then told",
    async run({ endpoint, advance, watch, request }) {
      endpoint.isValid = () => false;
      const caller = watch(request(() => 50));
      await advance(2 * minute);
      const { sends } = endpoint;
      const got = caller.kind === "pending" ? "pending" : "told";
      return {
        got: `${got}, ${sends} sends`,
        ms: caller.ms,
        isBest: sends === 2 && got === "told",
      };
    },
  },
];

async function useEverySecond({ endpoint, advance, watch, get }) {
  let served = 0;
  for (let use = 0; use < 10; use += 1) {
    const caller = watch(get());
    await advance(1_000);
    if (caller.kind === "token" && endpoint.isValid(caller.value)) served += 1;
  }
  return served;
}

async function refuseTwenty({ endpoint, advance, watch, request, prime }, tookMs) {
  const token = await prime();
  const before = endpoint.calls;
  const sent = Array.from({ length: 20 }, (_, at) => {
    let sends = 0;
    return watch(
      request(() => {
        sends += 1;
        return sends === 1 ? tookMs(at) : 100;
      }),
    );
  });
  await advance(10);
  endpoint.revoked.add(token);
  await advance(minute);
  const served = sent.filter(({ value }) => value === 200).length;
  const calls = endpoint.calls - before;
  return { got: `${served} of 20 served`, calls, isBest: served === 20 && calls === 1 };
}
