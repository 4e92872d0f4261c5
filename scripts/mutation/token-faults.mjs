// Small faults for the session-token manager, one at a time: the kind that a tired person makes.
// Each replaces the first occurrence of a text; a text that is gone fails the run, so that the list
// keeps up with the code.

const manager = "session-tokens.ts";
const lease = "lease.ts";
const reply = "session-reply.ts";
const failure = "callback-failure.ts";
const budget = "call-budget.ts";

/** @type {{ name: string, file: string, find: string, replace: string }[]} */
export const tokenFaults = [
  fault(
    "a rejected token stays the current one",
    manager,
    "if (wasCurrent) lease = undefined;",
    "",
  ),
  fault(
    "a late 401 ends whatever token is current",
    manager,
    "const wasCurrent = lease?.value === refused.value;",
    "const wasCurrent = true;",
  ),
  fault(
    "refused tokens are not remembered",
    manager,
    "rejected = [...rejected, refused.value]",
    "rejected = [...rejected]",
  ),
  fault(
    "a refused token is accepted again",
    manager,
    "if (rejected.includes(reply.value)) {",
    "if (false) {",
  ),
  fault(
    "the flight is not shared",
    manager,
    "return join(flight ?? startFlight(reason, false), signal);",
    "return join(startFlight(reason, false), signal);",
  ),
  fault(
    "a result of before the reset is taken",
    manager,
    'if (mine !== flight) return emit({ type: "late-result" });',
    "",
  ),
  fault(
    "a failure of before the reset is told to those after it",
    manager,
    "        if (mine !== flight) return;\n        const { error",
    "        const { error",
  ),
  fault(
    "the slot is not cleared on success",
    manager,
    "    flight = undefined;\n    failure = undefined;",
    "    failure = undefined;",
  ),
  fault(
    "the slot is not cleared on failure",
    manager,
    "    flight = undefined;\n    lastError = error;",
    "    lastError = error;",
  ),
  fault(
    "the callback has no time limit",
    manager,
    "return await Promise.race([call({ signal, reason, attempt }), limit]);",
    "return await call({ signal, reason, attempt });",
  ),
  fault(
    "the time limit leaves its timer behind",
    manager,
    "      timers.clear(timer);\n    }\n  }",
    "    }\n  }",
  ),
  fault(
    "a callback past its time is not told",
    manager,
    "        mine.controller.abort();\n      }, callbackTimeoutMs);",
    "      }, callbackTimeoutMs);",
  ),
  fault(
    "failures are retried without end",
    manager,
    "mine.waiters.size > 0 && attempt < maxAttempts &&",
    "mine.waiters.size > 0 &&",
  ),
  fault(
    "failures are never retried",
    manager,
    "mine.waiters.size > 0 && attempt < maxAttempts &&",
    "false &&",
  ),
  fault("a long Retry-After is waited for", manager, "&& delayMs <= longestRetryWaitMs", ""),
  fault("Retry-After is ignored", manager, "retryAfterMs ?? random()", "random()"),
  fault(
    "a failed renewal throws the good token away",
    manager,
    "      backgroundFailures += 1;",
    "      backgroundFailures += 1;\n      lease = undefined;",
  ),
  fault(
    "failed renewals follow each other at once",
    manager,
    "clock.mono() >= backgroundGateMs",
    "true",
  ),
  fault(
    "a failure is not held",
    manager,
    "if (!flight && failure && clock.mono() < failure.untilMs) return Promise.reject(failure.error);",
    "",
  ),
  fault(
    "a failure is held for ever",
    manager,
    "untilMs: clock.mono() + failureHoldMs",
    "untilMs: Number.POSITIVE_INFINITY",
  ),
  fault(
    "one caller's abort ends the flight",
    manager,
    "const onAbort = (): void => waiter.reject(signal?.reason);",
    "const onAbort = (): void => { which.controller.abort(); waiter.reject(signal?.reason); };",
  ),
  fault(
    "a caller's abort is not heard",
    manager,
    '      signal?.addEventListener("abort", onAbort);',
    "",
  ),
  fault(
    "an abort of before the call is not heard",
    manager,
    "if (signal?.aborted) return Promise.reject(signal.reason);",
    "",
  ),
  fault(
    "callers wait without end",
    manager,
    'waiter.reject(new TokenError("acquire_timeout"',
    'void (new TokenError("acquire_timeout"',
  ),
  fault(
    "a reset keeps the token",
    manager,
    "    flight = undefined;\n    lease = undefined;",
    "    flight = undefined;",
  ),
  fault(
    "a reset leaves who waits waiting",
    manager,
    "    for (const waiter of [...(ended?.waiters ?? [])]) waiter.reject(error);",
    "",
  ),
  fault("a reset does not tell the callback", manager, "    ended?.controller.abort();", ""),
  fault(
    "after disposal tokens are given",
    manager,
    "if (disposed) return Promise.reject(disposal());",
    "",
  ),
  fault(
    "renewal is not ahead of the end",
    lease,
    'return remaining > ahead ? "fresh" : "soon";',
    'return "fresh";',
  ),
  fault(
    "the window is not cut to the life",
    lease,
    "Math.min(refreshAheadMs, life / 4)",
    "refreshAheadMs",
  ),
  fault("a token is used past its end", lease, 'if (remaining <= hard) return "over";', ""),
  fault("lives have no cap", lease, "Math.min(lifeMs, maxLifetimeMs)", "lifeMs"),
  fault(
    "only the monotonic clock counts",
    lease,
    "anchor.wallMs + life - clock.wall(),",
    "Number.POSITIVE_INFINITY,",
  ),
  fault(
    "only the wall clock counts",
    lease,
    "anchor.monoMs + life - clock.mono(),",
    "Number.POSITIVE_INFINITY,",
  ),
  fault(
    "a token that looks dead is dead",
    lease,
    "lifeMs === undefined || lifeMs <= 1000",
    "lifeMs === undefined",
  ),
  fault("the token stands in dumps", lease, "enumerable: false", "enumerable: true"),
  fault(
    "seconds are taken for milliseconds",
    reply,
    "lifeMs: expiresIn * 1000",
    "lifeMs: expiresIn",
  ),
  fault("the instant wins over the seconds", reply, "expiresIn > 0) {", "false) {"),
  fault("an instant without a zone is local", reply, 'zone = "Z"', 'zone = "+05:00"'),
  fault("tokens with spaces are taken", reply, "!tokenText.test(value) ||", ""),
  fault(
    "two different tokens are taken",
    reply,
    "raw !== undefined && normalised !== undefined && raw !== normalised",
    "false",
  ),
  fault("a Response is taken for a reply", reply, 'typeof reply.json === "function"', "false"),
  fault("403 is retried", failure, "status === undefined || status >= 500 ||", "true ||"),
  fault("StopRefreshing is retried", failure, "    !permanent &&\n", ""),
  fault("the budget has no end", budget, "if (tokens === 0) return", "if (false) return"),
  fault("the budget never fills again", budget, "if (gained > 0) {", "if (false) {"),
];

function fault(name, file, find, replace) {
  return { name, file, find, replace };
}
