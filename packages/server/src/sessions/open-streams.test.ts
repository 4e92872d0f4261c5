import { expect, test } from "vitest";
import { createOpenStreams } from "./open-streams.ts";
import type { SessionPrincipal } from "./principal.ts";

const session = { sid: "ses_1", kid: "key_1" } as SessionPrincipal;

test("a stream is cut once, by what fits it, and not after it has ended", () => {
  const streams = createOpenStreams();
  const cuts: string[] = [];
  const end = streams.add(session, () => cuts.push("first"));
  streams.add(session, (reason) => cuts.push(reason));
  end();
  expect(streams.cut({ sid: "ses_2" }, "token_revoked")).toBe(0);
  expect(streams.cut({ kid: "key_1" }, "token_revoked")).toBe(1);
  expect(streams.cut({ sid: "ses_1" }, "token_revoked")).toBe(0);
  expect(cuts).toEqual(["token_revoked"]);
});

test("a stream of a session that was revoked since its token was checked is cut as it begins", () => {
  let isOver = false;
  const streams = createOpenStreams({ endOf: () => (isOver ? "token_revoked" : undefined) });
  streams.add(session, () => undefined);
  isOver = true;
  const cuts: string[] = [];
  const end = streams.add(session, (reason) => cuts.push(reason));
  expect(cuts).toEqual(["token_revoked"]);
  expect(streams.count({ sid: "ses_1" })).toBe(1);
  end();
});
