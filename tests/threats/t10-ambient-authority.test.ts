import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer, question } from "../support/attacked-server.ts";
import { openBrowser } from "../support/browser.ts";
import { signUp } from "../support/people.ts";
import { freePort } from "../support/programs.ts";

/**
 * T10: a page of another site uses what a browser sends by itself. T56, a page on another port of
 * the same host, gets the cookie sent along and is held off by the same defence; its test is
 * t56-cookie-of-another-port.test.ts.
 */
let server: AttackedServer;
let browser: Browser;
const evil = createServer((_, answer) => {
  answer.setHeader("content-type", "text/html").end("<!doctype html><title>evil</title>");
});
let evilUrl: string;
beforeAll(async () => {
  const port = await freePort();
  server = await openAttackedServer({ VALET_PORT: String(port) });
  await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
  // Another site: `localhost` and `127.0.0.1` have nothing in common for a browser.
  evilUrl = `http://localhost:${(evil.address() as AddressInfo).port}/`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  evil.close();
  await server?.close();
});

test("what another site's page can send without asking has no effect, not even with the cookies of a person", async () => {
  const [name, value] = (await signUp(server)).split(/=(.*)/);
  const context = await browser.newContext();
  const cookie = { name: name ?? "", value: value ?? "", domain: "127.0.0.1", path: "/" };
  // The worst case: cookies that a browser sends along from everywhere.
  await context.addCookies([{ ...cookie, sameSite: "None", secure: true }]);
  const page = await context.newPage();
  await page.goto(evilUrl);
  const { session_token: token } = await server.mint();
  const admin = `${server.url}/admin/v1`;
  const agent = `${server.url}${server.base}`;
  const attempts = [
    [`${admin}/projects`, JSON.stringify({ name: "Evil" })],
    [`${admin}/projects/${server.projectId}/keys`, JSON.stringify({ name: "Evil" })],
    [`${admin}/projects/${server.projectId}/keys/${server.kid}/revoke`, ""],
    [`${admin}/auth/sign-out`, "{}"],
    [`${agent}/sessions/`, "{}"],
    [`${agent}/chat/`, question("Hi")],
    [`${agent}/revocations/`, JSON.stringify({ targets: [{ project: true }] })],
  ] as const;
  const before = server.log().length;
  for (const [url, body] of attempts) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      await page.evaluate(
        async ([to, text, contentType]) => {
          const init = { method: "POST", mode: "no-cors", credentials: "include" } as const;
          const headers = { "content-type": contentType };
          await fetch(to, { ...init, headers, body: text }).catch(() => undefined);
        },
        [url, body, type] as const,
      );
    }
    // A form that the page submits: a navigation, which cookies go along with more easily.
    const frame = await page.evaluate(
      async ([to, text]) => {
        const frame = document.createElement("iframe");
        frame.name = "target";
        const form = document.createElement("form");
        Object.assign(form, {
          method: "POST",
          action: to,
          target: "target",
          enctype: "text/plain",
        });
        const field = document.createElement("input");
        field.name = text.slice(0, -1);
        field.value = text.slice(-1);
        form.append(field);
        document.body.append(frame, form);
        const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
        form.submit();
        await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, 500))]);
        frame.remove();
        form.remove();
        return true;
      },
      [url, body] as const,
    );
    expect(frame).toBe(true);
  }
  const requests = server
    .log()
    .slice(before)
    .split("\n")
    .filter((line) => line.includes('"method":"POST"'))
    .map((line) => JSON.parse(line) as { path: string; status: number });
  expect(requests.length).toBeGreaterThanOrEqual(attempts.length * 3);
  expect(requests.filter(({ status }) => status < 400)).toEqual([]);
  // It was not for want of a cookie that the dashboard's routes refused.
  const refused = requests.filter(({ path }) => path.startsWith("/admin/"));
  expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([403]));

  const { projects } = await server.control.get<{ projects: unknown[] }>("/projects");
  const { keys } = await server.control.get<{ keys: { revoked_at: string | null }[] }>(
    `/projects/${server.projectId}/keys`,
  );
  expect([projects.length, keys.length, keys[0]?.revoked_at]).toEqual([1, 1, null]);
  expect((await server.as(token, "/session/")).status).toBe(200);
  const me = await server.send("/admin/v1/me", { headers: { cookie: `${name}=${value}` } });
  expect(me.status).toBe(200);
  await context.close();
});

test("agent routes set no cookie, and a person's cookie is worth nothing there", async () => {
  const cookie = await signUp(server, "bob@example.com");
  const { session_token: token } = await server.mint();
  const answer = await server.as(token, "/session/");
  expect(answer.headers.getSetCookie()).toEqual([]);
  expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
  for (const path of ["/session/", "/threads/", "/sessions/"]) {
    expect((await server.send(`${server.base}${path}`, { headers: { cookie } })).status).toBe(401);
  }
});
