import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, recordTraffic, type Traffic } from "./support/browser.ts";
import { freePort, type RunningProgram, runValet, startProgram } from "./support/programs.ts";

/** What a team does, from the first start to a conversation that survives trouble, in order. */
const folder = mkdtempSync(join(tmpdir(), "valet-journey-"));
const envFile = join(folder, "customer.env");
let variables: Record<string, string>;
let demoPort: number;
let server: RunningProgram;
let demo: RunningProgram | undefined;
let browser: Browser;
let apiKey = "";
let projectId = "";
let customer: BrowserContext;
let page: Page;
let traffic: Traffic;

beforeAll(async () => {
  const port = await freePort();
  demoPort = await freePort();
  variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_PORT: String(port),
    VALET_PUBLIC_URL: `http://localhost:${port}`,
    VALET_LOG_LEVEL: "info",
  };
  const docs = join(folder, "docs");
  mkdirSync(docs);
  writeFileSync(
    join(docs, "gardens.md"),
    `# Gardens

What grows where.

## Watering tomatoes

Tomatoes need two litres of water a day. Water them in the morning, at the root.

## Pruning roses

Roses are pruned in March, above an outward bud.

## Feeding bees

Bees feed on clover and on lavender.

## Storing apples

Apples are stored at four degrees, in the dark.

## Planting garlic

Garlic is planted in October, three centimetres deep.
`,
  );
  server = await startProgram(["packages/server/dist/main.js", "start", "--json-ready"], variables);
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function startCustomerApp(): Promise<void> {
  demo = await startProgram(["apps/demo/dist/main.js", "--env-file", envFile, "--json-ready"], {
    VALET_DEMO_PORT: String(demoPort),
  });
}

async function send(on: Page, text: string): Promise<void> {
  await on.getByRole("textbox", { name: "Message" }).fill(text);
  await on.getByRole("textbox", { name: "Message" }).press("Enter");
}

/** The answers that have ended, as they stand on the page. */
const answers = (on: Page) =>
  on
    .getByRole("article", { name: "Assistant" })
    .filter({ has: on.getByRole("button", { name: "Copy the answer" }) });

async function waitForAnswers(on: Page, count: number): Promise<string> {
  await answers(on)
    .nth(count - 1)
    .waitFor();
  return (
    (await answers(on)
      .nth(count - 1)
      .textContent()) ?? ""
  );
}

const sessionCalls = () => traffic.count("POST", "/api/session");

test("a set-up link makes the first account, and its code does not stay in the address", async () => {
  const { stdout } = await runValet(["setup-link"], variables);
  const dashboard = await (await browser.newContext()).newPage();
  await dashboard.goto(stdout.trim());
  await dashboard.waitForURL(`${server.url}/setup`);
  await dashboard.getByRole("textbox", { name: "Your name" }).fill("Ada");
  await dashboard.getByRole("textbox", { name: "E-mail" }).fill("ada@example.com");
  await dashboard.getByLabel("Password", { exact: false }).first().fill("correct horse battery");
  await dashboard.getByRole("button", { name: "Make account" }).click();
  await dashboard.getByRole("heading", { name: "Home" }).waitFor();

  await dashboard.getByRole("link", { name: "Agent" }).click();
  await dashboard.getByRole("button", { name: "Create integration" }).click();
  await dashboard.getByRole("textbox", { name: "Name" }).fill("Help panel");
  await dashboard.getByRole("dialog").getByRole("button", { name: "Create integration" }).click();
  await dashboard.getByRole("heading", { name: "Help panel" }).waitFor();
  const ids = (await dashboard.locator("main").textContent()) ?? "";
  projectId = /prj_[0-9A-Za-z]{16}/.exec(ids)?.[0] ?? "";
  const integrationId = /int_[0-9A-Za-z]{16}/.exec(ids)?.[0] ?? "";
  expect([projectId, integrationId]).toEqual([
    expect.stringMatching(/^prj_/),
    expect.stringMatching(/^int_/),
  ]);

  await dashboard.getByRole("link", { name: "API Keys" }).first().click();
  await dashboard.getByRole("button", { name: "Create key" }).click();
  await dashboard.getByRole("textbox", { name: "Name" }).fill("Production");
  await dashboard.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  const shown =
    (await dashboard.getByRole("dialog").filter({ hasText: "Your new key" }).textContent()) ?? "";
  apiKey = /VALET_API_KEY=(agk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49})/.exec(shown)?.[1] ?? "";
  expect(apiKey).not.toBe("");
  await dashboard.getByRole("button", { name: "I have stored it" }).click();
  await dashboard.getByText("Never used").waitFor();
  expect(await dashboard.content()).not.toContain(apiKey);
  await dashboard.context().close();

  writeFileSync(
    envFile,
    `VALET_API_KEY=${apiKey}\nVALET_PROJECT_ID=${projectId}\nVALET_INTEGRATION_ID=${integrationId}\nVALET_API_URL=${server.url}\n`,
  );
  const ingested = await runValet(["ingest", join(folder, "docs")], variables);
  expect([ingested.status, ingested.stdout]).toEqual([0, expect.stringContaining("1 added")]);
});

test("before the first message no session is asked for, after it exactly one", async () => {
  await startCustomerApp();
  customer = await browser.newContext();
  page = await customer.newPage();
  page.setDefaultTimeout(15_000);
  traffic = recordTraffic(page);
  await page.goto(`http://localhost:${demoPort}`);
  await page.getByRole("textbox", { name: "Message" }).focus();
  await page.waitForLoadState("networkidle");
  expect(sessionCalls()).toBe(0);

  // Notes every length that the answer has on its way.
  await page.evaluate(() => {
    const lengths: number[] = [];
    Object.assign(window, { lengths });
    new MutationObserver(() => {
      const text = document.querySelector(".valet-message-assistant .valet-markdown")?.textContent;
      if (text && text.length !== lengths.at(-1)) lengths.push(text.length);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await send(page, "How much water do tomatoes need?");
  const answer = await waitForAnswers(page, 1);
  expect(answer).toContain("Tomatoes need two litres of water a day");
  expect(sessionCalls()).toBe(1);
  const lengths = await page.evaluate(() => (window as unknown as { lengths: number[] }).lengths);
  expect(lengths.length).toBeGreaterThan(3);
});

test("a citation shows its passage and opens the right page at the right anchor", async () => {
  await page
    .getByRole("button", { name: /^Source 1:/ })
    .first()
    .click();
  await page.getByRole("dialog").getByText("Water them in the morning").waitFor();
  const [tab] = await Promise.all([
    customer.waitForEvent("page"),
    page.getByRole("link", { name: "Open page" }).click(),
  ]);
  await tab.waitForURL(/\/sources\/doc_[0-9A-Za-z]+#watering-tomatoes$/);
  expect(await tab.locator(":target").textContent()).toBe("Watering tomatoes");
  expect(tab.url()).not.toContain("ticket");
  await tab.reload();
  await tab.getByRole("heading", { name: "Watering tomatoes" }).waitFor();
  await tab.close();
  await page.keyboard.press("Escape");
});

test("five quick messages queue, cost no further token, and are answered in order", async () => {
  const questions = [
    ["When are roses pruned?", "March"],
    ["What do bees feed on?", "clover"],
    ["How are apples stored?", "four degrees"],
    ["When is garlic planted?", "October"],
    ["How are tomatoes watered?", "two litres"],
  ] as const;
  for (const [question] of questions) await send(page, question);
  await page
    .getByRole("button", { name: /^Cancel this message/ })
    .first()
    .waitFor();
  for (const [at, [, expected]] of questions.entries()) {
    expect(await waitForAnswers(page, at + 2)).toContain(expected);
  }
  const asked = await page.getByRole("article", { name: "You" }).allTextContents();
  expect(asked.slice(1)).toEqual(questions.map(([question]) => question));
  expect(sessionCalls()).toBe(1);
});

test("a second tab costs one token of its own", async () => {
  const other = await customer.newPage();
  const itsTraffic = recordTraffic(other);
  await other.goto(`http://localhost:${demoPort}`);
  await send(other, "When are roses pruned?");
  expect(await waitForAnswers(other, 1)).toContain("March");
  expect(itsTraffic.count("POST", "/api/session")).toBe(1);
  expect(sessionCalls()).toBe(1);
  await other.close();
});

const chatUrl = () => `/agent/v1/projects/${projectId}/agent/chat/`;
const threadsAsked = () =>
  traffic.requests
    .filter(({ method, url }) => method === "POST" && new URL(url).pathname === chatUrl())
    .map(({ body }) => (JSON.parse(body) as { id?: string }).id);

/** Ends every session of the customer on the server. */
async function revokeSessions(): Promise<void> {
  const sessions = `${server.url}/agent/v1/projects/${projectId}/agent/sessions/`;
  const headers = { "x-api-key": apiKey };
  const list = (await (await fetch(sessions, { headers })).json()) as {
    sessions: { session_id: string }[];
  };
  for (const { session_id: id } of list.sessions) {
    expect((await fetch(`${sessions}${id}/`, { method: "DELETE", headers })).status).toBe(200);
  }
}

test("after the session was revoked the next message is answered in the same thread, for one token", async () => {
  await revokeSessions();
  const before = await answers(page).count();
  await send(page, "What do bees feed on?");
  expect(await waitForAnswers(page, before + 1)).toContain("lavender");
  expect(sessionCalls()).toBe(2);
  const threads = threadsAsked();
  // The refused request and the one that took its place are of the same thread as all before.
  expect(new Set(threads.slice(1)).size).toBe(1);
  expect(threads.at(-1)).toMatch(/^thr_/);
});

test("while the session server is down the page says so, and it recovers", async () => {
  await revokeSessions();
  await demo?.stop();
  demo = undefined;
  const before = await answers(page).count();
  await send(page, "How are apples stored?");
  await page.getByRole("alert").filter({ hasText: "Your session could not be started" }).waitFor();
  await startCustomerApp();
  await page.getByRole("button", { name: "Try again" }).click();
  expect(await waitForAnswers(page, before + 1)).toContain("four degrees");
  expect(await page.getByRole("alert").filter({ hasText: "session" }).count()).toBe(0);
  expect(new Set(threadsAsked().slice(1)).size).toBe(1);
});

test("an answer can be stopped, and the next question is answered all the same", async () => {
  const before = await answers(page).count();
  // Over a slow network: the embedded model is done before a hand could reach the button.
  const network = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 3_000, downloadThroughput: -1, uploadThroughput: -1 };
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", slow);
  await send(page, "How are tomatoes watered?");
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.getByText("Stopped").first().waitFor();
  await network.send("Network.emulateNetworkConditions", { ...slow, latency: 0 });
  await send(page, "When is garlic planted?");
  await page
    .getByRole("article", { name: "Assistant" })
    .filter({ hasText: "three centimetres" })
    .nth(1)
    .waitFor();
  expect(await answers(page).count()).toBeGreaterThan(before);
});

test("the key is in nothing that the browser saw, and no log has it either", async () => {
  const secret = apiKey.slice(22);
  const seen = await traffic.everything();
  expect(seen.length).toBeGreaterThan(100_000);
  expect(seen).toContain("Bearer S");
  expect(seen).not.toContain(secret);
  const stored = await page.evaluate(() =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      document.cookie,
      document.documentElement.outerHTML,
    ]),
  );
  expect(stored).not.toContain(secret);
  expect(JSON.stringify(await customer.cookies())).not.toContain(secret);
  // Nor is the token anywhere but in memory.
  expect(stored).not.toMatch(/\bS[0-9A-Za-z]{63}\b/);
  for (const said of [server.said(), demo?.said() ?? ""]) {
    expect(said).not.toContain(secret);
    expect(said).not.toMatch(/\bS[0-9A-Za-z]{63}\b/);
  }
});
