import fc from "fast-check";
import { expect, test } from "vitest";
import { createSourceAccess } from "./source-access.ts";

function open() {
  const clock = { ms: 1_800_000_000_000 };
  const access = createSourceAccess({ secret: Buffer.alloc(32, 1), now: () => clock.ms });
  const reader = { projectId: "prj_1", sid: "ses_1", expiresAtMs: clock.ms + 3_600_000 };
  return { clock, access, reader };
}

test("a ticket opens one document, once, within a minute", () => {
  const { clock, access, reader } = open();
  const ticket = access.issue(reader, "doc_1");
  expect(access.redeem(ticket, "doc_1")).toMatchObject({ maxAgeS: 3_600 });
  expect(access.redeem(ticket, "doc_1")).toBeUndefined();
  expect(access.redeem(access.issue(reader, "doc_1"), "doc_2")).toBeUndefined();
  const late = access.issue(reader, "doc_1");
  clock.ms += 60_000;
  expect(access.redeem(late, "doc_1")).toBeUndefined();
  expect(access.redeem("made-up", "doc_1")).toBeUndefined();
});

test("a cookie says who it was given to, until the session's end", () => {
  const { clock, access, reader } = open();
  const cookie = access.redeem(access.issue(reader, "doc_1"), "doc_1")?.cookie ?? "";
  expect(access.read(cookie)).toEqual(reader);
  clock.ms += 3_600_000;
  expect(access.read(cookie)).toBeUndefined();
});

test("a cookie with one changed character is nobody's", () => {
  const { access, reader } = open();
  const cookie = access.redeem(access.issue(reader, "doc_1"), "doc_1")?.cookie ?? "";
  fc.assert(
    fc.property(fc.nat(cookie.length - 1), fc.constantFrom(..."aZ0_-.=é"), (at, character) => {
      fc.pre(cookie[at] !== character);
      const forged = `${cookie.slice(0, at)}${character}${cookie.slice(at + 1)}`;
      expect(access.read(forged)).toBeUndefined();
    }),
  );
});
