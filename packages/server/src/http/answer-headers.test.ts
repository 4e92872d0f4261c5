import type { AddressInfo } from "node:net";
import { Hono } from "hono";
import { pino } from "pino";
import { expect, test } from "vitest";
import { answerWith, setAnswerHeaders } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";
import { readableByPages } from "./cors.ts";
import { listen } from "./listen.ts";
import { noStore } from "./no-store.ts";
import { numberRequests } from "./number-requests.ts";
import { answerProblem, ProblemError } from "./problem-answer.ts";
import { readText } from "./read-json.ts";

function createTestApp() {
  const app = new Hono<AppEnv>();
  app.onError((_error, c) => answerProblem(c, new ProblemError("invalid_token")));
  app.use(numberRequests(pino({ level: "silent" }), { isHttps: true }), noStore, readableByPages);
  app.use((c, next) => answerWith(c, { "x-always": "1" }, next));
  app.get("/json", (c) => c.json({ ok: true }, 201));
  app.get("/own", (c) => c.text("kept", 200, { "cache-control": "max-age=60" }));
  app.get("/limits", (c) => {
    setAnswerHeaders(c, { ratelimit: '"a";r=1;t=2' });
    return c.json({});
  });
  app.get("/refused", (c) => {
    setAnswerHeaders(c, { ratelimit: '"a";r=0;t=2' });
    throw new ProblemError("invalid_token");
  });
  app.get(
    "/raw",
    () => new Response("raw", { headers: { "content-type": "text/css", "x-raw": "1" } }),
  );
  app.get("/stream", () => new Response(new Blob(["a", "b"]).stream()));
  app.get("/none", (c) => c.body(null, 204));
  app.post("/echo", async (c) => c.text(await readText(c, 10_000)));
  return app;
}

const varying = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding",
]);

async function describe(answer: Response) {
  const headers = [...answer.headers].filter(([name]) => !varying.has(name));
  const named = headers.map(([name, value]) => [name, name === "x-request-id" ? "id" : value]);
  const text = (await answer.text()).replace(/req_\w{22}/, "req");
  return { status: answer.status, headers: Object.fromEntries(named), text };
}

test("an answer over a connection says what the same answer says without one", async () => {
  const app = createTestApp();
  const server = await listen(app, { port: 0, host: "127.0.0.1" });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    for (const path of [
      "/json",
      "/own",
      "/limits",
      "/refused",
      "/raw",
      "/stream",
      "/none",
      "/absent",
    ]) {
      const direct = await describe(await app.request(path));
      expect(await describe(await fetch(url + path)), path).toEqual(direct);
      expect(direct.headers, path).toMatchObject({
        "x-request-id": "id",
        "x-always": "1",
        "x-content-type-options": "nosniff",
        "access-control-allow-origin": "*",
        "cache-control": path === "/own" ? "max-age=60" : "no-store",
      });
    }
    for (const body of ["", "{}", "ä".repeat(5_000), "x".repeat(10_001), Buffer.from([0xff])]) {
      const init = { method: "POST", body };
      const direct = await describe(await app.request("/echo", init));
      expect(await describe(await fetch(`${url}/echo`, init))).toEqual(direct);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
