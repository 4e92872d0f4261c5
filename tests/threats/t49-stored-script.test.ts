import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AttackedServer, openAttackedServer } from "../support/attacked-server.ts";
import { openBrowser } from "../support/browser.ts";
import { signUp } from "../support/people.ts";
import { freePort } from "../support/programs.ts";

/**
 * T49 and T50: script that was stored in names or documents runs on the server's own pages, or
 * links and images there carry data out.
 */
let server: AttackedServer;
let browser: Browser;
let reached: string[] = [];
const beacon = createServer((request, answer) => {
  reached.push(request.url ?? "");
  answer.setHeader("access-control-allow-origin", "*").end("ok");
});
let beaconUrl: string;
const folder = mkdtempSync(join(tmpdir(), "valet-script-"));
beforeAll(async () => {
  server = await openAttackedServer({ VALET_PORT: String(await freePort()) });
  await new Promise<void>((resolve) => beacon.listen(0, "127.0.0.1", resolve));
  beaconUrl = `http://127.0.0.1:${(beacon.address() as AddressInfo).port}`;
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  beacon.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const script = () =>
  `<img src=x onerror="document.title='PWNED'"><script>document.title='PWNED'</script><img src="${beaconUrl}/name">`;

test("names that are script stay text on the dashboard, and load nothing", async () => {
  const cookie = await signUp(server);
  const headers = { cookie, origin: server.url, "content-type": "application/json" };
  const post = async (path: string, name: string) => {
    const answer = await server.send(`/admin/v1${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify({ name: name.slice(0, 100) }),
    });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { project?: { id: string } };
  };
  const { projects } = (await (await server.send("/admin/v1/projects", { headers })).json()) as {
    projects: { id: string }[];
  };
  const id = projects[0]?.id ?? "";
  await post(`/projects/${id}/keys`, script());
  await post(`/projects/${id}/integrations`, `<svg onload="document.title='PWNED'">`);
  reached = [];
  const context = await browser.newContext();
  await context.addCookies(
    cookie.split("; ").map((each) => {
      const [name = "", value = ""] = each.split(/=(.*)/);
      return { name, value, domain: "127.0.0.1", path: "/" };
    }),
  );
  const page = await context.newPage();
  let pages = 0;
  for (const path of [
    "/",
    `/projects/${id}`,
    `/projects/${id}/settings/api-keys`,
    `/projects/${id}/integrations/agent`,
  ]) {
    await page.goto(`${server.url}${path}`);
    await page.waitForLoadState("networkidle");
    if ((await page.content()).includes("&lt;img src=x onerror")) pages += 1;
    expect(await page.title()).not.toContain("PWNED");
    expect(await page.locator("img[src=x], svg[onload]").count()).toBe(0);
  }
  // The names were shown somewhere, as text.
  expect(pages).toBeGreaterThan(0);
  expect(reached).toEqual([]);
  await context.close();
});

test("a document that is script, or calls home, does neither on its page", async () => {
  writeFileSync(
    join(folder, "evil.md"),
    `# Evil ${script()}\n\n${script()}\n\n![x](${beaconUrl}/image)\n\n<iframe src="${beaconUrl}/frame"></iframe>\n\n<meta http-equiv="refresh" content="0;url=${beaconUrl}/refresh">\n\n<style>@import url(${beaconUrl}/style)</style>\n\n[go](javascript:document.title='PWNED')\n\n[data](data:text/html,<script>1</script>)\n\nThe zorvex holds.\n`,
  );
  for await (const _ of server.control.lines(`/projects/${server.projectId}/ingest`, {
    path: folder,
  }))
    void _;
  const { default: SQLite } = await import("better-sqlite3");
  const database = new SQLite(join(server.folder, "valet.db"), { readonly: true });
  const { id } = database.prepare("select id from document").get() as { id: string };
  database.close();
  const { session_token: token } = await server.mint();
  const ticket = await server.send(`/sources/${id}/ticket`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  const { url } = (await ticket.json()) as { url: string };
  reached = [];
  const page = await browser.newPage();
  await page.goto(`${server.url}${url}`);
  await page.waitForTimeout(500);
  expect(await page.textContent("body")).toContain("The zorvex holds.");
  expect(await page.title()).not.toBe("PWNED");
  expect(
    await page
      .locator("script, img, iframe, meta[http-equiv], a[href^=javascript], a[href^=data]")
      .count(),
  ).toBe(0);
  for (const link of await page.locator("a").all())
    await link.click({ timeout: 1_000 }).catch(() => undefined);
  expect(await page.title()).not.toBe("PWNED");
  expect(reached).toEqual([]);
  // And should a tag ever slip through, the page's own policy stops what it loads.
  const policy = (
    await server.send(`/sources/${id}`, { headers: { authorization: `Bearer ${token}` } })
  ).headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  await page.close();
});
