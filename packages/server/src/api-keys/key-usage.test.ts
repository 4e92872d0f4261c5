import { expect, test } from "vitest";
import type { KeyUse } from "./api-key-store.ts";
import { openKeys } from "./testing/open-keys.ts";

const minuteMs = 60_000;

/** Keys whose notes of use are counted, and can be made to fail. */
async function open() {
  const writes: KeyUse[] = [];
  const store = { isDown: false };
  const opened = await openKeys((real) => ({
    ...real,
    use(note) {
      writes.push(note);
      return store.isDown ? Promise.reject(new Error("down")) : real.use(note);
    },
  }));
  const { keys, projectId, database } = opened;
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const networks = async (event: string) => {
    const rows = await database
      .selectFrom("audit")
      .select("address")
      .where("event", "=", event)
      .orderBy("n")
      .execute();
    return rows.map(({ address }) => address);
  };
  /** Calls with the key, and lets what it caused be written. */
  const call = async (address?: string) => {
    keys.verify(secret, address);
    await keys.flushUsage();
  };
  const act = { projectId, kid: row.kid, actor: "a" };
  return { ...opened, writes, store, row, secret, networks, call, act };
}

test("a thousand calls in a minute are one write, and the next minute one more", async () => {
  const { clock, call, writes, keys, projectId, row } = await open();
  const first = clock.ms;
  expect(keys.get(projectId, row.kid).last_used_at_ms).toBeNull();
  for (let at = 0; at < 1_000; at += 1) await call("203.0.113.7");
  clock.ms += minuteMs - 1;
  await call("203.0.113.7");
  expect(writes).toHaveLength(1);
  expect(keys.get(projectId, row.kid)).toMatchObject({
    first_used_at_ms: first,
    last_used_at_ms: first,
  });
  clock.ms += 1;
  await call("203.0.113.7");
  expect(writes).toHaveLength(2);
  expect(keys.get(projectId, row.kid)).toMatchObject({
    first_used_at_ms: first,
    last_used_at_ms: first + minuteMs,
  });
});

test("the first use is told once, with the network and never the address", async () => {
  const { clock, call, networks, reopen, secret, database } = await open();
  await call("203.0.113.7");
  clock.ms += minuteMs;
  await call("203.0.113.7");
  clock.ms += minuteMs;
  const again = await reopen();
  again.verify(secret, "203.0.113.99");
  await again.flushUsage();
  expect(await networks("key.used_first_time")).toEqual(["203.0.113.0/24"]);
  expect(await networks("key.used_from_new_network")).toEqual([]);
  const audit = JSON.stringify(await database.selectFrom("audit").selectAll().execute());
  const rows = JSON.stringify(await database.selectFrom("api_key").select("networks").execute());
  expect(audit + rows).not.toContain("203.0.113.7");
});

test("a new network is told once, within a minute", async () => {
  const { clock, call, networks, writes, keys } = await open();
  await call("203.0.113.7");
  await call("198.51.100.1");
  await call("2001:db8:1:2::3");
  await call("203.0.113.8");
  await call("198.51.100.2");
  expect(writes).toHaveLength(1);
  clock.ms += minuteMs;
  await keys.flushUsage();
  const told = ["198.51.100.0/24", "2001:db8:1::/48"];
  expect(await networks("key.used_from_new_network")).toEqual(told);
  for (let at = 0; at < 3; at += 1) {
    clock.ms += minuteMs;
    await call("198.51.100.3");
  }
  expect(await networks("key.used_from_new_network")).toEqual(told);
});

test("of the networks of a key the last twenty are kept, and what is no address is none", async () => {
  const { clock, call, keys, projectId, row } = await open();
  await call("unknown");
  for (let at = 0; at < 25; at += 1) {
    clock.ms += minuteMs;
    await call(`10.0.${at}.1`);
  }
  const kept = JSON.parse(keys.get(projectId, row.kid).networks) as string[];
  expect(kept).toEqual(Array.from({ length: 20 }, (_, at) => `10.0.${at + 5}.0/24`));
});

test("calls after a rotation are counted, each one, and written once a minute", async () => {
  const { clock, call, writes, keys, projectId, row, act, reopen } = await open();
  await call();
  await keys.rotate(act);
  for (let at = 0; at < 5; at += 1) await call();
  expect(keys.get(projectId, row.kid).grace_calls).toBe(5);
  expect(writes).toHaveLength(1);
  clock.ms += minuteMs;
  await keys.flushUsage();
  await keys.flushUsage();
  expect(writes).toHaveLength(2);
  expect(keys.get(projectId, row.kid).grace_calls).toBe(5);
  await call();
  await keys.flushUsage(true);
  expect(keys.get(projectId, row.kid).grace_calls).toBe(6);
  expect((await reopen()).get(projectId, row.kid).grace_calls).toBe(6);
});

test("a note that cannot be written fails no call, and is written a minute later", async () => {
  const { clock, call, keys, projectId, row, act, store, networks } = await open();
  await call();
  await keys.rotate(act);
  clock.ms += minuteMs;
  store.isDown = true;
  await call("203.0.113.7");
  await call("198.51.100.1");
  expect(keys.get(projectId, row.kid).grace_calls).toBe(2);
  store.isDown = false;
  clock.ms += minuteMs;
  await keys.flushUsage();
  expect(keys.get(projectId, row.kid).grace_calls).toBe(2);
  expect(await networks("key.used_from_new_network")).toEqual(["198.51.100.0/24"]);
});

test("a refused call is no use", async () => {
  const { keys, projectId, row, secret, act, writes } = await open();
  await keys.update(act, { ipAllow: ["10.0.0.1"] });
  expect(() => keys.verify(secret, "10.0.0.2")).toThrow();
  await keys.disable(act);
  expect(() => keys.verify(secret, "10.0.0.1")).toThrow();
  await keys.flushUsage(true);
  expect(writes).toEqual([]);
  expect(keys.get(projectId, row.kid).first_used_at_ms).toBeNull();
});
