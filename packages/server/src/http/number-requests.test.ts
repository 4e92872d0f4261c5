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
