import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openBrowser, recordTraffic } from "./support/browser.ts";
import { type HostSite, openHostSite } from "./support/host-site.ts";
import type { RunningProgram } from "./support/programs.ts";
import { openComplaining, runExample } from "./support/run-example.ts";

/** The other examples, each in a browser against a real server. */
let site: HostSite;
let browser: Browser;
let context: BrowserContext | undefined;
let example: RunningProgram | undefined;

beforeAll(async () => {
  site = await openHostSite(
    () => ({}),
    () => "default-src 'none'",
  );
  browser = await openBrowser();
});
afterEach(async () => {
  await context?.close();
  await example?.stop();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens an example's page, and tells what its policy or its script complains of. */
async function open(name: string): Promise<{ page: Page; complaints: string[] }> {
  example = await runExample(name, site);
  context = await browser.newContext();
  return openComplaining(context, example.url);
}

test("docs-site: a visitor whom nobody knows asks in the corner of a static page", async () => {
  const { page, complaints } = await open("docs-site");
  const traffic = recordTraffic(page);
  await page.getByRole("link", { name: "Installation" }).click();
  await page.getByRole("button", { name: "Ask the assistant" }).click();
  await page.getByRole("textbox", { name: "Message" }).fill("What do bees feed on?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  expect(await page.getByRole("article", { name: "Assistant" }).textContent()).toContain(
    "Bees feed on",
  );
  const cookies = (await page.context().cookies()).map(({ name, httpOnly }) => [name, httpOnly]);
  expect(cookies).toEqual([["valet_visitor", true]]);
  expect(traffic.count("POST", "/api/session")).toBe(1);
  expect(await traffic.everything()).not.toContain(site.apiKey);
  expect(complaints).toEqual([]);
});

test("session-server: whoever is signed out is told so, and signed in the same page answers", async () => {
  const { page } = await open("session-server");
  const ask = async (): Promise<void> => {
    await page.getByRole("button", { name: "Ask the assistant" }).click();
    await page.getByRole("textbox", { name: "Message" }).fill("What do bees feed on?");
    await page.keyboard.press("Enter");
  };
  const [refused] = await Promise.all([
    page.waitForResponse((answer) => answer.url().endsWith("/api/session")),
    ask(),
  ]);
  expect(refused.status()).toBe(401);
  await page.getByRole("article", { name: "Assistant" }).getByRole("alert").waitFor();

  await page.reload();
  await page.getByRole("textbox", { name: "Name" }).fill("Ada");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "You are signed in" }).waitFor();
  await ask();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
});

test("react-headless: an interface of the app's own shows the answer and its source", async () => {
  const { page, complaints } = await open("react-headless");
  await page.getByRole("textbox", { name: "Question" }).fill("What do bees feed on?");
  await page.keyboard.press("Enter");
  await page.getByRole("list", { name: "Sources" }).waitFor();
  expect(await page.getByRole("list", { name: "Conversation" }).textContent()).toContain(
    "Bees feed on",
  );
  expect(await page.locator("[class^=valet-]").count()).toBe(0);
  expect(complaints).toEqual([]);
});
