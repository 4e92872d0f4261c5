import { ProblemError } from "../http/problem-answer.ts";
import type { Verdict } from "./limiter.ts";

/**
 * The headers that tell how a request stands with its limits: the policies, and what is left of
 * each. `t` is when the whole quota can be had again; for a policy that refuses, when the next
 * request is let through, which is what `Retry-After` says.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4
 */
export function limitHeaders(verdicts: readonly Verdict[]): Record<string, string> {
  return {
    "ratelimit-policy": verdicts
      .map(({ policy, rate }) => `"${policy}";q=${rate.quota};w=${rate.windowMs / 1000}`)
      .join(", "),
    ratelimit: verdicts
      .map((verdict) => `"${verdict.policy}";r=${verdict.remaining};t=${resetSeconds(verdict)}`)
      .join(", "),
  };
}

/** The problem that a refused request is answered with; undefined when nothing refuses it. */
export function refusal(
  code: "quota_exceeded" | "abnormal_usage",
  verdicts: readonly Verdict[],
): ProblemError | undefined {
  const violated = verdicts.filter(({ isAdmitted }) => !isAdmitted);
  if (violated.length === 0) return undefined;
  const seconds = Math.max(...violated.map(resetSeconds));
  return new ProblemError(code, {
    "violated-policies": violated.map(({ policy }) => policy),
    headers: { "retry-after": String(seconds) },
  });
}

/** Whole seconds, rounded up so that who waits for them is let through. */
export function resetSeconds({ isAdmitted, fullInMs, nextInMs }: Verdict): number {
  return Math.ceil((isAdmitted ? fullInMs : nextInMs) / 1000);
}
