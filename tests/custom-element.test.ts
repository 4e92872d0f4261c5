import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ValetAgentElement } from "../packages/agent-react/src/element/valet-agent-element.tsx";
import { openBrowser, recordTraffic, whenSettled } from "./support/browser.ts";
import { type HostSite, openHostSite } from "./support/host-site.ts";

/** `<valet-agent>` in pages without React, as the server hands it out. */
let site: HostSite;
let browser: Browser;

const hostile = readFileSync(new URL("support/hostile.css", import.meta.url), "utf8");

beforeAll(async () => {
  site = await openHostSite(
    ({ apiUrl, projectId, integrationId }) => {
      const ids = `project-id="${projectId}" integration-id="${integrationId}"`;
      const page = (attributes: string): readonly [string, string] => [
        "text/html",
        `<!doctype html><html lang="en"><title>Host</title><link rel="stylesheet" href="/place.css"><body><button id="before">Before</button><div id="one"><valet-agent ${ids} ${attributes}></valet-agent></div><div id="two"></div><script src="/early.js"></script><script type="module" src="${apiUrl}/sdk/valet-element.js"></script></body></html>`,
      ];
      return {
        "/": page(""),
        "/launcher": page("launcher"),
        "/arabic": page('locale="ar-EG" color-scheme="dark" accent-color="#0f766e"'),
        // Runs before the element is known to the page.
        "/early.js": [
          "text/javascript",
          `const element = document.querySelector("valet-agent");
element.branding = { subtitle: "Set early", examplePrompts: ["What do bees feed on?"] };
window.heard = [];
for (const type of ["open", "close", "valet-event"])
  element.addEventListener(type, (event) => window.heard.push(event.detail?.type ?? type));`,
        ],
        "/place.css": ["text/css", "#one, #two { width: 640px; height: 600px; }"],
        "/important.css": [
          "text/css",
          `${hostile.replace(/([^{};]+:[^{};]+);/g, "$1 !important;")} html, body, #one { all: initial !important; display: block !important; } #one { width: 640px !important; height: 600px !important; } valet-agent { display: block !important; position: static !important; float: none !important; box-sizing: border-box !important; width: 640px !important; max-width: none !important; height: 600px !important; margin: 0 !important; padding: 0 !important; border: 0 !important; }`,
        ],
      };
    },
    ({ apiUrl }) =>
      `default-src 'none'; script-src 'self' ${apiUrl}; style-src 'self'; connect-src 'self' ${apiUrl}`,
  );
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function open(path: string): Promise<{ page: Page; complaints: string[] }> {
  const page = await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isFavicon = message.location().url.endsWith("/favicon.ico");
    if (message.type() === "error" && !isFavicon) complaints.push(message.text());
  });
  await page.goto(site.url + path);
  return { page, complaints };
}

/** Calls something of the page's element. */
function withElement<Result>(
  page: Page,
  act: (element: ValetAgentElement) => Result,
): Promise<Result> {
  return page.evaluate(
    `(${String(act)})(document.querySelector("valet-agent"))`,
  ) as Promise<Result>;
}

const heard = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as { heard: string[] }).heard);

test("one tag and one file make a chat that answers, under the strictest policy", async () => {
  const { page, complaints } = await open("/");
  const traffic = recordTraffic(page);
  await page.getByRole("heading", { name: "Set early" }).waitFor();
  expect(traffic.count("POST", "/api/session")).toBe(0);
  await page.getByRole("button", { name: "What do bees feed on?" }).click();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await page.getByRole("button", { name: /^Source 1/ }).click();
  const popover = page.getByRole("dialog");
  await popover.waitFor();
  // A click within it is one inside, though the document only sees the element.
  await popover.click();
  expect(await popover.isVisible()).toBe(true);
  await page.locator("#before").click();
  expect(await popover.isVisible()).toBe(false);
  expect(await heard(page)).toEqual(expect.arrayContaining(["message_sent", "response_completed"]));
  const origins = new Set(traffic.requests.map(({ url }) => new URL(url).origin));
  expect([...origins].sort()).toEqual([site.url, site.apiUrl].sort());
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("rules of the page do not reach it, not even those for everything with !important", async () => {
  const { page } = await open("/");
  await page.getByRole("button", { name: "What do bees feed on?" }).click();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  const styles = (): Promise<Record<string, string>[]> =>
    withElement(page, (element) =>
      [...(element.shadowRoot?.querySelectorAll("*") ?? [])].map((part) => {
        const style = getComputedStyle(part);
        return Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]));
      }),
    );
  // Focus differs by how it came there, which is not what is compared.
  await page.locator("#before").evaluate((button) => (button as HTMLElement).focus());
  const alone = await whenSettled(styles);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const link = document.createElement("link");
        Object.assign(link, { rel: "stylesheet", href: "/important.css", onload: resolve });
        document.head.append(link);
      }),
  );
  const beside = await whenSettled(styles);
  expect(alone.length).toBeGreaterThan(50);
  const changed = alone.flatMap((style, at) =>
    Object.keys(style).filter((name) => style[name] !== beside[at]?.[name]),
  );
  expect([...new Set(changed)]).toEqual([]);
  expect(
    await page.locator("#before").evaluate((button) => getComputedStyle(button).textTransform),
  ).toBe("uppercase");
  await page.context().close();
});

test("a launcher opens a panel and gets the focus back, and a script can do both", async () => {
  const { page, complaints } = await open("/launcher");
  const launcher = page.getByRole("button", { name: "Ask the assistant" });
  await launcher.focus();
  await page.keyboard.press("Enter");
  const input = page.getByRole("textbox", { name: "Message" });
  await input.waitFor();
  const focused = (): Promise<string | undefined> =>
    withElement(page, (element) => element.shadowRoot?.activeElement?.tagName);
  await expect.poll(focused).toBe("TEXTAREA");
  expect(await withElement(page, (element) => element.open)).toBe(true);
  await input.fill("What do bees feed on?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await input.focus();
  await page.keyboard.press("Escape");
  await expect.poll(focused).toBe("BUTTON");
  await expect.poll(() => input.isVisible()).toBe(false);

  await withElement(page, (element) => element.show());
  await input.waitFor();
  // The conversation has stayed.
  await page.getByRole("article", { name: "Assistant" }).waitFor();
  await withElement(page, (element) => element.close());
  await expect.poll(() => input.isVisible()).toBe(false);
  const panel = (await heard(page)).filter((type) => /open|close/.test(type));
  expect(panel).toEqual([
    "open",
    "panel_opened",
    "close",
    "panel_closed",
    "open",
    "panel_opened",
    "close",
    "panel_closed",
  ]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("attributes say language, direction and theme, and may change at any time", async () => {
  const { page, complaints } = await open("/arabic");
  await page.getByRole("textbox", { name: "الرسالة" }).waitFor();
  const rootElement = page.locator("valet-agent .valet-root");
  const facts = () =>
    rootElement.evaluate((part) => [
      part.getAttribute("dir"),
      part.getAttribute("data-valet-scheme"),
      getComputedStyle(part).getPropertyValue("--valet-accent"),
    ]);
  expect(await facts()).toEqual(["rtl", "dark", "#0f766e"]);
  await withElement(page, (element) => {
    element.setAttribute("locale", "de");
    element.setAttribute("accent-color", "#aa0000");
    element.removeAttribute("color-scheme");
  });
  await page.getByRole("textbox", { name: "Nachricht" }).waitFor();
  expect(await facts()).toEqual(["ltr", "auto", "#aa0000"]);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("moved within the page it goes on, taken out of it the conversation ends", async () => {
  const { page } = await open("/");
  await page.getByRole("button", { name: "What do bees feed on?" }).click();
  await page.getByRole("button", { name: "Copy the answer" }).waitFor();
  await withElement(page, (element) => document.getElementById("two")?.append(element));
  await page.locator("#two").getByRole("article", { name: "Assistant" }).waitFor();
  await withElement(page, async (element) => {
    const parent = element.parentElement;
    element.remove();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    parent?.append(element);
  });
  await page.getByRole("heading", { name: "Set early" }).waitFor();
  expect(await page.getByRole("article").count()).toBe(0);
  await page.context().close();
});
