import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { openBrowser } from "../support/browser.ts";

/** T11: a page of another origin, with or without a stolen token. */
let server: AttackedServer;
let browser: Browser;
let page: Page;
let origin: string;
const other = createServer((_, answer) => {
  answer.setHeader("content-type", "text/html").end("<!doctype html><title>other</title>");
});
beforeAll(async () => {
  server = await openAttackedServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  origin = `http://localhost:${(other.address() as AddressInfo).port}`;
  browser = await openBrowser();
  page = await browser.newPage();
  await page.goto(origin);
});
afterAll(async () => {
  await browser?.close();
  other.close();
  await server?.close();
});

interface Seen {
  readonly status?: number;
  readonly code?: string;
  readonly challenge?: string | null;
  readonly error?: string;
}

/** What the page can see of an answer. */
function look(path: string, init: RequestInit): Promise<Seen> {
  return page.evaluate(
    async ([url, options]) => {
      try {
        const answer = await fetch(url, options as RequestInit);
        const body = (await answer.json().catch(() => ({}))) as { code?: string };
        const challenge = answer.headers.get("www-authenticate");
        return { status: answer.status, challenge, ...(body.code && { code: body.code }) };
      } catch (error) {
        return { error: (error as Error).name };
      }
    },
    [`${server.url}${server.base}${path}`, init] as const,
  ) as Promise<Seen>;
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("a page of another origin in Chromium reads the 401 with its code and challenge, on every browser route", async () => {
  for (const [method, path] of [
    ["GET", "/session/"],
    ["DELETE", "/session/"],
    ["POST", "/chat/"],
    ["GET", "/chat/thr_x/stream/"],
    ["POST", "/chat/thr_x/stop/"],
    ["GET", "/threads/"],
    ["GET", "/threads/thr_x/"],
    ["POST", "/threads/thr_x/feedback/"],
  ]) {
    const seen = await look(path ?? "", { method: method ?? "", ...bearer("expired-or-stolen") });
    expect([path, seen]).toEqual([
      path,
      {
        status: 401,
        code: "invalid_token",
        challenge: 'Bearer realm="valet", error="invalid_token"',
      },
    ]);
  }
});

test("a token that is locked to one origin is a readable 403 on another, and does nothing there", async () => {
  const { session_token: locked } = await server.mint({ origins: ["https://app.example"] });
  expect(await look("/session/", bearer(locked))).toMatchObject({
    status: 403,
    code: "origin_not_allowed",
  });
  expect(await look("/session/", { method: "DELETE", ...bearer(locked) })).toMatchObject({
    code: "origin_not_allowed",
  });
  expect((await server.as(locked, "/session/")).status).toBe(200);

  const { session_token: here } = await server.mint({ origins: [origin] });
  expect(await look("/session/", bearer(here))).toMatchObject({ status: 200 });
});

test("a page can do nothing with an API key, and reads nothing of the answer", async () => {
  const headers = { "x-api-key": server.apiKey };
  for (const [method, path] of [
    ["POST", "/sessions/"],
    ["GET", "/sessions/"],
    ["POST", "/revocations/"],
  ]) {
    expect(await look(path ?? "", { method: method ?? "", headers })).toEqual({
      error: "TypeError",
    });
  }
  const { keys } = await server.control.get<{ keys: { last_used_at: string | null }[] }>(
    `/projects/${server.projectId}/keys`,
  );
  expect(keys).toHaveLength(1);
});

test("a page that sends cookies along can read nothing", async () => {
  const { session_token: token } = await server.mint();
  const seen = await look("/session/", { ...bearer(token), credentials: "include" });
  expect(seen).toEqual({ error: "TypeError" });
});
