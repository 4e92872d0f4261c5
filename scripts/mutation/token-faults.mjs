// Small faults for the session-token manager, one at a time: the kind that a tired person makes.
// Each replaces the first occurrence of a text; a text that is gone fails the run, so that the list
// keeps up with the code.

/** @type {import("./run-faults.mjs").Fault[]} */
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
      "if (found && found === lease) return found;",
      "if (found && began === epoch) return found;",
    ],
    [
      "the flight is not shared",
      "join(flight ?? startFlight(reason), signal, untilMs)",
      "join(startFlight(reason), signal, untilMs)",
    ],
    [
      "a renewal runs beside the one that is demanded",
      "join(flight ?? startFlight(reason), signal, untilMs)",
      "join(usable() ? startFlight(reason) : (flight ?? startFlight(reason)), signal, untilMs)",
    ],
    [
      "a result of before the reset is taken",
      '        if (mine === flight) accept(mine, result, began);\n        else emit({ type: "late-result" });',
      "        accept(mine, result, began);",
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
      "askedAt && elapsedMs(clock, askedAt) >= callbackTimeoutMs",
      "askedAt && clock.mono() - askedAt.monoMs >= callbackTimeoutMs",
    ],
    [
      "the time limit comes a moment too late",
      "elapsedMs(clock, askedAt) >= callbackTimeoutMs",
      "elapsedMs(clock, askedAt) > callbackTimeoutMs",
    ],
    [
      "an overdue call is not looked for when its answer comes",
      "        checkDeadline();\n        if (mine === flight) accept",
      "        if (mine === flight) accept",
    ],
    [
      "an overdue call is not looked for at a use",
      "    signal?.throwIfAborted();\n    checkDeadline();",
      "    signal?.throwIfAborted();",
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
    ["a failure is not held", "Math.max(holdMs, Math.min", "Math.max(0, Math.min"],
    [
      "the time that an endpoint names is not kept to",
      "Math.max(holdMs, Math.min(retryAfterMs, longestBackoffMs))",
      "holdMs",
    ],
    [
      "an endpoint can lock a page for as long as it likes",
      "Math.min(retryAfterMs, longestBackoffMs)",
      "retryAfterMs",
    ],
    [
      "renewals do not keep to the time that an endpoint names",
      "Math.max(heldUntilMs, clock.mono() + backoffMs)",
      "clock.mono() + backoffMs",
    ],
    [
      "a failure is held a moment too long",
      "const isHeld = (): boolean => clock.mono() < heldUntilMs;",
      "const isHeld = (): boolean => clock.mono() <= heldUntilMs;",
    ],
    [
      "a success leaves the failure standing",
      "    lastError = undefined;\n    // The same",
      "    // The same",
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
    [
      "an abort of before the call is not heard",
      "    signal?.throwIfAborted();\n    checkDeadline();",
      "    checkDeadline();",
    ],
    [
      "an abort in the moment of the token is not heard",
      "    signal?.throwIfAborted();\n    const sentMs",
      "    const sentMs",
    ],
    ["a waiter that is answered keeps its timer", "          timers.clear(limit);\n", ""],
    ["callers wait without end", "Math.max(0, untilMs - clock.mono())", "2_000_000_000"],
    [
      "each token on the way gives a caller another 30 s",
      "untilMs ||= clock.mono() + acquireTimeoutMs",
      "untilMs = clock.mono() + acquireTimeoutMs",
    ],
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
      "if (found && found === lease) return found;",
      "if (found && !rejected.includes(found.value)) return found;",
    ],
    ["a request goes out as another person", "    if (began !== epoch) throw ending();\n", ""],
    ["after disposal tokens are given", '    if (isDisposed) return "DISPOSED";\n', ""],
    ["disposal keeps the listeners", "    listeners.clear();\n", ""],
    [
      "after disposal one can listen",
      "if (!isDisposed) listeners.add(own);",
      "listeners.add(own);",
    ],
    ["a new callback is not used", "      callback = next;\n", ""],
    [
      "prefetch calls although there is a token",
      'if (state() === "EMPTY") startFlight("prefetch");',
      'startFlight("prefetch");',
    ],
    [
      "the snapshot is another one each time",
      "if (last !== next.state || lastGen !== gen || lastKnown !== lastError) snapshot = next;",
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
      "a late 401 of another person asks for a token",
      "    while (began === epoch) {",
      "    for (let rounds = 0; rounds === 0 || began === epoch; rounds += 1) {",
    ],
    [
      "the second try asks for a fresh token although there is one",
      "await getToken(began, { signal });",
      "await getToken(began, { signal, minValidityMs: attempt === 2 ? 4e6 : 0 });",
    ],
    ["a refusal is not calibrated with", "      calibration.refused(clock.mono());\n", ""],
    ["that a token was taken counts for the next", "    if (isNew) isAccepted = false;\n", ""],
    [
      "why a token is asked for outlives a reset",
      '    reason = "initial";\n    isAccepted',
      "    isAccepted",
    ],
    [
      "8 s are too long to wait",
      "retryInMs <= longestRetryWaitMs",
      "retryInMs < longestRetryWaitMs",
    ],
    [
      "who begins to listen in an event hears of it",
      "for (const listener of [...listeners])",
      "for (const listener of listeners)",
    ],
    [
      "a listener's fault stops the manager",
      "callHost(() => listener(event));",
      "listener(event);",
    ],
    [
      "a callback hears of a reset before it is done",
      "    const ended = flight;\n    epoch += 1;",
      "    const ended = flight;\n    ended?.controller.abort();\n    epoch += 1;",
    ],
    [
      "a life begins with its answer",
      "isDoubted, askedAt: began };",
      "isDoubted, askedAt: { wallMs: clock.wall(), monoMs: clock.mono() } };",
    ],
    [
      "a failure of the API proves a clock wrong",
      "if (ok && calibration.accepted",
      "if (calibration.accepted",
    ],
    [
      "a success of before a reset counts",
      "if (began === epoch && status !== 401 &&",
      "if (status !== 401 &&",
    ],
    [
      "an overdue failure is not one of time",
      "        checkDeadline();\n        if (mine !== flight) return;\n        endStep();",
      "        if (mine !== flight) return;\n        endStep();",
    ],
    ["renewals of all pages come together", "* (0.5 + random());", ";"],
    [
      "prefetch calls while a failure is held",
      'if (state() === "EMPTY") startFlight',
      'if (state() === "EMPTY" || state() === "COOLING") startFlight',
    ],
    ["a demand is met by a gate after a failure", "(isGated() && !lastError)", "isGated()"],
    [
      "a probe is judged by when it was answered",
      "calibration.accepted(sentMs)",
      "calibration.accepted(clock.mono())",
    ],
    [
      "a caller whose time is over ends the call",
      '        waiter.reject(new TokenError("acquire_timeout"',
      '        flight?.controller.abort(); waiter.reject(new TokenError("acquire_timeout"',
    ],
    [
      "a refusal drops the renewal that runs",
      '      lease = undefined;\n      reason = "rejected";',
      '      lease = undefined;\n      if (flight) { flight.controller.abort(); land(flight); }\n      reason = "rejected";',
    ],
    [
      "only the last refused token is refused",
      "if (rejected.includes(reply.value))",
      "if (rejected.at(-1) === reply.value)",
    ],
    [
      "a late 401 is not remembered",
      "    if (!rejected.includes(refused.value)) {",
      "    if (lease?.value === refused.value && !rejected.includes(refused.value)) {",
    ],
    ["peek gives what is over", "peek: usable,", "peek: () => lease,"],
    [
      "each time limit is a sleep",
      "elapsedMs(clock, asked) > clock.mono()",
      "elapsedMs(clock, asked) + 9e9 > clock.mono()",
    ],
    [
      "an event tells the generation of before",
      "gen: next.gen, latencyMs",
      "gen: next.gen - 1, latencyMs",
    ],
    [
      "the same token again, when it is over, stays over",
      'isNew || before.zone() === "over" || next',
      "isNew || next",
    ],
    [
      "one end ends every subscription of a function",
      "const own = (event: TokenEvent): void => listener(event);",
      "const own = listener;",
    ],
    [
      "it does not load without performance",
      "(globalThis.performance ?? Date).now()",
      "performance.now()",
    ],
    [
      "a renewal is counted for every use",
      'current.zone() === "soon" && !isGated()',
      'current.zone() === "soon"',
    ],
  ]),
  ...inFile("with-token.ts", [
    ["a refused token is not reported", "  reportRejected(first);\n", ""],
    ["the second refused token is not reported", "  reportRejected(second, error);\n", ""],
    ["a second refusal is no failure", "reportRejected(second, error)", "reportRejected(second)"],
    [
      "the body of the first answer is kept until the second is there",
      "  refusal.body?.cancel().catch(() => undefined);\n  const [second, response] = await attempt(2);",
      "  const [second, response] = await attempt(2);\n  refusal.body?.cancel().catch(() => undefined);",
    ],
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
      'return left > ahead ? "fresh" : "soon";',
      'return "fresh";',
    ],
    ["renewal is a moment late", "return left > ahead", "return left >= ahead"],
    ["a demand ends what only the server can judge", "reactive || leftMs() >=", "leftMs() >="],
    ["a demand is met a moment late", "leftMs() >= Math.min", "leftMs() > Math.min"],
    ["what is doubted is renewed ahead", "    ahead = 0;\n", ""],
    [
      "the end is a moment late",
      'if (left <= hard) return "over";',
      'if (left < hard) return "over";',
    ],
    ["the window is not cut to the life", "Math.min(refreshAheadMs, life / 4)", "refreshAheadMs"],
    ["the margin is not cut to the life", "Math.min(hardMarginMs, life / 20)", "hardMarginMs"],
    ["a life has no longest", "let life = Math.min(lifeMs, maxLifetimeMs);", "let life = lifeMs;"],
    ["only the monotonic clock counts", ", clock.wall() - wallMs)", ")"],
    ["only the wall clock counts", "Math.max(clock.mono() - monoMs, ", "Math.max("],
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
    ["a life of a second counts as short", "lifeMs > 1_000 &&", "lifeMs >= 1_000 &&"],
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
      "the answer with the longest way tells best",
      "roundTripMs >= (known()?.roundTripMs ?? Infinity)",
      "roundTripMs < (known()?.roundTripMs ?? 0)",
    ],
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
    ["being restored is not heard", '"pageshow", ', ""],
    ["the page is listened to for good", "return () => ended.abort();", "return () => undefined;"],
    ["a document must have events", "addEventListener?.(", "addEventListener!("],
  ]),
  ...inFile("session-reply.ts", [
    ["seconds are taken for milliseconds", "seconds * 1000", "seconds"],
    ["milliseconds are taken for seconds", "< 1e11", "< 1e13"],
    ["a long word of a reply is told", "\\S{1,20}", "\\S{1,90}"],
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
    ["403 is retried", "!status || status >= 500 ||", "true ||"],
    ["StopRefreshing is retried", "permanent !== true &&", "true &&"],
    ["a negative time to wait counts", "if (fields.retryAfterMs >= 0)", "if (fields.retryAfterMs)"],
    [
      "failures do not say after how many calls",
      "retryable, attempts, cause",
      "retryable, attempts: 1, cause",
    ],
    ["a bad reply does not say after how many calls", "{ attempts, why }", "{ why }"],
    [
      "what a parser quotes is passed on",
      "if (thrown instanceof SyntaxError) cause = undefined;\n",
      "",
    ],
    [
      "an error of our own kind is trusted",
      "isTokenError(thrown) && (code",
      "isTokenError(thrown) || (code",
    ],
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
    [
      "a signal of the page's own takes the place of ours",
      "...init, signal }",
      "signal, ...init }",
    ],
    [
      "the Date of the session's answer is not read",
      "return { server_time: serverTimeMs, ...(reply as SessionTokenResult) };",
      "return reply as SessionTokenResult;",
    ],
    [
      "the body of a refusal is kept",
      "      await answer.body?.cancel().catch(() => undefined);\n",
      "",
    ],
    [
      "a date to wait until is read by the page's clock",
      'Date.parse(headers.get("date") ?? "") || Date.now()',
      "Date.now()",
    ],
    ["what is no JSON is quoted", "  } catch {", "  } catch (error) {\n    throw error;"],
  ]),
  ...inFile("token-error.ts", [
    [
      "copies of the package do not know one another's errors",
      'Symbol.for("valet.TokenError")',
      'Symbol("valet.TokenError")',
    ],
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
