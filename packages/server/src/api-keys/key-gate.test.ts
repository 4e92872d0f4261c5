import { Hono } from "hono";
import { pino } from "pino";
import { expect, test } from "vitest";
import { createAudit } from "../audit/audit.ts";
import { createSqlAuditStore } from "../database/audit-store.ts";
import type { AppEnv } from "../http/app-env.ts";
import { numberRequests } from "../http/number-requests.ts";
import { answerProblem, type ProblemError } from "../http/problem-answer.ts";
import { createApiKey } from "./api-key-format.ts";
import { createKeyGate } from "./key-gate.ts";
import { requireKey } from "./require-key.ts";
import { openKeys } from "./testing/open-keys.ts";

/** A route behind the gate, and what the audit holds of alarms. */
async function open() {
  const opened = await openKeys();
  const { keys, database, clock, projectId } = opened;
  const from = { address: "203.0.113.7" };
  const clientAddress = () => from.address;
  const gate = createKeyGate({
    keys,
    audit: createAudit({ store: createSqlAuditStore(database), now: () => clock.ms }),
    clientAddress,
    now: () => clock.ms,
  });
  const app = new Hono<AppEnv>();
  app.use(numberRequests(pino({ level: "silent" }), { clientAddress }));
  app.onError((error, c) => answerProblem(c, error as ProblemError));
  app.get("/:projectId", requireKey(gate, "introspect"), (c) => c.json(c.get("key")));
  const call = async (secret: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(`/${projectId}`, {
      headers: { "x-api-key": secret, ...headers },
    });
    const body = (await answer.json()) as { code?: string; kid?: string };
    return body.code ?? body.kid;
  };
  const alarms = () =>
    database
      .selectFrom("audit")
      .select(["actor", "event", "target", "project_id", "address"])
      .where("event", "in", ["key.used_from_browser", "key.refused_by_ip"])
      .execute();
  return { ...opened, from, call, alarms };
}

const page = { origin: "https://app.example.com" };

test("a true key that comes from a page is refused and told to the audit, once a minute", async () => {
  const { keys, projectId, clock, call, alarms } = await open();
  const { row, secret } = await keys.create({ projectId, name: "k", actor: "a" });
  for (let at = 0; at < 3; at += 1) expect(await call(secret, page)).toBe("api_key_in_browser");
  const line = {
    actor: "page",
    event: "key.used_from_browser",
    target: row.kid,
    project_id: projectId,
    address: "203.0.113.0/24",
  };
  expect(await alarms()).toEqual([line]);
  clock.ms += 60_000;
  await call(secret, page);
  expect(await alarms()).toEqual([line, line]);
});

test("a made-up key from a page is refused in the same way, and writes nothing", async () => {
  const { keys, projectId, call, alarms } = await open();
  const { secret } = await keys.create({ projectId, name: "k", actor: "a" });
  const texts = [createApiKey().text, `${secret}x`, "agk_live_x"];
  for (const text of texts) expect(await call(text, page)).toBe("api_key_in_browser");
  expect(await alarms()).toEqual([]);
});

test("a true key from an address outside its list is told to the audit with its network", async () => {
  const { keys, projectId, from, call, alarms } = await open();
  const scopes = ["introspect"] as const;
  const made = await keys.create({ projectId, name: "k", actor: "a", ipAllow: ["::1"], scopes });
  expect(await call(made.secret)).toBe("ip_not_allowed");
  expect(await call(made.secret)).toBe("ip_not_allowed");
  from.address = "::1";
  expect(await call(made.secret)).toBe(made.row.kid);
  expect(await alarms()).toEqual([
    {
      actor: `key:${made.row.kid}`,
      event: "key.refused_by_ip",
      target: made.row.kid,
      project_id: projectId,
      address: "203.0.113.0/24",
    },
  ]);
});

test("what is wrong with a key is told in an order that gives nothing away", async () => {
  const { keys, projectId, call } = await open();
  const may = { projectId, name: "k", actor: "a", ipAllow: ["10.0.0.1"] };
  const { row, secret } = await keys.create(may);
  // Its state first, then where it comes from, and only then what it may do.
  expect(await call(secret)).toBe("ip_not_allowed");
  await keys.disable({ projectId, kid: row.kid, actor: "a" });
  expect(await call(secret)).toBe("key_disabled");
  expect(await call(createApiKey().text)).toBe("invalid_api_key");
  const plain = await keys.create({ projectId, name: "k", actor: "a" });
  expect(await call(plain.secret)).toBe("insufficient_scope");
});
