import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { browserArguments, findBrowser } from "../scripts/find-browser.mjs";
import type { TokenPage } from "./support/token-page.ts";

/** The token manager in a real browser: what no virtual clock can show. */
declare const tokenPage: TokenPage;
declare const violations: string[];

const hour = 3_600_000;
/** The strictest policy that lets a page load a script of its own and talk to its own server. */
const policy =
  "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

let script: string;
let browser: Browser;
let server: Server;
let url: string;
let context: BrowserContext;
let page: Page;
let issued: { token: string; endsAtMs: number }[];
let asked: string[];
let hold: Promise<void> | undefined;
/** What the server's clock is ahead of this machine's. */
let serverAheadMs: number;

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["@valet/source"] },
    // Strict mode takes components away and puts them back in development only.
    mode: "development",
    define: { "process.env.NODE_ENV": '"development"' },
    build: {
      write: false,
      // One file, what loads later included.
      rolldownOptions: { output: { codeSplitting: false } },
      lib: {
        entry: fileURLToPath(new URL("./support/token-page.ts", import.meta.url)),
        formats: ["es"],
        fileName: "page",
      },
    },
  });
  const [bundle] = built as { output: { code: string }[] }[];
  script = bundle?.output[0]?.code ?? "";
  browser = await chromium.launch({
    args: browserArguments,
    // What people have: pages that come back as they were left.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    executablePath: findBrowser() as string,
  });
  server = createServer(async (request, response) => {
    const path = request.url ?? "";
    const nowMs = Date.now() + serverAheadMs;
    const send = (status: number, type: string, body: string): void => {
      response
        .writeHead(status, {
          "content-type": type,
          "content-security-policy": policy,
          date: new Date(nowMs).toUTCString(),
        })
        .end(body);
    };
    if (path === "/page.js") return send(200, "text/javascript", script);
    if (path === "/api/session") {
      await hold;
      const token = `token-${issued.length + 1}`;
      issued.push({ token, endsAtMs: nowMs + hour });
      const expires_at = new Date(nowMs + hour).toISOString();
      return send(200, "application/json", JSON.stringify({ session_token: token, expires_at }));
    }
    if (path === "/api/ask") {
      const token = (request.headers.authorization ?? "").replace("Bearer ", "");
      asked.push(token);
      const isGood = issued.some((each) => each.token === token && nowMs < each.endsAtMs);
      return send(isGood ? 200 : 401, "application/json", "{}");
    }
    if (path.startsWith("/agent/")) {
      return send(404, "application/problem+json", '{"code":"not_found","status":404}');
    }
    return send(200, "text/html", '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});
beforeEach(async () => {
  issued = [];
  asked = [];
  hold = undefined;
  serverAheadMs = 0;
  context = await browser.newContext();
  page = await open();
});
afterEach(() => context.close());

async function open(): Promise<Page> {
  const opened = await context.newPage();
  // The page's clock can be set from any page of its origin, and while this one is frozen, too.
  await opened.addInitScript(() => {
    const violations: string[] = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      violations.push(`${violatedDirective} ${blockedURI}`);
    });
    Object.assign(globalThis, { violations });
    const real = Date.now.bind(Date);
    Date.now = () => real() + Number(localStorage.getItem("aheadMs") ?? 0);
  });
  await opened.goto(`${url}/`);
  await opened.waitForFunction(() => "tokenPage" in globalThis);
  return opened;
}

const ask = (on: Page = page): Promise<string> => on.evaluate(() => tokenPage.ask());
const setClock = (aheadMs: number, on: Page = page): Promise<void> =>
  on.evaluate((ms) => localStorage.setItem("aheadMs", String(ms)), aheadMs);

test("under the strictest policy everything works, and nothing is reported or stored", async () => {
  expect(await ask()).toBe("200");
  await page.evaluate(() => tokenPage.mount(1));
  // The chat itself is there, and can be used: it asks, and shows what became of it.
  await page.getByRole("textbox", { name: "Message" }).fill("Hello");
  await page.keyboard.press("Enter");
  await page.getByText("Hello", { exact: true }).waitFor();
  await page.getByRole("article", { name: "Assistant" }).waitFor();
  const found = await page.evaluate(async () => ({
    violations,
    stored: [localStorage.length, sessionStorage.length, document.cookie.length],
    databases: (await indexedDB.databases()).length,
  }));
  expect(found).toEqual({ violations: [], stored: [0, 0, 0], databases: 0 });
});

test("a page that was left with a token and comes back after two hours fetches a new one", async () => {
  expect(await ask()).toBe("200");
  await page.evaluate(() => Object.assign(globalThis, { isTheSamePage: true }));
  await page.goto(`${url}/other`);
  await setClock(2 * hour);
  serverAheadMs = 2 * hour;
  await page.goBack({ waitUntil: "commit" });
  // It was really kept, and not loaded anew.
  expect(await page.evaluate(() => "isTheSamePage" in globalThis)).toBe(true);
  expect(issued).toHaveLength(1);
  expect(await ask()).toBe("200");
  expect(asked).toEqual(["token-1", "token-2"]);
});

test("a page that was left in the middle of a fetch neither hangs nor uses what comes of it later", async () => {
  let release = (): void => undefined;
  hold = new Promise((resolve) => {
    release = resolve;
  });
  await page.evaluate(() => {
    void tokenPage.ask().then((outcome) => Object.assign(globalThis, { before: outcome }));
    Object.assign(globalThis, { isTheSamePage: true });
  });
  await expect.poll(() => page.evaluate(() => tokenPage.events)).toContain("request");
  await page.goto(`${url}/other`);
  await setClock(2 * hour);
  serverAheadMs = 2 * hour;
  await page.goBack({ waitUntil: "commit" });
  await page.waitForFunction(() => "tokenPage" in globalThis);
  hold = undefined;
  release();
  // Browsers may end the request, or not keep the page: a use works in any case.
  expect(await ask()).toBe("200");
  const [token] = asked.slice(-1);
  // It was really kept. Who asked before was told at once on the return, and only two fetches were made.
  const kept = await page.evaluate(() => {
    const { isTheSamePage, before } = globalThis as unknown as Record<string, unknown>;
    return [isTheSamePage, before, tokenPage.events.filter((type) => type === "request").length];
  });
  expect(kept).toEqual([true, "callback_timeout", 2]);
  expect(issued).toHaveLength(2);
  expect(asked).toEqual(["token-2"]);
  expect(issued.find((each) => each.token === token)?.endsAtMs).toBeGreaterThan(
    Date.now() + serverAheadMs,
  );
});

test("a page that was frozen for two hours in the background fetches once, at its next use", async () => {
  expect(await ask()).toBe("200");
  const other = await open();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await setClock(2 * hour, other);
  serverAheadMs = 2 * hour;
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  expect(issued).toHaveLength(1);
  expect(await Promise.all([ask(), ask(), ask()])).toEqual(["200", "200", "200"]);
  expect(asked).toEqual(["token-1", "token-2", "token-2", "token-2"]);
});

/** Tells the page that it is hidden, or shown. Chromium without a screen never does so itself. */
const setVisibility = (state: "hidden" | "visible"): Promise<void> =>
  page.evaluate((is) => {
    Object.defineProperty(document, "visibilityState", { configurable: true, value: is });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, state);

test("a page that is hidden for two hours in the middle of a fetch ends it when it is shown, not before", async () => {
  let release = (): void => undefined;
  hold = new Promise((resolve) => {
    release = resolve;
  });
  await page.evaluate(() => {
    void tokenPage.ask().then((outcome) => Object.assign(globalThis, { before: outcome }));
  });
  await expect.poll(() => page.evaluate(() => tokenPage.events)).toContain("request");
  const before = (): Promise<unknown> =>
    page.evaluate(() => (globalThis as { before?: string }).before);
  await setClock(2 * hour);
  serverAheadMs = 2 * hour;
  await setVisibility("hidden");
  expect([await before(), await page.evaluate(() => tokenPage.state())]).toEqual([
    undefined,
    "ACQUIRING",
  ]);
  await setVisibility("visible");
  await expect.poll(before).toBe("callback_timeout");
  // Being shown has fetched nothing by itself; the next use does, once for all.
  expect(await page.evaluate(() => [tokenPage.events, tokenPage.state()])).toEqual([
    ["request", "timeout", "failed"],
    "EMPTY",
  ]);
  hold = undefined;
  release();
  expect(await Promise.all([ask(), ask()])).toEqual(["200", "200"]);
  expect(issued).toHaveLength(2);
  expect(asked).toEqual(["token-2", "token-2"]);
});

test("offline, a use waits; online again, it does not wait for its turn", async () => {
  await context.setOffline(true);
  await page.evaluate(() => {
    Object.assign(globalThis, { answer: tokenPage.ask() });
  });
  await expect.poll(() => page.evaluate(() => tokenPage.events)).toContain("failed");
  expect(await page.evaluate(() => tokenPage.state())).toBe("ACQUIRING");
  await context.setOffline(false);
  // Its own timer would fire 49 s later, which is longer than this test may take.
  expect(await page.evaluate(() => (globalThis as unknown as { answer: string }).answer)).toBe(
    "200",
  );
  const requests = await page.evaluate(
    () => tokenPage.events.filter((type) => type === "request").length,
  );
  expect(requests).toBeLessThanOrEqual(3);
}, 30_000);

test("two tabs have a token each and touch neither one another nor any storage", async () => {
  const other = await open();
  expect(await Promise.all([ask(page), ask(other), ask(page), ask(other)])).toEqual(
    Array(4).fill("200"),
  );
  expect(issued).toHaveLength(2);
  await other.evaluate(() => tokenPage.reset());
  expect(await page.evaluate(() => tokenPage.state())).toBe("READY");
  expect(await ask(other)).toBe("200");
  expect(issued).toHaveLength(3);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});

test("strict mode and fifty renders with new callbacks cost no call; the first message costs one", async () => {
  await page.evaluate(() => tokenPage.mount(50));
  expect(await page.evaluate(() => tokenPage.auth())).toBe("idle");
  expect(issued).toHaveLength(0);
  await page.evaluate(() => tokenPage.say("Hello"));
  expect(issued).toHaveLength(1);
  expect(await page.evaluate(() => tokenPage.auth())).toBe("ready");
  await page.evaluate(() => tokenPage.say("Again"));
  expect(issued).toHaveLength(1);
});

test("a clock that is two hours ahead costs one fetch for ten uses, with and without the server's Date", async () => {
  await setClock(2 * hour);
  await page.reload();
  await page.waitForFunction(() => "tokenPage" in globalThis);
  for (let use = 0; use < 10; use += 1) expect(await ask()).toBe("200");
  expect(issued).toHaveLength(1);
  for (let use = 0; use < 10; use += 1) {
    expect(await page.evaluate(() => tokenPage.askPlainly())).toBe("200");
  }
  expect(issued).toHaveLength(2);
});
