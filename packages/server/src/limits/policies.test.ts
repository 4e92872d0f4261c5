import { expect, test } from "vitest";
import { someSession } from "../agent/testing/agent-harness.ts";
import { defaultSettings } from "../projects/project-settings.ts";
import { addressKey, failureCharges, messageCharges, mintCharges } from "./policies.ts";

const key = { kid: "kid000000001", projectId: "prj_1" };
const keysOf = (charges: readonly { policy: string; key: string }[]) =>
  Object.fromEntries(charges.map(({ policy, key: whom }) => [policy, whom]));

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["unknown", "unknown"],
])("an address counts as its place of the network: %s", (address, place) => {
  expect(addressKey(address)).toBe(place);
  expect(failureCharges(address)[0]?.key).toBe(place);
});

test("the same owner, visitor or address of two projects is two", () => {
  const who = { external_owner_id: "jo", visitor_id: "v", visitor_ip: "203.0.113.7" };
  const here = keysOf(mintCharges(defaultSettings, key, who));
  const there = keysOf(mintCharges(defaultSettings, { ...key, projectId: "prj_2" }, who));
  expect(Object.keys(here)).toEqual([
    "mint-key",
    "mint-owner",
    "mint-visitor",
    "mint-visitor-address",
  ]);
  for (const policy of ["mint-owner", "mint-visitor", "mint-visitor-address"]) {
    expect(here[policy]).not.toBe(there[policy]);
  }
});

test("a question counts for its session, whom it is for, and its project", () => {
  const session = someSession({ owner: "jo", visitorId: "v", visitorIp: "2001:db8::1" });
  expect(keysOf(messageCharges(defaultSettings, session))).toEqual({
    session: session.sid,
    owner: "prj_1\njo",
    visitor: "prj_1\nv",
    "visitor-address": "prj_1\n2001:db8:0:0::/64",
    project: "prj_1",
  });
});
