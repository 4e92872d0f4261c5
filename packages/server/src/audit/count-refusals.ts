import type { ErrorCode } from "@valet/protocol";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import { networkOf } from "../http/ip-address.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { Tallies } from "./tallies.ts";

/**
 * Codes of a credential that was not accepted. That none was sent, or that one has expired, is
 * everyday; a key used from a page has a line of its own.
 */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid_token",
  "token_revoked",
  "invalid_api_key",
  "key_expired",
  "key_revoked",
  "key_disabled",
  "key_rotated",
  "ip_not_allowed",
  "insufficient_scope",
  "wrong_password",
  "invalid_setup_code",
]);

/** Counts the credentials that were refused, by reason and network. */
export function countRefusals(tallies: Pick<Tallies, "refused">) {
  return createMiddleware<AppEnv>(async (c, next) => {
    await next();
    if (!(c.error instanceof ProblemError) || !refusals.has(c.error.code)) return;
    tallies.refused(c.error.code, networkOf(c.get("clientAddress")?.(c) ?? "unknown"));
  });
}
