import { expect, test } from "vitest";
import { openTokens, outcomes } from "../testing/open-tokens.ts";
import type { TokenLease } from "./lease.ts";

/** Opens a manager with a token in hand. */
async function openReady() {
  const tokens = openTokens();
  tokens.get();
  await tokens.time.advance(100);
  return tokens;
}

test("twenty requests whose token was revoked cost one call, whenever their 401s come", async () => {
  const { time, endpoint, send } = await openReady();
  endpoint.latencyMs = 300;
  endpoint.revoked.add("token-1");
  const sent = Array.from({ length: 20 }, (_, at) => send({ latencyMs: 100 * at + 1 }));
  await time.advance(10_000);
  expect(new Set(outcomes(sent))).toEqual(new Set(["200"]));
  expect(endpoint.calls).toHaveLength(2);
  expect(endpoint.sends).toHaveLength(40);
});

test("a late 401 costs nothing: the request goes again with the token that is there", async () => {
  const { time, endpoint, manager, send } = await openReady();
  const slow = send({ latencyMs: 120_000 });
  await time.advance(100);
  endpoint.revoked.add("token-1");
  const quick = send();
  await time.advance(100);
  expect([quick.outcome, manager.getSnapshot().gen]).toEqual(["200", 2]);
  await time.advance(240_000);
  expect(slow.outcome).toBe("200");
  expect(endpoint.sends).toEqual(["token-1", "token-2", "token-1", "token-2"]);
  expect(endpoint.calls).toHaveLength(2);
  expect(manager.peek()?.value).toBe("token-2");
});

test("a 401 while a renewal runs waits for that renewal", async () => {
  const { time, endpoint, send, get } = await openReady();
  await time.advance(3_600_000 - 25_000);
  endpoint.latencyMs = 2_000;
  get();
  await time.advance(100);
  endpoint.revoked.add("token-1");
  const sent = send();
  await time.advance(2_000);
  expect(sent.outcome).toBe("200");
  expect(endpoint.calls).toHaveLength(2);
});

test("a server that refuses everything gets two requests and then the caller an error with its answer", async () => {
  const { time, endpoint, manager, told } = openTokens();
  endpoint.revoked.add("token-1").add("token-2").add("token-3");
  let sends = 0;
  const refused = manager
    .withToken(async (token) => {
      sends += 1;
      endpoint.api(token);
      return Response.json({ code: "token_revoked" }, { status: 401 });
    })
    .catch((error: unknown) => error);
  await time.advance(1_000);
  const error = (await refused) as { code: string; response: Response; message: string };
  expect(error).toMatchObject({ code: "token_rejected", status: 401, retryable: false });
  expect(await error.response.json()).toEqual({ code: "token_revoked" });
  expect(error.message).toContain("same project");
  expect(sends).toBe(2);
  expect(endpoint.calls).toHaveLength(2);
  expect(manager.peek()).toBeUndefined();
  expect(told("auth-loop")).toEqual([{ type: "auth-loop", freshRejections: 2 }]);
});

test("tokens that were taken before they were refused are no loop", async () => {
  const { time, endpoint, send, told } = await openReady();
  for (let round = 1; round < 5; round += 1) {
    send();
    await time.advance(1_000);
    endpoint.revoked.add(`token-${round}`);
    send();
    await time.advance(1_000);
  }
  expect(told("rejected")).toHaveLength(4);
  expect(told("auth-loop")).toEqual([]);
});

test("a token that was taken, then refused, and a fresh one that is refused are no loop yet", async () => {
  const { time, endpoint, send, told } = await openReady();
  send();
  await time.advance(100);
  endpoint.revoked.add("token-1").add("token-2");
  const sent = send();
  await time.advance(1_000);
  expect(sent.outcome).toBe("token_rejected");
  expect(told("rejected")).toHaveLength(2);
  expect(told("auth-loop")).toEqual([]);
});

test("a token that is refused while it is on its way to a caller does not reach it", async () => {
  const { time, manager, get } = await openReady();
  await time.advance(3_600_000 - 20_000);
  manager.subscribe(({ type }) => {
    const current = manager.peek();
    if (type === "request" && current) manager.reportRejected(current);
  });
  const caller = get();
  await time.advance(100);
  expect(caller.outcome).toBe("token-2");
});

test("five loops against a server that refuses everything are held to the budget, and told when to come back", async () => {
  const { time, endpoint, send, told } = openTokens();
  endpoint.latencyMs = 10;
  endpoint.api = () => new Response(null, { status: 401 });
  const seen: { outcome: string; retryAfterMs: number | undefined; atMs: number }[] = [];
  for (let tick = 0; tick < 1_200; tick += 1) {
    const sent = Array.from({ length: 5 }, () => send());
    await time.advance(100);
    for (const { outcome, error } of sent) {
      seen.push({ outcome, retryAfterMs: error?.retryAfterMs, atMs: time.clock.mono() });
    }
  }
  expect(endpoint.calls.length).toBeLessThanOrEqual(30);
  expect(new Set(seen.map(({ outcome }) => outcome))).toEqual(
    new Set(["token_rejected", "rate_limited"]),
  );
  expect(told("rate-limited").length).toBeGreaterThan(0);
  const last = seen.at(-1);
  const before = endpoint.calls.length;
  await time.advance(Math.max(1_000, last?.retryAfterMs ?? 0));
  send();
  await time.advance(100);
  expect(endpoint.calls.length).toBeGreaterThan(before);
});

test("an endpoint that returns the refused token again is told so, and nothing is sent with it", async () => {
  const { time, endpoint, manager, send, get } = openTokens();
  endpoint.answer = { session_token: "stuck", expires_in: 3600 };
  endpoint.revoked.add("stuck");
  const sent = send();
  await time.advance(1_000);
  expect(sent.error).toMatchObject({ code: "token_unchanged", retryable: false });
  expect(sent.error?.message).toContain("/api/session cached");
  expect(endpoint.sends).toEqual(["stuck"]);
  expect(manager.peek()).toBeUndefined();
  await time.advance(1_000);
  endpoint.answer = undefined;
  const later = get();
  await time.advance(100);
  expect(later.outcome).toBe("token-1");
});

test("a token that was refused some tokens ago is not taken again either", async () => {
  const { time, endpoint, manager, get } = openTokens();
  const names = ["a", "b", "c", "d", "e", "f", "g", "h"];
  for (const name of names) {
    endpoint.answer = { token: name };
    get();
    await time.advance(10_000);
    manager.reportRejected(manager.peek() as never);
  }
  for (const name of names) {
    endpoint.answer = { token: name };
    const caller = get();
    await time.advance(10_000);
    expect([name, caller.outcome]).toEqual([name, "token_unchanged"]);
  }
});

test("a late 401 for a value that a renewal has just confirmed ends that value", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.answer = { token: "same", expiresIn: 3600 };
  get();
  await time.advance(100);
  const early = manager.peek();
  await time.advance(3_600_000 - 20_000);
  get();
  await time.advance(100);
  expect(manager.peek()?.gen).toBe(1);
  expect(manager.reportRejected(early as never)).toBe(true);
  expect(manager.peek()).toBeUndefined();
});

test("the second send carries the second token, and says which send it is", async () => {
  const { time, endpoint, manager } = openTokens();
  endpoint.revoked.add("token-1");
  const headers: string[] = [];
  const original = { "x-app": "1" };
  const answered = manager.withToken(async (token, { attempt }) => {
    const request = new Request("https://api.test/", {
      headers: { ...original, authorization: `Bearer ${token}` },
    });
    headers.push(`${attempt} ${request.headers.get("authorization")}`);
    return endpoint.api(token);
  });
  await time.advance(1_000);
  expect((await answered).status).toBe(200);
  expect(headers).toEqual(["1 Bearer token-1", "2 Bearer token-2"]);
});

test("a request that cannot be repeated is not: its 401 comes back, and the token is not used again", async () => {
  const { time, endpoint, manager, get } = openTokens();
  const answered = manager.withToken(
    async () => Response.json({ code: "token_expired" }, { status: 401 }),
    { replayable: false },
  );
  await time.advance(100);
  const answer = await answered;
  expect(await answer.json()).toEqual({ code: "token_expired" });
  expect(manager.peek()).toBeUndefined();
  const next = get();
  await time.advance(100);
  expect(next.outcome).toBe("token-2");
  expect(endpoint.calls.map(({ reason }) => reason)).toEqual(["initial", "rejected"]);
});

test("other refusals than a 401 for the token itself cost no call and leave it alone", async () => {
  const { time, endpoint, manager, told } = await openReady();
  const scope = { "www-authenticate": 'Bearer error="insufficient_scope", scope="write"' };
  for (const [status, headers] of [
    [403, {}],
    [407, {}],
    [419, {}],
    [500, {}],
    [401, scope],
  ] as const) {
    const answered = manager.withToken(async () => new Response(null, { status, headers }));
    await time.advance(0);
    expect((await answered).status).toBe(status);
  }
  expect(endpoint.calls).toHaveLength(1);
  expect(told("rejected")).toEqual([]);
  expect(manager.peek()?.value).toBe("token-1");
});

test("a network that breaks on the second send says so itself, and the new token stays", async () => {
  const { time, manager } = await openReady();
  const broken = new TypeError("network");
  const answered = manager
    .withToken(async (_, { attempt }) => {
      if (attempt === 2) throw broken;
      return new Response(null, { status: 401 });
    })
    .catch((error: unknown) => error);
  await time.advance(1_000);
  expect(await answered).toBe(broken);
  expect(manager.peek()?.value).toBe("token-2");
});

test("a caller who leaves between 401 and second send is not sent for again; the fetch ends for the others", async () => {
  const { time, endpoint, manager, send } = await openReady();
  endpoint.revoked.add("token-1");
  const abort = new AbortController();
  const sent = send({ signal: abort.signal });
  await time.advance(50);
  expect(endpoint.sends).toEqual(["token-1"]);
  abort.abort(new Error("left"));
  await time.advance(100);
  expect(sent.outcome).toBe("left");
  expect(endpoint.sends).toEqual(["token-1"]);
  expect(manager.peek()?.value).toBe("token-2");
});

test("a caller who leaves in the very moment the token comes is not sent for", async () => {
  const { time, endpoint, manager, send } = openTokens();
  const abort = new AbortController();
  void manager.getToken().then(() => abort.abort(new Error("left")));
  const sent = send({ signal: abort.signal });
  await time.advance(100);
  expect(sent.outcome).toBe("left");
  expect(endpoint.sends).toEqual([]);
});

test("each try of an outer retry reads the token anew", async () => {
  const { time, endpoint, manager } = await openReady();
  const used: string[] = [];
  const request = () =>
    manager.withToken(async (token) => {
      used.push(token);
      return endpoint.api(token);
    });
  await request();
  await time.advance(3_600_000);
  const second = request();
  await time.advance(100);
  expect((await second).status).toBe(200);
  expect(used).toEqual(["token-1", "token-2"]);
});

test("a late 401 for a token that is not current is remembered: it is not taken back later", async () => {
  const { time, endpoint, manager, get } = openTokens();
  endpoint.answer = { token: "a", expiresIn: 3600 };
  get();
  await time.advance(100);
  const old = manager.peek() as TokenLease;
  endpoint.answer = { token: "b", expiresIn: 3600 };
  await time.advance(3_600_000 - 10_000);
  get();
  await time.advance(100);
  expect(manager.peek()?.value).toBe("b");
  // Nobody has refused it before: it has simply been replaced.
  expect(manager.reportRejected(old)).toBe(false);
  manager.reportRejected(manager.peek() as TokenLease);
  endpoint.answer = { token: "a" };
  const caller = get();
  await time.advance(100);
  expect(caller.outcome).toBe("token_unchanged");
});

test("the first answer's body is let go before the second send, and nobody has read it", async () => {
  const { time, manager } = await openReady();
  const order: string[] = [];
  const body = new ReadableStream(
    {
      pull: () => void order.push("read"),
      cancel: () => void order.push("cancelled"),
    },
    { highWaterMark: 0 },
  );
  const answered = manager.withToken(async (_, { attempt }) => {
    order.push(`send ${attempt}`);
    return attempt === 1 ? new Response(body, { status: 401 }) : new Response(null);
  });
  await time.advance(1_000);
  expect((await answered).status).toBe(200);
  expect(order).toEqual(["send 1", "cancelled", "send 2"]);
});

test("a loop is told whatever was taken before it began", async () => {
  const { time, endpoint, send, told } = await openReady();
  send();
  await time.advance(100);
  endpoint.revoked.add("token-1").add("token-2").add("token-3");
  send();
  await time.advance(1_000);
  send();
  await time.advance(2_000);
  expect(told("auth-loop")).toMatchObject([{ freshRejections: 2 }]);
});

test("a second refusal is what the snapshot says, until a token comes", async () => {
  const { time, endpoint, manager, send, get } = await openReady();
  endpoint.revoked.add("token-1").add("token-2");
  const codes: unknown[] = [];
  manager.subscribe(() => codes.push(manager.getSnapshot().lastErrorCode));
  const sent = send();
  await time.advance(1_000);
  expect(sent.outcome).toBe("token_rejected");
  expect(manager.getSnapshot()).toMatchObject({ state: "EMPTY", lastError: sent.error });
  // Listeners have been told when it was so.
  expect(codes.at(-1)).toBe("token_rejected");
  get();
  await time.advance(1_000);
  expect(manager.getSnapshot()).toMatchObject({ state: "READY", lastError: undefined });
});
