import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { expectAccessible as check } from "./support/axe.ts";
import { openBrowser } from "./support/browser.ts";
import { freePort, type RunningProgram, runValet, startProgram } from "./support/programs.ts";

/** Every page that people see, checked by axe in both colour schemes and on a phone. */
const folder = mkdtempSync(join(tmpdir(), "valet-axe-"));
let variables: Record<string, string>;
let server: RunningProgram;
let demo: RunningProgram;
let browser: Browser;
let link: string;

beforeAll(async () => {
  const port = await freePort();
  variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_PORT: String(port),
    VALET_PUBLIC_URL: `http://localhost:${port}`,
    VALET_LOG_LEVEL: "warn",
  };
  server = await startProgram(["packages/server/dist/main.js", "start", "--json-ready"], variables);
  link = (await runValet(["setup-link"], variables)).stdout.trim();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await demo?.stop();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the dashboard has no violation of WCAG 2.2 AA, on any page and in any dialog", async () => {
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(`${server.url}/sign-in`);
  await page.getByText("Nobody has an account yet").waitFor();
  await check(page, "sign-in");
  await page.goto(link);
  await page.getByRole("textbox", { name: "Your name" }).fill("Ada");
  await check(page, "set-up");
  await page.getByRole("textbox", { name: "E-mail" }).fill("ada@example.com");
  await page.getByLabel("Password", { exact: false }).first().fill("correct horse battery");
  await page.getByRole("button", { name: "Make account" }).click();
  await page.getByRole("heading", { name: "Home" }).waitFor();
  await check(page, "home");
  const base = page.url().replace(/\/$/, "");

  await page.goto(`${base}/settings/api-keys`);
  await page.getByText("There are no keys yet").waitFor();
  await check(page, "no keys");
  await page.getByRole("button", { name: "Create key" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Production");
  await check(page, "create key");
  await page.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await page.getByText("Environment line").waitFor();
  const shown = (await page.getByRole("dialog").textContent()) ?? "";
  await check(page, "new key");
  await page.getByRole("button", { name: "I have stored it" }).click();
  await page.getByRole("button", { name: "Revoke Production" }).click();
  await page.getByText("This ends at once").waitFor();
  await check(page, "revoke key");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.goto(`${base}/integrations/agent`);
  await page.getByRole("button", { name: "Create integration" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Help");
  await page.getByRole("dialog").getByRole("button", { name: "Create integration" }).click();
  await page.getByRole("heading", { name: "Help" }).waitFor();
  await check(page, "integration");
  const ids = (await page.locator("main").textContent()) ?? "";
  writeFileSync(
    join(folder, "customer.env"),
    [
      `VALET_API_KEY=${/agk_live_\w{12}_\w{49}/.exec(shown)?.[0]}`,
      `VALET_PROJECT_ID=${/prj_[0-9A-Za-z]{16}/.exec(ids)?.[0]}`,
      `VALET_INTEGRATION_ID=${/int_[0-9A-Za-z]{16}/.exec(ids)?.[0]}`,
      `VALET_API_URL=${server.url}`,
    ].join("\n"),
  );
  await page.goto(`${server.url}/nowhere`);
  await page.getByText("There is no such page").waitFor();
  await check(page, "not found");
});

test("the chat has no violation of WCAG 2.2 AA, empty, answered and failed", async () => {
  const docs = join(folder, "page.md");
  writeFileSync(docs, "# Bees\n\n## Feeding\n\nBees feed on clover.\n\n```sh\nbuzz --loud\n```\n");
  await runValet(["ingest", docs], variables);
  demo = await startProgram(
    ["apps/demo/dist/main.js", "--env-file", join(folder, "customer.env"), "--json-ready"],
    { VALET_DEMO_PORT: String(await freePort()) },
  );
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(demo.url);
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await check(page, "empty chat");
  await page.getByRole("textbox", { name: "Message" }).fill("What do bees feed on?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await check(page, "answered chat");
  await page.getByRole("button", { name: /^Source 1/ }).click();
  await page.getByRole("dialog").waitFor();
  await check(page, "citation");
  const [source] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Open page" }).click(),
  ]);
  await source.getByRole("heading", { name: "Feeding" }).waitFor();
  await check(source, "source page");

  const other = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  other.setDefaultTimeout(15_000);
  await other.goto(demo.url);
  await other.getByRole("textbox", { name: "Message" }).waitFor();
  await demo.stop();
  await other.getByRole("textbox", { name: "Message" }).fill("And ants?");
  await other.keyboard.press("Enter");
  await other.getByRole("button", { name: "Try again" }).waitFor();
  await check(other, "failed chat");
});
