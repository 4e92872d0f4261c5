import { Hono } from "hono";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { AppEnv } from "./app-env.ts";
import { numberRequests } from "./number-requests.ts";

const log = pino({ level: "silent" });

test("a server that is reached over HTTPS tells browsers to stay with it, and no other does", async () => {
  for (const isHttps of [true, false]) {
    const app = new Hono<AppEnv>().use(numberRequests(log, { isHttps }));
    const { headers } = await app.request("/nowhere");
    const said = headers.get("strict-transport-security");
    expect(said).toBe(isHttps ? "max-age=31536000" : null);
  }
});

test("the log names a request's path without the keys and tokens in it", async () => {
  const lines: string[] = [];
  const logged = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const app = new Hono<AppEnv>().use(numberRequests(logged));
  const token = `SA${"x".repeat(62)}`;
  await app.request(`/a/${token}/b/agk_live_${"k".repeat(12)}_${"s".repeat(49)}`);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ path: "/a/[credential]/b/[credential]" });
});
