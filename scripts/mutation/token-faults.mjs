// Small faults for the session-token manager, one at a time: the kind that a tired person makes.
// Each replaces the first occurrence of a text; a text that is gone fails the run, so that the list
// keeps up with the code.

/** @type {{ name: string, file: string, find: string, replace: string }[]} */
export const tokenFaults = [
  ...inFile("session-token-manager.ts", [
    [
      "a rejected token stays the current one",
      '      lease = undefined;\n      reason = "rejected";',
      '      reason = "rejected";',
    ],
    [
      "a late 401 ends whatever token is current",
      "const current = lease?.value === refused.value ? lease : undefined;",
      "const current = lease;",
    ],
    [
      "a late 401 of another person counts",
      "((refused as Partial<JudgedLease>).epoch ?? epoch) !== epoch",
      "false",
    ],
    [
      "refused tokens are not remembered",
      "rejected = [...rejected, refused.value]",
      "rejected = [...rejected]",
    ],
    ["only the last refused token is remembered", "slice(-rememberedRejections)", "slice(-1)"],
    ["a refused token is accepted again", "if (rejected.includes(reply.value)) {", "if (false) {"],
    [
      "a token that is refused on its way is given",
      "rejected.includes(found.value) ? getToken(wanted) : found",
      "found",
    ],
    [
      "the flight is not shared",
      "return join(flight ?? startFlight(reason), signal);",
      "return join(startFlight(reason), signal);",
    ],
    [
      "a renewal runs beside the one that is demanded",
      "return join(flight ?? startFlight(reason), signal);",
      "return join(usable() ? startFlight(reason) : (flight ?? startFlight(reason)), signal);",
    ],
    [
      "a result of before the reset is taken",
      "if (mine === flight) accept(mine, result, began);",
      "accept(mine, result, began);",
    ],
    ["a late result is not told", 'else emit({ type: "late-result" });', ""],
    [
      "a failure of before the reset is told to those after it",
      "        checkDeadline();\n        if (mine !== flight) return;\n        endStep();",
      "        checkDeadline();\n        endStep();",
    ],
    ["the slot is not cleared", "    flight = undefined;\n    endStep();", "    endStep();"],
    [
      "the end of a flight leaves its timer",
      "    flight = undefined;\n    endStep();",
      "    flight = undefined;",
    ],
    ["the end of a flight leaves its listeners", "    mine.stopListening();\n", ""],
    ["the callback has no time limit", "timer = timers.set(expire, callbackTimeoutMs);", ""],
    [
      "the time limit goes by the monotonic clock alone",
      "Math.max(clock.wall() - askedAt.wallMs, clock.mono() - askedAt.monoMs)",
      "clock.mono() - askedAt.monoMs",
    ],
    [
      "the time limit comes a moment too late",
      "if (tookMs >= callbackTimeoutMs) expire();",
      "if (tookMs > callbackTimeoutMs) expire();",
    ],
    [
      "an overdue call is not looked for when its answer comes",
      "        checkDeadline();\n        if (mine === flight) accept",
      "        if (mine === flight) accept",
    ],
    [
      "an overdue call is not looked for at a use",
      "    const began = epoch;\n    checkDeadline();",
      "    const began = epoch;",
    ],
    [
      "an overdue call is not looked for when the page is back",
      "        checkDeadline();\n        cutWait?.();",
      "        cutWait?.();",
    ],
    ["after a sleep the failure is held", "hasSlept ? 0 : failureHoldMs", "failureHoldMs"],
    ["a callback past its time is not told", "    mine.controller.abort();\n  }", "  }"],
    [
      "a listener's reset does not keep the callback from being called",
      "        if (mine !== flight) return;\n        const result",
      "        const result",
    ],
    [
      "failures are retried without end",
      "mine.waiters.size > 0 && attempt < maxAttempts &&",
      "mine.waiters.size > 0 &&",
    ],
    ["one try too few", "attempt < maxAttempts", "attempt + 1 < maxAttempts"],
    ["failures that nobody waits for are retried", "mine.waiters.size > 0 && attempt", "attempt"],
    ["a wait of any length is sat out", "&& retryInMs <= longestRetryWaitMs", ""],
    ["Retry-After is not kept to", "retryAfterMs ?? random()", "random()"],
    [
      "Retry-After is cut short when the page is back",
      "if (retryAfterMs === undefined) cutWait = resolve;",
      "cutWait = resolve;",
    ],
    ["the page's return does not cut the wait", "        cutWait?.();\n", ""],
    ["the waits grow three times as fast", "500 * 2 ** (attempt - 1)", "500 * 6 ** (attempt - 1)"],
    ["a wait that was cut leaves its timer", "        if (mine === flight) endStep();", ""],
    ["there is no budget", "if (retryAfterMs > 0) {", "if (retryAfterMs < 0) {"],
    [
      "a failed renewal throws the good token away",
      "    if (usable()) closeGate();",
      "    lease = undefined;",
    ],
    ["failed renewals follow each other at once", "    if (usable()) closeGate();", ""],
    ["failed renewals keep the same distance", "    backoffs += 1;\n", ""],
    ["an unchanged token is asked for at every use", "    else closeGate();\n", ""],
    [
      "an unchanged token counts as another one",
      "const isNew = before?.value !== reply.value;",
      "const isNew = true;",
    ],
    [
      "the earlier end of an unchanged token counts",
      "next.leftMs() > before.leftMs()",
      "next.leftMs() < before.leftMs()",
    ],
    ["a failure is not held", "heldUntilMs = clock.mono() + holdMs;", ""],
    [
      "a failure is held a moment too long",
      "const isHeld = (): boolean => clock.mono() < heldUntilMs;",
      "const isHeld = (): boolean => clock.mono() <= heldUntilMs;",
    ],
    [
      "a success leaves the failure standing",
      "    lastError = undefined;\n    heldUntilMs = 0;\n    // The same",
      "    heldUntilMs = 0;\n    // The same",
    ],
    ["a demand is not held off by a failure", "        if (isHeld()) throw lastError;\n", ""],
    ["a demand is ignored", "current.lasts(minValidityMs) || (isGated() && !lastError)", "true"],
    [
      "one caller's abort ends the flight",
      "const onAbort = (): void => waiter.reject(signal?.reason);",
      "const onAbort = (): void => { flight?.controller.abort(); waiter.reject(signal?.reason); };",
    ],
    ["a caller's abort is not heard", '      signal?.addEventListener("abort", onAbort);\n', ""],
    [
      "the listener on a caller's signal stays",
      '          signal?.removeEventListener("abort", onAbort);\n',
      "",
    ],
    ["an abort of before the call is not heard", "    wanted.signal?.throwIfAborted();\n", ""],
    [
      "an abort in the moment of the token is not heard",
      "    signal?.throwIfAborted();\n    const sentMs",
      "    const sentMs",
    ],
    ["a waiter that is answered keeps its timer", "          timers.clear(limit);\n", ""],
    ["callers wait without end", "      }, acquireTimeoutMs);", "      }, 2_000_000_000);"],
    [
      "a reset keeps the token",
      "    if (ended) land(ended);\n    lease = undefined;",
      "    if (ended) land(ended);",
    ],
    ["a reset keeps the flight", "    if (ended) land(ended);\n", ""],
    ["a reset keeps what was refused", "    rejected = [];\n", ""],
    [
      "a reset keeps the failure",
      "    lastError = undefined;\n    heldUntilMs = 0;\n    rejected",
      "    rejected",
    ],
    [
      "a reset leaves who waits waiting",
      "    for (const waiter of ended?.waiters ?? []) waiter.reject(ending());\n",
      "",
    ],
    ["a reset does not tell the callback", "    ended?.controller.abort();\n", ""],
    ["a reset is no new epoch", "    epoch += 1;\n", ""],
    [
      "a token comes to who asked as another person",
      "if (!found || began !== epoch) throw ending();",
      "if (!found) throw ending();",
    ],
    ["a request goes out as another person", "    if (began !== epoch) throw ending();\n", ""],
    ["after disposal tokens are given", '    if (isDisposed) return "DISPOSED";\n', ""],
    ["disposal keeps the listeners", "    listeners.clear();\n", ""],
    [
      "after disposal one can listen",
      "if (!isDisposed) listeners.add(listener);",
      "listeners.add(listener);",
    ],
    ["a new callback is not used", "      callback = next;\n", ""],
    [
      "prefetch calls although there is a token",
      'if (state() === "EMPTY") startFlight("prefetch");',
      'startFlight("prefetch");',
    ],
    [
      "the snapshot is another one each time",
      "if (!isSame || !snapshot) snapshot = next;",
      "snapshot = next;",
    ],
    [
      "a listener hears of a token before it is there",
      "    land(mine);\n    for (const waiter of mine.waiters) waiter.resolve",
      '    emit({ type: "unchanged", gen });\n    land(mine);\n    for (const waiter of mine.waiters) waiter.resolve',
    ],
    [
      "a token that was taken and then refused counts for a loop",
      "freshRejections = isAccepted ? 0 : freshRejections + 1;",
      "freshRejections += 1;",
    ],
    [
      "every short life is doubted",
      "calibration.begin(apparentMs, began.monoMs);",
      "calibration.begin(apparentMs, began.monoMs) || (apparentMs ?? 600_000) < 600_000;",
    ],
    ["short lives are not calibrated", 'source === "absolute" ? lifeMs : undefined', "undefined"],
    [
      "the Date of answers is not learned from",
      '    serverClock.learn(headers?.get("date"), sentMs);\n',
      "",
    ],
    [
      "a renewal is counted for every use",
      'current.zone() === "soon" && !isGated()',
      'current.zone() === "soon"',
    ],
  ]),
  ...inFile("with-token.ts", [
    ["a refused token is not reported", "  reportRejected(first);\n", ""],
    ["the second refused token is not reported", "  reportRejected(second);\n", ""],
    ["what cannot be repeated is repeated", "  if (!replayable) return refusal;\n", ""],
    [
      "the body of the first answer is kept",
      "  refusal.body?.cancel().catch(() => undefined);\n",
      "",
    ],
    [
      "a want of scope costs a token",
      ' && !/insufficient_scope/.test(headers?.get("www-authenticate") ?? "")',
      "",
    ],
    ["403 costs a token", "status === 401 &&", "(status === 401 || status === 403) &&"],
  ]),
  ...inFile("lease.ts", [
    [
      "renewal is not ahead of the end",
      'return leftMs() > ahead ? "fresh" : "soon";',
      'return "fresh";',
    ],
    ["renewal is a moment late", "return leftMs() > ahead", "return leftMs() >= ahead"],
    [
      "the end is a moment late",
      'if (leftMs() <= hard) return "over";',
      'if (leftMs() < hard) return "over";',
    ],
    ["the window is not cut to the life", "Math.min(refreshAheadMs, life / 4)", "refreshAheadMs"],
    ["the margin is not cut to the life", "Math.min(hardMarginMs, life / 20)", "hardMarginMs"],
    ["a life has no longest", "let life = Math.min(lifeMs, maxLifetimeMs);", "let life = lifeMs;"],
    ["only the monotonic clock counts", ", clock.wall() - askedAt.wallMs)", ")"],
    ["only the wall clock counts", "Math.max(clock.mono() - askedAt.monoMs, ", "Math.max("],
    [
      "a token that looks dead is dead",
      "isDoubted || life <= 1_000 || leftMs() <= hard",
      "isDoubted || lifeMs === 0",
    ],
    [
      "a demand longer than a life can never be met",
      "Math.min(minValidityMs, life - ahead)",
      "minValidityMs",
    ],
    [
      "the token can be listed",
      'Object.defineProperty(lease, "value", { get: () => value })',
      'Object.defineProperty(lease, "value", { get: () => value, enumerable: true })',
    ],
    ["a token that comes dead is dead", "|| leftMs() <= hard;", ";"],
  ]),
  ...inFile("calibration.ts", [
    ["no life is put to the test", "inARow >= shortLivesBeforeProbe", "false"],
    [
      "the test comes one life late",
      "inARow >= shortLivesBeforeProbe",
      "inARow > shortLivesBeforeProbe",
    ],
    ["a proof is not believed", 'if (isProof) verdict = "skewed";', ""],
    ["any success is a proof", "sentMs > probeEndMs + proofMs", "probeEndMs > 0"],
    ["a refusal at the end is no proof", "nowMs >= probeEndMs", "nowMs < 0"],
    ["a revocation is a proof", "nowMs >= probeEndMs", "probeEndMs > 0"],
    ["a revocation does not start the count anew", "else if (isShort) inARow = 0;", ""],
    [
      "a long life does not start the count anew",
      "      if (lifeMs >= shortLifeMs) inARow = 0;\n",
      "",
    ],
    [
      "two short lives are enough",
      "const shortLivesBeforeProbe = 3;",
      "const shortLivesBeforeProbe = 2;",
    ],
  ]),
  ...inFile("server-clock.ts", [
    ["the way of the answer is not counted", " + roundTripMs / 2", " + 10 * roundTripMs"],
    ["small differences count", "Math.abs(offsetMs) < negligibleMs", "Math.abs(offsetMs) < 0"],
    [
      "a clock that was set since is believed",
      "Math.abs(apartMs - best.apartMs) < driftMs",
      "true",
    ],
  ]),
  ...inFile("wake-ups.ts", [
    [
      "being hidden counts as coming back",
      'if (type !== "visibilitychange" || document?.visibilityState === "visible") wake();',
      "wake();",
    ],
    ["coming online is not heard", '"online"', '"offline"'],
  ]),
  ...inFile("session-reply.ts", [
    ["seconds are taken for milliseconds", "seconds * 1000", "seconds"],
    [
      "the server's clock is added the wrong way",
      "nowMs + (offsetMs ?? 0)",
      "nowMs - (offsetMs ?? 0)",
    ],
    ["two different tokens are taken", "value !== (normalised ?? value)", "false"],
    ["a Response is taken for a reply", 'typeof reply.json === "function"', "false"],
    ["years of five digits are believed", "Math.abs(ms) < farFutureMs ? ms : undefined", "ms"],
    ["an instant without a zone is not told", 'oddExpiry = "no-zone"', "oddExpiry = undefined"],
  ]),
  ...inFile("token-text.ts", [
    ["line breaks pass", "line_break: /[\\r\\n]/", "line_break: /(?!)/"],
    ["every character passes", "not_ascii: /[^\\x21-\\x7e]/", "not_ascii: /(?!)/"],
    ["any length passes", "too_long: /^.{8193}/s", "too_long: /(?!)/"],
  ]),
  ...inFile("callback-failure.ts", [
    ["403 is retried", "status === undefined || status >= 500 ||", "true ||"],
    ["StopRefreshing is retried", "fields.permanent !== true &&", "true &&"],
    [
      "a stranger's abort is not retried like a broken network",
      'name === "AbortError" ||',
      "false ||",
    ],
    ["an error that throws when it is looked at ends the flight", "  } catch {", "  } finally {"],
  ]),
  ...inFile("call-budget.ts", [
    ["the budget has no end", "if (waitMs > 0) return waitMs;", ""],
    [
      "the budget never fills again",
      "Math.max(fullAtMs, nowMs) + refillMs",
      "Math.max(fullAtMs, nowMs) + 1000 * refillMs",
    ],
    ["the budget is one call too large", "const size = 10;", "const size = 11;"],
  ]),
  ...inFile("session-endpoint.ts", [
    ["the session may come from a cache", ' cache: "no-store",', ""],
    ["the session cannot be stopped", "...init, signal }", "...init }"],
    ["what is no JSON is quoted", "  } catch {", "  } catch (error) {\n    throw error;"],
  ]),
];

/** @param {[name: string, find: string, replace: string][]} faults */
function inFile(file, faults) {
  return faults.map(([name, find, replace]) => ({
    name,
    file: `session-tokens/${file}`,
    find,
    replace,
  }));
}
