import { expect, test } from "vitest";
import { describeModelError, toModelFailure } from "./model-failure.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");

test.each([
  [{ "retry-after": "3" }, 3_000],
  [{ "retry-after": "0.2" }, 200],
  [{ "retry-after": "Sun, 01 Mar 2026 12:00:07 GMT" }, 7_000],
  [{ "retry-after": "Sun, 01 Mar 2026 11:00:00 GMT" }, 0],
  [{ "retry-after": "9", "retry-after-ms": "250" }, 250],
  [{ "retry-after": "-1" }, undefined],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
  [undefined, undefined],
])("a provider that says %o is waited for as long as it asks", (responseHeaders, ms) => {
  const failure = toModelFailure({ statusCode: 429, responseHeaders }, nowMs);
  expect(failure).toMatchObject({ code: "model_unavailable", retryable: true });
  expect(failure.retryAfterMs).toBe(ms);
});

test.each([
  [400, "model_rejected"],
  [401, "model_rejected"],
  [404, "model_rejected"],
  [422, "model_rejected"],
  [408, "model_unavailable"],
  [409, "model_unavailable"],
  [429, "model_unavailable"],
  [500, "model_unavailable"],
  [529, "model_unavailable"],
  ["429", "model_unavailable"],
  [undefined, "model_unavailable"],
])("an error with the status %s is %s, and may pass if that says so", (statusCode, code) => {
  const failure = toModelFailure({ statusCode });
  expect(failure.code).toBe(code);
  expect(failure.retryable).toBe(code === "model_unavailable");
});

test("what is logged of a provider's error has neither credentials nor bodies in it, and an end", () => {
  const error = Object.assign(
    new Error(`No: Bearer abc.def.ghi, sk-ant-12345678, ${"k".repeat(40)} ${"long ".repeat(500)}`),
    { statusCode: 401, responseBody: "body", requestBodyValues: { prompt: "secret" } },
  );
  const logged = describeModelError(error);
  expect(logged.status).toBe(401);
  expect(logged.message).toMatch(/^No: \[redacted\] \[redacted\], \[redacted\] long/);
  expect(logged.message).toHaveLength(500);
  expect(Object.keys(logged).sort()).toEqual(["message", "name", "status"]);
});
