// Faults that the random sequences have to notice alone: at least one for each invariant, named by
// it. What a random sequence finds it finds by a rule, and not because somebody thought of the case.

const file = "session-tokens/session-token-manager.ts";
const moduleStart = "/** Creates a manager. It does nothing";

/** @type {import("./run-faults.mjs").Fault[]} */
export const machineFaults = [
  {
    name: "I1 a reset leaves the call running and starts another",
    file,
    find: "    ended?.controller.abort();\n",
    replace: "",
  },
  {
    name: "I2 a caller waits twice as long",
    file,
    find: "untilMs ||= clock.mono() + acquireTimeoutMs",
    replace: "untilMs ||= clock.mono() + 2 * acquireTimeoutMs",
  },
  {
    name: "I2 a call may take twice as long",
    file,
    find: "timer = timers.set(expire, callbackTimeoutMs);",
    replace: "timer = timers.set(expire, 2 * callbackTimeoutMs);",
  },
  {
    name: "I3 a new manager fetches ahead",
    file,
    find: "  const usable = (): JudgedLease",
    replace: '  queueMicrotask(() => startFlight("prefetch"));\n  const usable = (): JudgedLease',
  },
  {
    name: "I4 the budget has three calls more",
    file: "session-tokens/call-budget.ts",
    find: "const size = 10;",
    replace: "const size = 13;",
  },
  {
    name: "I5 a late 401 starts a call",
    file,
    find: '    emit({ type: "rejected", gen: refused.gen',
    replace:
      '    if (!current && !flight) startFlight("rejected");\n    emit({ type: "rejected", gen: refused.gen',
  },
  {
    name: "I6 a refusal costs two calls",
    file,
    find: "    land(mine);\n    for (const waiter of mine.waiters) waiter.resolve",
    replace:
      '    land(mine);\n    if (again) { again = false; startFlight("refresh"); }\n    for (const waiter of mine.waiters) waiter.resolve',
    also: [
      ['      reason = "rejected";', '      reason = "rejected"; again = true;'],
      ["  let isDisposed = false;", "  let isDisposed = false; let again = false;"],
    ],
  },
  {
    name: "I7 a request is sent again with the same token",
    file,
    find: "const current = lease?.value === refused.value ? lease : undefined;",
    replace: "const current = undefined as JudgedLease | undefined;",
    also: [["if (found && found === lease) return found", "if (found) return found"]],
  },
  {
    name: "I8 only the current token is remembered as refused",
    file,
    find: "    if (!rejected.includes(refused.value)) {",
    replace: "    if (lease?.value === refused.value && !rejected.includes(refused.value)) {",
  },
  {
    name: "I9 who waited for one person is handed the token of the next",
    file,
    find: "    for (const waiter of ended?.waiters ?? []) waiter.reject(ending());\n",
    replace: "",
    also: [
      ["    while (began === epoch) {", "    while (true) {"],
      ["if (found && found === lease)", "if (found)"],
      [
        "    flight = mine;\n    attempt = 0;",
        "    for (const waiter of left) mine.waiters.add(waiter);\n    left = [];\n    flight = mine;\n    attempt = 0;",
      ],
      [
        "    const ended = flight;\n",
        "    const ended = flight;\n    left = [...(ended?.waiters ?? [])];\n",
      ],
      ["  let isDisposed = false;", "  let isDisposed = false; let left: Waiter[] = [];"],
    ],
  },
  {
    name: "I9 a reset keeps the token",
    file,
    find: "    if (ended) land(ended);\n    lease = undefined;",
    replace: "    if (ended) land(ended);",
  },
  {
    name: "I10 a caller whose time is over ends the call",
    file,
    find: '        waiter.reject(new TokenError("acquire_timeout"',
    replace: '        flight?.controller.abort(); waiter.reject(new TokenError("acquire_timeout"',
  },
  {
    name: "I10 a caller whose time is over takes the others along",
    file,
    find: '        waiter.reject(new TokenError("acquire_timeout", message, { retryable: true }));',
    replace:
      '        for (const each of [...waiters]) each.reject(new TokenError("acquire_timeout", message, { retryable: true }));',
  },
  {
    name: "I11 near the end everybody waits for the renewal",
    file,
    find: '          if (current.zone() === "soon" && !isGated()) startFlight(reason);\n          return current;',
    replace:
      '          if (current.zone() === "soon" && !isGated()) return undefined;\n          return current;',
  },
  {
    name: "I12 a failed renewal throws the good token away",
    file,
    find: "    if (usable()) closeGate();",
    replace: "    lease = undefined;",
  },
  {
    name: "I13 short lives are not tried out",
    file: "session-tokens/calibration.ts",
    find: "inARow >= shortLivesBeforeProbe",
    replace: "false",
  },
  {
    name: "I13 the window is as wide as the life",
    file: "session-tokens/lease.ts",
    find: "Math.min(refreshAheadMs, life / 4)",
    replace: "Math.min(refreshAheadMs, life)",
  },
  {
    name: "I14 the third failure in a row is held for an hour",
    file,
    find: "Math.max(holdMs, Math.min",
    replace: "Math.max(attempt >= 3 ? 3_600_000 : holdMs, Math.min",
  },
  {
    name: "I15 a caller who was answered keeps a timer",
    file,
    find: "          timers.clear(limit);\n",
    replace: "",
  },
  {
    name: "I16 the same token counts as another",
    file,
    find: "gen: isNew ? gen + 1 : gen",
    replace: "gen: gen + 1",
  },
  {
    name: "I17 after disposal listeners are still told",
    file,
    find: "    listeners.clear();\n",
    replace: "",
  },
  {
    name: "I18 a failure that nobody waits for is nobody's to handle",
    file,
    find: "    for (const waiter of mine.waiters) waiter.reject(error);\n",
    replace:
      "    for (const waiter of mine.waiters) waiter.reject(error);\n    if (mine.waiters.size === 0) void Promise.reject(error);\n",
  },
  {
    name: "I19 an event holds the token",
    file,
    find: 'emit({ type: "rejected", gen: refused.gen',
    replace: 'emit({ type: "rejected", ...{ value: refused.value }, gen: refused.gen',
  },
  {
    name: "I19 an error names the token",
    file,
    find: '"Your server returned a token that was just refused: is /api/session cached?"',
    replace: "'refused: ' + reply.value",
  },
  {
    name: "I20 a listener hears of a token before it is there",
    file,
    find: "    const before = lease;\n",
    replace: '    emit({ type: "unchanged", gen });\n    const before = lease;\n',
  },
  {
    name: "I20 a reset is told before it is done",
    file,
    find: '      fence();\n      emit({ type: "reset", reason: why });',
    replace: '      emit({ type: "reset", reason: why });\n      fence();',
  },
  {
    name: "I21 a listener stays on the caller's signal",
    file,
    find: '          signal?.removeEventListener("abort", onAbort);\n',
    replace: "",
  },
  {
    name: "I22 managers share the token",
    file,
    find: "  let lease: JudgedLease | undefined;\n",
    replace: "",
    also: [[moduleStart, `let lease: JudgedLease | undefined;\n${moduleStart}`]],
  },
  {
    name: "I22 managers share what was refused",
    file,
    find: "  let rejected: readonly string[] = [];\n",
    replace: "",
    also: [[moduleStart, `let rejected: readonly string[] = [];\n${moduleStart}`]],
  },
  {
    name: "I22 managers share the budget",
    file,
    find: "  const budget = createCallBudget(clock.mono);",
    replace: "  shared ??= createCallBudget(clock.mono); const budget = shared;",
    also: [
      [moduleStart, `let shared: ReturnType<typeof createCallBudget> | undefined;\n${moduleStart}`],
    ],
  },
  {
    name: "I23 a new callback drops the token",
    file,
    find: "      callback = next;\n",
    replace: "      callback = next;\n      lease = undefined;\n",
  },
  {
    name: "I23 a new callback counts only when nothing is under way",
    file,
    find: "      callback = next;\n",
    replace: "      if (!flight) callback = next;\n",
  },
];
