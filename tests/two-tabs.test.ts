import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createAdaptorServer } from "@hono/node-server";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createAgentHarness,
  someSession,
} from "../packages/server/src/agent/testing/agent-harness.ts";
import {
  calls,
  createScriptedModel,
  finishes,
  says,
} from "../packages/server/src/agent/testing/scripted-model.ts";
import { openBrowser } from "./support/browser.ts";
import { fetchOf } from "./support/pages.ts";
import type { TabPage } from "./support/tab-page.ts";

/** One conversation in two real tabs of Chromium. */
declare const tabPage: TabPage;

let browser: Browser;
let server: Server;
let release = (): void => undefined;

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["@valet/source"] },
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL("./support/tab-page.ts", import.meta.url)),
        formats: ["es"],
        fileName: "page",
      },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  });
  const [bundle] = built as { output: { code: string }[] }[];
  const script = bundle?.output[0]?.code ?? "";
  const waitsFor = new Promise<void>((resolve) => {
    release = resolve;
  });
  const model = createScriptedModel(
    [
      { type: "text-delta", id: "0", delta: "One " },
      { waitsFor },
      { type: "text-delta", id: "0", delta: "two." },
      finishes(),
    ],
    [calls("c_1", "open_billing", { plan: "pro" }), finishes("tool-calls")],
    [...says("It is open."), finishes()],
  );
  const harness = await createAgentHarness({ model });
  const reach = fetchOf(harness, someSession());
  server = createAdaptorServer({
    fetch: async (request: Request) => {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/agent/")) {
        const { method, headers } = request;
        const body = method === "GET" ? {} : { body: await request.text() };
        return reach(request.url, { method, headers: Object.fromEntries(headers), ...body });
      }
      if (pathname === "/page.js") {
        return new Response(script, { headers: { "content-type": "text/javascript" } });
      }
      const html =
        '<!doctype html><title>Tab</title><script type="module" src="/page.js"></script>';
      return new Response(html, { headers: { "content-type": "text/html" } });
    },
  }) as Server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

const lines = (tab: Page) =>
  tab.evaluate(() => tabPage.snapshot().messages.map(({ role, content }) => `${role}: ${content}`));

const isShown = (tab: Page, text: string) =>
  tab.waitForFunction((wanted) => {
    const { messages } = tabPage.snapshot();
    return messages.at(-1)?.content === wanted;
  }, text);

const isIdle = (tab: Page) => tab.waitForFunction(() => !tabPage.snapshot().isStreaming);

test("an answer streams in two tabs, a call is decided in the second, runs there once, and a reload finds it all", async () => {
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const context = await browser.newContext();
  const open = async (): Promise<Page> => {
    const tab = await context.newPage();
    await tab.goto(url);
    await tab.waitForFunction(() => "tabPage" in globalThis);
    return tab;
  };
  const first = await open();
  await first.evaluate(() => void tabPage.agent.sendMessage("One?"));
  await isShown(first, "One ");
  const second = await open();
  await isShown(second, "One ");
  expect(await second.evaluate(() => tabPage.snapshot().isStreaming)).toBe(true);
  release();
  for (const tab of [first, second]) {
    await isShown(tab, "One two.");
    await isIdle(tab);
  }

  await first.evaluate(() => void tabPage.agent.sendMessage("Open it"));
  for (const tab of [first, second]) {
    await tab.waitForFunction(() => tabPage.snapshot().status === "awaiting-approval");
  }
  await second.evaluate(() => {
    const [block] = (tabPage.snapshot().messages.at(-1) as { blocks?: unknown[] }).blocks ?? [];
    const { toolCalls } = block as { toolCalls: { id: string }[] };
    tabPage.agent.approveToolCall(toolCalls[0]?.id ?? "");
  });
  for (const tab of [first, second]) {
    await isShown(tab, "It is open.");
    await isIdle(tab);
  }
  expect(await first.evaluate(() => tabPage.runs())).toBe(0);
  expect(await second.evaluate(() => tabPage.runs())).toBe(1);

  const whole = ["user: One?", "assistant: One two.", "user: Open it", "assistant: It is open."];
  expect([await lines(first), await lines(second)]).toEqual([whole, whole]);
  await first.reload();
  await first.waitForFunction(() => "tabPage" in globalThis);
  await isShown(first, "It is open.");
  expect(await lines(first)).toEqual(whole);
});
