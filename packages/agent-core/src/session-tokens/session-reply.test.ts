import fc from "fast-check";
import { expect, test } from "vitest";
import { openTokens } from "../testing/open-tokens.ts";
import { parseInstant, parseSessionReply } from "./session-reply.ts";
import { isTokenError, type TokenError } from "./token-error.ts";

const now = Date.UTC(2026, 2, 17, 8, 54, 51);

function refusal(result: unknown): TokenError {
  try {
    parseSessionReply(result, now);
  } catch (error) {
    expect(isTokenError(error)).toBe(true);
    expect((error as TokenError).code).toBe("invalid_token");
    expect((error as TokenError).hint).toBe((error as TokenError).message);
    return error as TokenError;
  }
  throw new Error("It was accepted.");
}

test("the raw reply and the normalised one say the same", () => {
  const raw = parseSessionReply(
    { session_token: "t", expires_at: "2026-03-17T09:54:51.000000Z", extra: 1 },
    now,
  );
  expect(raw).toEqual({ value: "t", lifeMs: 3_600_000, source: "absolute" });
  expect(parseSessionReply({ token: "t", expiresAt: now + 3_600_000 }, now)).toEqual(raw);
});

test("the life is read from what a wrong clock can spoil least", () => {
  const reply = {
    token: "t",
    expiresIn: 60,
    expiresAt: now + 500_000,
    issuedAt: now + 400_000,
  };
  const { expiresIn: _, ...issued } = reply;
  const { issuedAt: __, ...absolute } = issued;
  for (const [given, offsetMs, lifeMs, source] of [
    [reply, 7_000, 60_000, "relative"],
    [issued, 7_000, 100_000, "issued"],
    [{ ...absolute, server_time: now + 300_000 }, 7_000, 200_000, "issued"],
    [absolute, 7_000, 493_000, "offset"],
    [absolute, undefined, 500_000, "absolute"],
    [{ token: "t" }, 7_000, undefined, "unknown"],
  ] as const) {
    expect(parseSessionReply(given, now, offsetMs)).toMatchObject({ lifeMs, source });
  }
});

test("a life in seconds counts only when it is one", () => {
  const expires_at = (now + 500_000) / 1000;
  for (const [expires_in, lifeMs] of [
    [60, 60_000],
    ["60", 60_000],
    [0.5, 500],
    [0, 500_000],
    [-5, 500_000],
    [Number.NaN, 500_000],
    [Number.POSITIVE_INFINITY, 500_000],
    ["", 500_000],
    [null, 500_000],
  ] as const) {
    expect(parseSessionReply({ session_token: "t", expires_at, expires_in }, now).lifeMs).toBe(
      lifeMs,
    );
  }
});

test("each thing that is no token has a word of its own, a sentence, and never the thing itself", () => {
  const whys = new Map<string, string>();
  for (const [token, word] of [
    ["", "empty"],
    [" secret", "outer_space"],
    ["secret\n", "line_break"],
    ["secret value", "inner_space"],
    ["secret\u{1F511}", "not_ascii"],
    ["s".repeat(9_000), "too_long"],
    ["undefined", "placeholder"],
    ["[object Object]", "placeholder"],
    ['{"token":1}', "json_text"],
    ['"secret"', "quoted"],
    ["Bearer secret", "bearer_prefix"],
    ["bearer secret", "bearer_prefix"],
    [5, "number"],
    [["secret"], "array"],
  ] as const) {
    const { why, message } = refusal({ session_token: token });
    expect([token, why]).toEqual([token, word]);
    expect(message).toMatch(/^The token .*\.$/);
    expect(message).not.toContain("secret");
    whys.set(word, message);
  }
  expect(new Set(whys.values()).size).toBe(whys.size);
  for (const good of ["a", "~", "!", "a".repeat(8_192), "bearerly", "null-and-void"]) {
    expect(parseSessionReply({ token: good }, now).value).toBe(good);
  }
});

test("a reply that is no object says what to return instead", () => {
  for (const [result, why] of [
    [undefined, "result_undefined"],
    [null, "result_null"],
    ['{"session_token":"t"}', "result_string"],
    [7, "result_number"],
    [["t"], "result_array"],
    [() => "t", "result_function"],
  ]) {
    expect(refusal(result)).toMatchObject({ why });
  }
  expect(refusal(new Response("{}"))).toMatchObject({ why: "response" });
  expect(refusal(new Response("{}")).hint).toContain("await res.json()");
});

test("an error with status 200 is told with what it says", () => {
  expect(refusal({ detail: "Invalid key", code: "invalid_api_key" }).hint).toContain(
    "invalid_api_key",
  );
  expect(refusal({ error: "Kapa API error: 401" }).hint).toContain("Kapa API error: 401");
  expect(refusal({ error: "x".repeat(5_000), b: "x ".repeat(500) }).hint.length).toBeLessThan(400);
  // A token in the wrong place is one long word.
  const token = "vs_A1b2C3d4E5f6G7h8I9j0K";
  expect(refusal({ access_token: token, error: `not ${token}` }).hint).not.toContain(token);
  expect(refusal({}).why).toBe("no_token");
  expect(refusal({ session_token: null }).why).toBe("no_token");
});

test("two tokens must be the same one; other fields do no harm", () => {
  expect(refusal({ session_token: "a", token: "b" })).toMatchObject({ why: "two_tokens" });
  expect(parseSessionReply({ session_token: "a", token: "a" }, now).value).toBe("a");
  expect(parseSessionReply({ session_token: null, token: "a" }, now).value).toBe("a");
  const evil = JSON.parse('{"session_token":"a","__proto__":{"token":"b","polluted":1}}');
  expect(parseSessionReply(evil, now).value).toBe("a");
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test("every property is read once", () => {
  const reads: PropertyKey[] = [];
  const reply = new Proxy(
    { session_token: "a", expires_at: "2026-03-17T09:54:51Z" },
    {
      get(target, key) {
        reads.push(key);
        return Reflect.get(target, key);
      },
    },
  );
  parseSessionReply(reply, now);
  expect(reads.filter((key) => key === "session_token")).toHaveLength(1);
  expect(reads.filter((key) => key === "expires_at")).toHaveLength(1);
});

test("every spelling of an instant is the same instant; without a zone it is UTC, and told", () => {
  const instant = Date.UTC(2026, 2, 17, 9, 54, 51, 165);
  for (const [spelling, oddExpiry] of [
    ["2026-03-17T09:54:51.165812Z", undefined],
    ["2026-03-17T11:54:51.165+02:00", undefined],
    ["2026-03-17T05:54:51.1650000000-0400", undefined],
    ["2026-03-17 09:54:51.165", "no-zone"],
    ["2026-03-17T09:54:51.165", "no-zone"],
    ["2026-03-17 09:54:51.165 UTC", undefined],
    [new Date(instant), undefined],
    [instant, undefined],
    [instant / 1000, undefined],
  ] as const) {
    expect(parseInstant(spelling)).toBe(instant);
    const reply = parseSessionReply({ token: "t", expiresAt: spelling }, now);
    expect([spelling, reply.oddExpiry]).toEqual([spelling, oddExpiry]);
  }
  for (const text of ["soon", "", "2026-13-01T00:00:00Z", "2026-03-17", Number.NaN, null, {}]) {
    expect(parseInstant(text)).toBeUndefined();
  }
});

test("instants survive the trip through ISO 8601", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
      expect(parseInstant(date.toISOString())).toBe(date.getTime());
    }),
  );
});

test("whatever a callback answers with, its callers get a token or an error with a code, in time, and the next one works", async () => {
  await fc.assert(
    fc.asyncProperty(fc.anything({ withNullPrototype: true, withDate: true }), async (answer) => {
      const { time, endpoint, manager, get } = openTokens();
      manager.setCallback(async () => answer as never);
      const caller = get();
      await time.advance(2_000);
      expect(caller.outcome).not.toBe("pending");
      if (!caller.lease) expect(isTokenError(caller.error)).toBe(true);
      if (caller.lease) manager.reportRejected(caller.lease);
      manager.setCallback(endpoint.getSessionToken);
      await time.advance(1_000);
      const next = get();
      await time.advance(100);
      expect(next.outcome).toBe("token-1");
    }),
    { numRuns: 300 },
  );
});

test("each bad answer ends at once with its code, without a second call, and the next one works", async () => {
  for (const answer of [
    "a text",
    new Response("{}"),
    {},
    { session_token: "a\r\nx-evil: 1" },
    { session_token: "" },
  ]) {
    const { time, endpoint, get } = openTokens();
    endpoint.turns = [{ answer }];
    const caller = get();
    await time.advance(100);
    expect(caller.outcome).toBe("invalid_token");
    expect(endpoint.calls).toHaveLength(1);
    await time.advance(1_000);
    const next = get();
    await time.advance(100);
    expect(next.outcome).toBe("token-1");
  }
});
