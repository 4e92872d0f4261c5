import fc from "fast-check";
import { expect, test } from "vitest";
import { parseInstant, parseSessionReply } from "./session-reply.ts";
import type { TokenError } from "./token-error.ts";

const now = Date.UTC(2026, 2, 17, 8, 54, 51);

function refusal(result: unknown): string {
  try {
    parseSessionReply(result, now);
  } catch (error) {
    expect((error as TokenError).code).toBe("invalid_token");
    return (error as Error).message;
  }
  throw new Error("It was accepted.");
}

test("the raw reply and the normalised one say the same", () => {
  const raw = parseSessionReply(
    { session_token: "t", expires_at: "2026-03-17T09:54:51.000000Z", extra: 1 },
    now,
  );
  expect(raw).toEqual({ value: "t", lifeMs: 3_600_000, source: "absolute", apiUrl: undefined });
  expect(parseSessionReply({ token: "t", expiresAt: now + 3_600_000 }, now)).toEqual(raw);
});

test("a life in seconds wins over an instant, because no wrong clock can spoil it", () => {
  const reply = { session_token: "t", expires_at: "1999-01-01T00:00:00Z", expires_in: 60 };
  expect(parseSessionReply(reply, now)).toMatchObject({ lifeMs: 60_000, source: "relative" });
});

test("what is no reply is told in words that help, and never with a token in them", () => {
  expect(refusal(undefined)).toContain("nothing");
  expect(refusal(new Response("{}"))).toContain("await res.json()");
  expect(refusal({ detail: "Invalid key", code: "invalid_api_key" })).toContain("invalid_api_key");
  expect(refusal({ error: "Kapa API error: 401" })).toContain("Kapa API error: 401");
  expect(refusal({ token: "a", session_token: "b" })).toContain("two different");
  for (const token of ["", " ", "a b", "undefined", "null", '{"a":1}', "a\r\nb", "Bearer", 7]) {
    refusal({ session_token: token });
  }
  expect(refusal({ session_token: "secret value" })).not.toContain("secret");
});

test("every spelling of an instant is the same instant", () => {
  const instant = Date.UTC(2026, 2, 17, 9, 54, 51, 165);
  for (const text of [
    "2026-03-17T09:54:51.165812Z",
    "2026-03-17T11:54:51.165+02:00",
    "2026-03-17 09:54:51.165",
    "2026-03-17T09:54:51.165 UTC",
    new Date(instant),
    instant,
  ]) {
    expect(parseInstant(text)).toBe(instant);
  }
  expect(parseInstant(Math.floor(instant / 1000))).toBe(Math.floor(instant / 1000) * 1000);
  for (const text of ["soon", "", Number.NaN, null, {}]) expect(parseInstant(text)).toBeUndefined();
});

test("instants survive the trip through ISO 8601", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
      expect(parseInstant(date.toISOString())).toBe(date.getTime());
    }),
  );
});
