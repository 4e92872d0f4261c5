import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { StreamPart } from "@valet/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { injections } from "../../packages/agent-react/src/testing/injection-corpus.ts";
import { openBrowser } from "../support/browser.ts";
import { openScriptedChat, type ScriptedChat } from "../support/scripted-chat.ts";

/**
 * T50: what documents, answers, tools and titles say carries data out of the page, or runs in it.
 * The page has no content security policy: the components alone must hold.
 */
let chat: ScriptedChat;
let browser: Browser;
let corpus: readonly string[];
let reached: string[] = [];
const beacon = createServer((request, answer) => {
  reached.push(request.url ?? "");
  answer.setHeader("access-control-allow-origin", "*").end("ok");
});

beforeAll(async () => {
  await new Promise<void>((resolve) => beacon.listen(0, "127.0.0.1", resolve));
  corpus = injections(`http://127.0.0.1:${(beacon.address() as AddressInfo).port}`);
  chat = await openScriptedChat({ chat: () => [] });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  beacon.close();
  await chat?.close();
});

/** A page that notes when script of the corpus runs, and every address that it asks for. */
async function openWatched(): Promise<{ page: Page; asked: string[]; ran: string[] }> {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const asked: string[] = [];
  const ran: string[] = [];
  context.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("dialog", (dialog) => {
    ran.push(dialog.message());
    void dialog.dismiss();
  });
  await page.exposeFunction("pwned", () => ran.push("pwned"));
  return { page, asked, ran };
}

async function ask(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill("Tell me.");
  await page.keyboard.press("Enter");
}

const start: StreamPart = {
  type: "start",
  messageId: "msg_1",
  messageMetadata: { threadId: "thr_1", runId: "run_1" },
};
const ofThePage = ["/", "/page.js", "/page.css"];
const ofTheApi = /^\/(?:api\/session|agent\/v1\/projects\/prj_1\/agent\/.*)$/;

/** What was asked for beside the page itself, its session endpoint and the API. */
const elsewhere = (asked: readonly string[]) =>
  asked.filter((path) => !ofThePage.includes(path) && !ofTheApi.test(path));

test("whatever an answer, its sources and its tools say, nothing runs and nothing is fetched", async () => {
  chat.script.chat = function* () {
    yield start;
    const call = { toolCallId: "c1", toolName: "search_knowledge_base" };
    yield { type: "tool-input-available", ...call, input: { query: corpus.join(" ") } };
    yield { type: "tool-output-available", toolCallId: "c1", output: { results: corpus } };
    for (const [at, text] of corpus.entries()) {
      yield {
        type: "source-url",
        sourceId: `s${at + 1}`,
        url: /\((\S+)\)/.exec(text)?.[1] ?? text,
        title: text,
        providerMetadata: {
          valet: { number: at + 1, headingPath: [text, text], snippet: text, toolCallId: "c1" },
        },
      };
      const own = { toolCallId: `t${at}`, toolName: text };
      yield { type: "tool-input-available", ...own, input: { [text]: text } };
      yield at % 2 === 0
        ? { type: "tool-output-available", toolCallId: own.toolCallId, output: text }
        : { type: "tool-output-error", toolCallId: own.toolCallId, errorText: text };
    }
    yield { type: "text-start", id: "t" };
    for (const [at, text] of corpus.entries()) {
      // In pieces: what is unfinished is shown as well.
      const middle = Math.ceil(text.length / 2);
      yield { type: "text-delta", id: "t", delta: text.slice(0, middle) };
      yield { type: "text-delta", id: "t", delta: `${text.slice(middle)}\n\nSee [${at + 1}].\n\n` };
    }
    yield { type: "text-end", id: "t" };
    const cited = corpus.map((_, at) => `s${at + 1}`);
    yield { type: "message-metadata", messageMetadata: { cited } };
    yield { type: "finish", finishReason: "stop" };
  };
  const { page, asked, ran } = await openWatched();
  reached = [];
  await page.goto(chat.pageUrl());
  await ask(page);
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  // Everything that can be opened is opened, and every passage read.
  for (const details of await page.locator("details").all()) {
    await details.evaluate((element: HTMLDetailsElement) => {
      element.open = true;
    });
  }
  const citations = page.locator(".valet-citation-button");
  expect(await citations.count()).toBeGreaterThanOrEqual(corpus.length);
  for (const citation of (await citations.all()).slice(0, 80)) {
    await citation.click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
  }
  await page.mouse.move(5, 5);
  // What loads or runs late has had its time when the page is idle.
  await page.waitForLoadState("networkidle");
  expect(ran).toEqual([]);
  expect(reached).toEqual([]);
  expect(elsewhere(asked)).toEqual([]);
  const odd = await page
    .locator(".valet-root")
    .evaluate((root) =>
      [...root.querySelectorAll("a[href]")]
        .map((link) => link.getAttribute("href") ?? "")
        .filter((href) => !/^(?:https?:\/\/|mailto:|tel:)/i.test(href)),
    );
  expect(odd).toEqual([]);
  // The whole corpus was on the page, as text.
  const text = (await page.locator(".valet-root").textContent()) ?? "";
  expect(text).toContain("<img src=x onerror=pwned()>");
  await page.context().close();
});

test("titles and messages of past conversations stay text", async () => {
  const at = "2026-03-17T09:54:51Z";
  chat.script.threads = () => ({
    threads: corpus.map((title, index) => ({
      id: `thr_${index}`,
      title,
      created_at: at,
      updated_at: at,
      message_count: 2,
    })),
    next_cursor: null,
  });
  chat.script.thread = (id) => ({
    thread: { id, title: "x", created_at: at, updated_at: at, message_count: corpus.length },
    messages: corpus.map((text, index) => ({
      id: `m${index}`,
      role: index % 2 === 0 ? ("user" as const) : ("assistant" as const),
      parts: [{ type: "text" as const, text }],
      created_at: at,
    })),
    active_run_id: null,
  });
  const { page, asked, ran } = await openWatched();
  reached = [];
  await page.goto(chat.pageUrl({ enableHistory: true }));
  await page.getByRole("button", { name: "Past conversations" }).click();
  await page
    .getByRole("button", { name: corpus[0] ?? "" })
    .first()
    .waitFor();
  await page.locator(".valet-thread-open").first().click();
  await page.getByRole("article", { name: "You" }).first().waitFor();
  await page.waitForLoadState("networkidle");
  expect([ran, reached, elsewhere(asked)]).toEqual([[], [], []]);
  await page.context().close();
});
