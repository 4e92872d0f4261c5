import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { openBrowser } from "../support/browser.ts";
import { cookiesOf, password, signUp } from "../support/people.ts";
import { freePort } from "../support/programs.ts";

/** T56: cookies know no ports. Another program on the same host uses, or sets, the cookie of a person. */
let server: AttackedServer;
let browser: Browser;
const neighbour = createServer((_, answer) => {
  answer.setHeader("content-type", "text/html").end("<!doctype html><title>neighbour</title>");
});
let neighbourUrl: string;
beforeAll(async () => {
  server = await openAttackedServer({
    VALET_PORT: String(await freePort()),
    VALET_TRUSTED_PROXIES: "127.0.0.1",
  });
  await new Promise<void>((resolve) => neighbour.listen(0, "127.0.0.1", resolve));
  neighbourUrl = `http://127.0.0.1:${(neighbour.address() as AddressInfo).port}`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  neighbour.close();
  await server?.close();
});

test("a page on another port of the same host, with which the cookie goes along, changes and reads nothing", async () => {
  const cookie = await signUp(server);
  const context = await browser.newContext();
  await context.addCookies(
    cookie.split("; ").map((each) => {
      const [name = "", value = ""] = each.split(/=(.*)/);
      return { name, value, domain: "127.0.0.1", path: "/", sameSite: "Lax" as const };
    }),
  );
  const page = await context.newPage();
  await page.goto(neighbourUrl);
  const before = server.log().length;
  const seen = await page.evaluate(async (url) => {
    const tell = async (path: string, init: RequestInit) => {
      try {
        const answer = await fetch(`${url}${path}`, { credentials: "include", ...init });
        return `${answer.type} ${answer.status} ${await answer.text()}`;
      } catch (error) {
        return (error as Error).name;
      }
    };
    const body = JSON.stringify({ name: "Evil" });
    return [
      await tell("/admin/v1/projects", {}),
      await tell("/admin/v1/projects", { method: "POST", mode: "no-cors", body }),
      await tell("/admin/v1/projects", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      }),
      await tell("/admin/v1/auth/sign-out", { method: "POST", mode: "no-cors", body: "{}" }),
    ];
  }, server.url);
  expect(seen).toEqual(["TypeError", "opaque 0 ", "TypeError", "opaque 0 "]);
  // The cookie did go along: it was not its absence that refused them.
  const posts = server
    .log()
    .slice(before)
    .split("\n")
    .filter((line) => line.includes('"POST"'));
  expect(posts.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual([403, 403]);
  const { projects } = await server.control.get<{ projects: { name: string }[] }>("/projects");
  expect(projects.map(({ name }) => name)).not.toContain("Evil");
  expect((await server.send("/admin/v1/me", { headers: { cookie } })).status).toBe(200);
  await context.close();
});

test("a cookie that another server gave, or that somebody made up, is worth nothing here", async () => {
  const other = await openAttackedServer();
  try {
    const theirs = await signUp(other, "eve@example.com");
    expect(
      (await other.fetch("http://localhost:4747/admin/v1/me", { headers: { cookie: theirs } }))
        .status,
    ).toBe(200);
    const own = await server.fetch(`${server.url}/admin/v1/auth/sign-in/email`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin: server.url,
        "x-forwarded-for": "203.0.113.56",
      },
      body: JSON.stringify({ email: "ada@example.com", password }),
    });
    const good = cookiesOf(own);
    expect((await server.send("/admin/v1/me", { headers: { cookie: good } })).status).toBe(200);
    const [name = "", value = ""] = good.split(/=(.*)/);
    const unsigned = decodeURIComponent(value).split(".")[0] ?? "";
    for (const cookie of [
      theirs,
      `${name}=${unsigned}`,
      `${name}=${unsigned}.${"A".repeat(43)}%3D`,
      `${name}=${encodeURIComponent(`${unsigned}.`)}`,
    ]) {
      expect([cookie, (await server.send("/admin/v1/me", { headers: { cookie } })).status]).toEqual(
        [cookie, 401],
      );
    }
  } finally {
    await other.close();
  }
});
