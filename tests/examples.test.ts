import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openBrowser, recordTraffic } from "./support/browser.ts";
import { type HostSite, openHostSite } from "./support/host-site.ts";
import { openModelEndpoint } from "./support/model-endpoint.ts";
import type { RunningProgram } from "./support/programs.ts";
import { openComplaining, runExample } from "./support/run-example.ts";

/** The examples that most people begin with, each in a browser against a real server. */
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
async function open(
  name: string,
  on: HostSite = site,
): Promise<{ page: Page; complaints: string[] }> {
  example = await runExample(name, on);
  context = await browser.newContext();
  return openComplaining(context, example.url);
}

test("vanilla: a chat of one's own answers with its source, and opens it", async () => {
  const { page, complaints } = await open("vanilla");
  const traffic = recordTraffic(page);
  await page.getByRole("textbox", { name: "Question" }).fill("What do bees feed on?");
  await page.getByRole("button", { name: "Ask" }).click();
  const source = page.getByRole("list", { name: "Sources" }).getByRole("button");
  await source.first().waitFor();
  expect(await page.getByRole("list", { name: "Conversation" }).textContent()).toContain(
    "Bees feed on",
  );
  expect(traffic.count("POST", "/api/session")).toBe(1);
  expect(await traffic.everything()).not.toContain(site.apiKey);
  const [tab] = await Promise.all([page.context().waitForEvent("page"), source.first().click()]);
  await tab.getByRole("heading", { name: "Feeding bees" }).waitFor();
  expect(complaints).toEqual([]);
});

test("react: a tool that the app draws itself is approved in its form, and acts in the page", async () => {
  const model = await openModelEndpoint({
    calls: { name: "book_visit", input: { day: "Monday" } },
    words: ["It is ", "done."],
  });
  const own = await openHostSite(
    () => ({}),
    () => "default-src 'none'",
    model.variables,
  );
  try {
    const { page, complaints } = await open("react", own);
    const traffic = recordTraffic(page);
    await page.getByRole("button", { name: "Book a visit on Monday." }).click();
    await page.getByRole("checkbox", { name: "That day suits me" }).check();
    expect(await page.getByRole("list", { name: "Bookings" }).textContent()).toBe("");
    await page.getByRole("button", { name: "Book", exact: true }).click();
    await page.getByText("Booked for Monday.").waitFor();
    await page.getByText("It is done.").first().waitFor();
    expect(await page.getByRole("list", { name: "Bookings" }).textContent()).toBe("Monday");
    expect(traffic.count("POST", "/api/session")).toBe(1);
    expect(await traffic.everything()).not.toContain(own.apiKey);
    expect(complaints).toEqual([]);
  } finally {
    await own.close();
    await model.close();
  }
});
