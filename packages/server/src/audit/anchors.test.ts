import { expect, test } from "vitest";
import { createAuditAnchors } from "./anchors.ts";

function open() {
  const head = { n: 5, hash: Buffer.alloc(32, 10), isSealed: true, brokenAtMs: null };
  const lines: [string, unknown][] = [];
  const clock = { ms: 0 };
  const anchors = createAuditAnchors({
    store: { head: async () => head },
    log: {
      info: (facts: unknown) => void lines.push(["info", facts]),
      error: (facts: unknown) => void lines.push(["error", facts]),
    } as never,
    now: () => clock.ms,
  });
  return { anchors, head, lines, clock };
}

test("an anchor comes at start, after a thousand lines, after a day, and not in between", async () => {
  const { anchors, head, lines, clock } = open();
  await anchors.check();
  expect(lines).toEqual([["info", { part: "audit", anchor: `5:${"0a".repeat(32)}` }]]);
  head.n = 1004;
  await anchors.check();
  expect(lines).toHaveLength(1);
  head.n = 1005;
  await anchors.check();
  expect(lines).toHaveLength(2);
  clock.ms = 86_399_999;
  await anchors.check();
  expect(lines).toHaveLength(2);
  clock.ms = 86_400_000;
  await anchors.check();
  expect(lines).toHaveLength(3);
});

test("at the end there is one for what came since the last", async () => {
  const { anchors, head, lines } = open();
  await anchors.check();
  await anchors.write();
  expect(lines).toHaveLength(1);
  head.n = 6;
  await anchors.write();
  expect(lines).toHaveLength(2);
});

test("a seal that does not fit is an error in the log, each time", async () => {
  const { anchors, head, lines } = open();
  Object.assign(head, { isSealed: false, brokenAtMs: 7 });
  await anchors.check();
  expect(lines).toEqual([["error", expect.objectContaining({ brokenAtMs: 7 })]]);
});
