import { expect, test } from "vitest";
import { attempt, openKeys } from "./testing/open-keys.ts";

const hourMs = 3600_000;
const dayMs = 24 * hourMs;

test("a disabled key is refused with its sessions until it is enabled again, after a restart too", async () => {
  const { keys, projectId, attempt: tryKey, reopen, events } = await openKeys();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "b" };
  await keys.disable(act);
  await keys.disable(act);
  expect(tryKey(secret)).toBe("key_disabled");
  expect(keys.refusesSessions(row.kid)).toBe(true);
  expect(attempt(await reopen(), secret)).toBe("key_disabled");
  await keys.enable(act);
  await keys.enable(act);
  expect(tryKey(secret)).toBe(row.kid);
  expect(keys.refusesSessions(row.kid)).toBe(false);
  expect(attempt(await reopen(), secret)).toBe(row.kid);
  expect((await events()).filter((event) => event !== "key.used_first_time")).toEqual([
    "key.created",
    "key.disabled",
    "key.enabled",
  ]);
});

test("a revoked key cannot be enabled, changed, rotated or disabled", async () => {
  const { keys, projectId, attempt: tryKey } = await openKeys();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "a" };
  await keys.disable(act);
  await keys.revoke(act);
  for (const again of [
    () => keys.enable(act),
    () => keys.disable(act),
    () => keys.update(act, { name: "x" }),
    () => keys.rotate(act),
    () => keys.endGrace(act),
  ]) {
    await expect(again()).rejects.toMatchObject({ code: "conflict" });
  }
  expect(tryKey(secret)).toBe("key_revoked");
});

test("a key is refused from the instant of its expiry, and its sessions are not", async () => {
  const { keys, projectId, clock, attempt: tryKey } = await openKeys();
  const expiresAtMs = clock.ms + hourMs;
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a", expiresAtMs });
  clock.ms = expiresAtMs - 1;
  expect(tryKey(secret)).toBe(row.kid);
  clock.ms = expiresAtMs;
  expect(tryKey(secret)).toBe("key_expired");
  expect(keys.refusesSessions(row.kid)).toBe(false);
  await keys.update({ projectId, kid: row.kid, actor: "a" }, { expiresAtMs: null });
  expect(tryKey(secret)).toBe(row.kid);
});

test("a new key copies what the old one may do, and the old one works for a day more", async () => {
  const { keys, projectId, clock, attempt: tryKey, reopen, events } = await openKeys();
  const old = await keys.create({
    projectId,
    name: "k",
    description: "web",
    scopes: ["introspect"],
    ipAllow: ["10.0.0.0/8"],
    expiresAtMs: clock.ms + 30 * dayMs,
    keepCopy: true,
    actor: "a",
  });
  clock.ms += dayMs;
  tryKey(old.secret, "10.0.0.1");
  const usedAtMs = clock.ms;
  clock.ms += hourMs;
  const { made, replaced } = await keys.rotate({ projectId, kid: old.row.kid, actor: "b" });
  expect(made.row).toMatchObject({
    name: "k",
    description: "web",
    scopes: '["introspect"]',
    ip_allow: '["10.0.0.0/8"]',
    expires_at_ms: clock.ms + 30 * dayMs,
    created_by: "b",
  });
  expect(keys.reveal(projectId, made.row.kid)).toBe(made.secret);
  expect(replaced).toMatchObject({
    replaced_by: made.row.kid,
    grace_until_ms: clock.ms + dayMs,
    last_used_at_ms: usedAtMs,
  });
  expect(tryKey(made.secret, "8.8.8.8")).toBe("ip_not_allowed");
  expect(tryKey(made.secret, "10.0.0.1")).toBe(made.row.kid);
  clock.ms += dayMs - 1;
  expect(tryKey(old.secret, "10.0.0.1")).toBe(old.row.kid);
  clock.ms += 1;
  expect(tryKey(old.secret, "10.0.0.1")).toBe("key_rotated");
  expect(attempt(await reopen(), old.secret, "10.0.0.1")).toBe("key_rotated");
  expect(keys.refusesSessions(old.row.kid)).toBe(false);
  expect(await events()).toContain("key.rotated");
});

test("the overlap never reaches past the old key's own expiry", async () => {
  const { keys, projectId, clock } = await openKeys();
  const expiresAtMs = clock.ms + hourMs;
  const { row } = await keys.create({ projectId, name: "k", actor: "a", expiresAtMs });
  const { replaced } = await keys.rotate({ projectId, kid: row.kid, actor: "a" });
  expect(replaced.grace_until_ms).toBe(expiresAtMs);
});

test("an overlap of none ends the old key at once, and one out of bounds changes nothing", async () => {
  const { keys, projectId, attempt: tryKey } = await openKeys();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a", keepCopy: true });
  const act = { projectId, kid: row.kid, actor: "a" };
  for (const overlapMs of [-1, 7 * dayMs + 1, Number.NaN]) {
    await expect(keys.rotate(act, { overlapMs })).rejects.toMatchObject({
      code: "invalid_request",
      details: { field: "overlap_seconds" },
    });
  }
  expect(keys.list(projectId)).toHaveLength(1);
  await keys.rotate(act, { overlapMs: 0 });
  expect(tryKey(secret)).toBe("key_rotated");
  expect(() => keys.reveal(projectId, row.kid)).toThrow("No copy");
});

test("the overlap can be ended at once; what was replaced once is not replaced again", async () => {
  const { keys, projectId, attempt: tryKey, events } = await openKeys();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "a" };
  await expect(keys.endGrace(act)).rejects.toMatchObject({ code: "conflict" });
  const { made } = await keys.rotate(act, { overlapMs: 7 * dayMs });
  await expect(keys.rotate(act)).rejects.toThrow(made.row.kid);
  expect(tryKey(secret)).toBe(row.kid);
  await keys.endGrace(act);
  await keys.endGrace(act);
  expect(tryKey(secret)).toBe("key_rotated");
  expect((await events()).filter((event) => event === "key.grace_ended")).toHaveLength(1);
});

test("of many rotations of a key at the same time one takes place", async () => {
  const { keys, projectId } = await openKeys();
  const { row } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "a" };
  const done = await Promise.allSettled(Array.from({ length: 5 }, () => keys.rotate(act)));
  expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(keys.list(projectId)).toHaveLength(2);
});

test("a change tells the audit what was before and after, and no change tells nothing", async () => {
  const { keys, projectId, database } = await openKeys();
  const { row } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: { actor: "b", requestId: "req_1" } };
  await keys.update(act, { name: "k", ipAllow: null });
  await keys.update(act, { name: "Web", ipAllow: ["10.0.0.1"] });
  const lines = await database
    .selectFrom("audit")
    .select(["actor", "request_id", "detail"])
    .where("event", "=", "key.updated")
    .execute();
  expect(lines).toEqual([
    {
      actor: "b",
      request_id: "req_1",
      detail: JSON.stringify({
        before: { name: "k", ip_allow: null },
        after: { name: "Web", ip_allow: '["10.0.0.1"]' },
      }),
    },
  ]);
});

test("a change that could not be written has not taken place", async () => {
  let isDown = false;
  const {
    keys,
    projectId,
    attempt: tryKey,
  } = await openKeys((store) => ({
    ...store,
    update: (write) => (isDown ? Promise.reject(new Error("down")) : store.update(write)),
    replace: (write) => (isDown ? Promise.reject(new Error("down")) : store.replace(write)),
  }));
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "a" };
  isDown = true;
  await expect(keys.disable(act)).rejects.toThrow("down");
  await expect(keys.rotate(act)).rejects.toThrow("down");
  expect(tryKey(secret)).toBe(row.kid);
  expect(keys.list(projectId)).toHaveLength(1);
  isDown = false;
  await keys.disable(act);
  expect(tryKey(secret)).toBe("key_disabled");
});

test("what became of an act whose answer got lost is learnt from what is stored", async () => {
  const lost = { isOn: false };
  const lose = <Result>(result: Promise<Result>) =>
    result.then((value) => (lost.isOn ? Promise.reject(new Error("lost")) : value));
  const {
    keys,
    projectId,
    attempt: tryKey,
  } = await openKeys((store) => ({
    ...store,
    update: (write) => lose(store.update(write)),
    replace: (write) => lose(store.replace(write)),
  }));
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const act = { projectId, kid: row.kid, actor: "a" };
  lost.isOn = true;
  await expect(keys.rotate(act, { overlapMs: 0 })).rejects.toThrow("lost");
  lost.isOn = false;
  await keys.catchUp();
  expect(tryKey(secret)).toBe("key_rotated");
  expect(keys.list(projectId)).toHaveLength(2);
  const [, next] = keys.list(projectId);
  const nextAct = { ...act, kid: next?.kid ?? "" };
  lost.isOn = true;
  await expect(keys.disable(nextAct)).rejects.toThrow("lost");
  lost.isOn = false;
  // The next act begins with what is stored.
  const { made } = await keys.rotate(nextAct);
  expect(keys.get(projectId, nextAct.kid).disabled_at_ms).not.toBeNull();
  expect(tryKey(made.secret)).toBe(made.row.kid);
});

test("an IP list is told only to who holds the key, and without an address nobody is in it", async () => {
  const { keys, projectId, attempt: tryKey } = await openKeys();
  const ipAllow = ["10.0.0.0/8", "2001:db8::/32"];
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a", ipAllow });
  expect(tryKey(secret, "10.1.2.3")).toBe(row.kid);
  expect(tryKey(secret, "::ffff:10.1.2.3")).toBe(row.kid);
  expect(tryKey(secret, "2001:db8::1")).toBe(row.kid);
  for (const address of ["11.0.0.1", "unknown", "", undefined]) {
    expect(tryKey(secret, address)).toBe("ip_not_allowed");
  }
  const wrong = `${secret.slice(0, 30)}${secret[30] === "a" ? "b" : "a"}${secret.slice(31)}`;
  expect(tryKey(wrong, "11.0.0.1")).toBe("invalid_api_key");
});

test("what is done to a key of another project finds no key", async () => {
  const { keys, projectId } = await openKeys();
  const { row } = await keys.create({ projectId, name: "k", actor: "a" });
  for (const act of [
    { projectId: "prj_other", kid: row.kid, actor: "a" },
    { projectId, kid: "nokey0000000", actor: "a" },
  ]) {
    for (const attempted of [
      keys.update(act, { name: "x" }),
      keys.disable(act),
      keys.enable(act),
      keys.rotate(act),
      keys.endGrace(act),
      keys.revoke(act),
    ]) {
      await expect(attempted).rejects.toMatchObject({ code: "not_found" });
    }
  }
});
