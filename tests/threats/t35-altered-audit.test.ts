import { join } from "node:path";
import SQLite from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";

/** T35: an insider changes the audit. */
let server: AttackedServer;
let database: SQLite.Database;
beforeEach(async () => {
  server = await openAttackedServer();
  for (const name of ["a", "b", "c", "d"]) await server.newKey({ name });
  database = new SQLite(join(server.folder, "valet.db"));
});
afterEach(async () => {
  database.close();
  await server.close();
});

const verify = () =>
  server.control.post<{ ok: boolean; n: number; fault?: string }>("/audit/verify");
const rows = () => (database.prepare("select count(*) as n from audit").get() as { n: number }).n;

test("the tables themselves refuse to change or to forget a line", () => {
  expect(() => database.exec("update audit set actor = 'nobody' where n = 2")).toThrow();
  expect(() => database.exec("delete from audit where n = 2")).toThrow();
});

test.each([
  ["changed", "update audit set actor = 'nobody' where n = 3", 3],
  ["changed in time", "update audit set at_ms = at_ms + 1 where n = 3", 3],
  ["deleted", "delete from audit where n = 3", 3],
  ["deleted at the end", "delete from audit where n = (select max(n) from audit)", undefined],
  [
    "swapped",
    "update audit set n = -1 where n = 3; update audit set n = 3 where n = 4; update audit set n = 4 where n = -1",
    3,
  ],
  [
    "cut off, with the end set back",
    "delete from audit where n > 3; update audit_head set n = 3, hash = (select hash from audit where n = 3)",
    3,
  ],
  [
    "deleted altogether",
    "delete from audit; update audit_head set n = 0, hash = zeroblob(32)",
    undefined,
  ],
])(
  "a line that was %s by somebody whom no trigger stops is found and named",
  async (_, statement, n) => {
    expect(await verify()).toMatchObject({ ok: true, n: rows() });
    const before = rows();
    database.exec("drop trigger audit_no_update; drop trigger audit_no_delete");
    database.exec(statement);
    const verdict = await verify();
    expect(verdict.ok).toBe(false);
    if (n !== undefined) expect(verdict.n).toBe(n);
    else expect(verdict.n).toBeLessThanOrEqual(before);
  },
);

test("a line that is added by hand is found", async () => {
  const row = database.prepare("select * from audit order by n desc limit 1").get() as {
    n: number;
  };
  const names = Object.keys(row);
  database
    .prepare(
      `insert into audit (${names.join(", ")}) values (${names.map((name) => `@${name}`).join(", ")})`,
    )
    .run({ ...row, n: row.n + 1 });
  expect((await verify()).ok).toBe(false);
});

test("an operator who seals a broken chain again hides nothing, and nothing before it can be changed again", async () => {
  database.exec("drop trigger audit_no_update; drop trigger audit_no_delete");
  database.exec("update audit set actor = 'nobody' where n = 3");
  await server.control.post("/audit/reseal", { reason: "Known." });
  expect(await verify()).toMatchObject({ ok: true, breaks: [{ n: 3, fault: "changed" }] });
  for (const n of [2, 3, 5]) {
    database.exec(`update audit set at_ms = at_ms + 1 where n = ${n}`);
    expect(await verify(), `line ${n}`).toMatchObject({ ok: false });
    database.exec(`update audit set at_ms = at_ms - 1 where n = ${n}`);
    expect(await verify()).toMatchObject({ ok: true });
  }
});
