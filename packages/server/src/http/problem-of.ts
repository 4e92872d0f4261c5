import { isDatabaseUnavailable, isUnstorableText } from "../database/database-unavailable.ts";
import { ProblemError } from "./problem-answer.ts";

/**
 * What a client is told of something that was thrown. A database that cannot be used now passes;
 * what nobody foresaw is an `internal_error`, and its text goes to the log alone.
 */
export function problemOf(thrown: unknown): ProblemError {
  if (thrown instanceof ProblemError) return thrown;
  if (isDatabaseUnavailable(thrown)) {
    return new ProblemError("unavailable", { headers: { "retry-after": "2" }, cause: thrown });
  }
  if (isUnstorableText(thrown)) {
    return new ProblemError("invalid_request", {
      detail: "Leave the character U+0000 out: the database cannot keep it.",
    });
  }
  return new ProblemError("internal_error", { cause: thrown });
}
