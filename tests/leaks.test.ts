import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, recordTraffic, whenSettled } from "./support/browser.ts";
import { bundlePage } from "./support/bundle-page.ts";
import { type HostSite, openHostSite } from "./support/host-site.ts";
import { root } from "./support/programs.ts";

/** The chat in pages of others: neither may notice the other. */
const require = createRequire(import.meta.url);
let site: HostSite;
let browser: Browser;

const host = `
<main id="host">
  <h1>Title</h1><h2>Part</h2><p>Text with <a href="#a">a link</a>, <b>bold</b> and <code>code</code>.</p>
  <ul><li>One</li></ul><ol><li>Two</li></ol><blockquote>Words</blockquote><pre>let a;</pre>
  <table><tr><th>A</th><td>B</td></tr></table>
  <form><label>Name <input value="x"></label><textarea>y</textarea><select><option>z</option></select>
  <button type="button">Go</button></form>
  <details><summary>More</summary>Text</details><svg viewBox="0 0 9 9"><path d="M0 0h9"/></svg>
  <article>a</article><aside>b</aside><header>c</header><footer>d</footer><section>e</section>
</main>`;

beforeAll(async () => {
  const script = await bundlePage("host-page.tsx");
  const built = (name: string): string =>
    readFileSync(join(root, "packages/agent-react/dist", name), "utf8");
  const packed = (name: string): string => readFileSync(require.resolve(name), "utf8");
  site = await openHostSite(
    ({ projectId, integrationId }) => ({
      "/": [
        "text/html",
        `<!doctype html><html lang="en"><title>Host</title><body>${host}<div id="chat" data-project-id="${projectId}" data-integration-id="${integrationId}"></div><script type="module" src="/page.js"></script></body></html>`,
      ],
      "/page.js": ["text/javascript", script],
      "/styles.css": ["text/css", built("styles.css")],
      "/styles.layer.css": ["text/css", built("styles.layer.css")],
      "/place.css": ["text/css", place],
      "/bootstrap.css": ["text/css", packed("bootstrap/dist/css/bootstrap.css")],
      "/preflight.css": ["text/css", packed("tailwindcss/preflight.css")],
      "/hostile.css": [
        "text/css",
        readFileSync(new URL("support/hostile.css", import.meta.url), "utf8"),
      ],
    }),
    ({ apiUrl }) =>
      `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${apiUrl}`,
  );
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Where the chat stands, and how much room what the page draws in it takes, whatever else is loaded. */
const place = `
html, body { transform: none !important; filter: none !important; animation: none !important; transition: none !important; }
#chat#chat { all: initial !important; position: absolute !important; display: block !important; top: 0 !important; left: 0 !important; width: 640px !important; height: 600px !important; }
#chat#chat .valet-host button { display: block !important; position: static !important; float: none !important; box-sizing: border-box !important; width: 50px !important; min-width: 50px !important; max-width: 50px !important; height: 20px !important; min-height: 20px !important; margin: 0 !important; padding: 0 !important; border: 0 !important; }`;

/** Opens the host page, and tells everything that its policy or its script complains of. */
async function openHost(): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isFavicon = message.location().url.endsWith("/favicon.ico");
    if (message.type() === "error" && !isFavicon) complaints.push(message.text());
  });
  await page.goto(site.url);
  await addSheet(page, "/place.css");
  return { page, complaints };
}

/** Loads a sheet into the page, before or behind those that are there. */
async function addSheet(page: Page, path: string, place: "first" | "last" = "last"): Promise<void> {
  await page.evaluate(
    ([href, where]) =>
      new Promise((resolve, reject) => {
        const link = document.createElement("link");
        Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: reject });
        if (where === "first") document.head.prepend(link);
        else document.head.append(link);
      }),
    [path, place] as const,
  );
}

/** Lets the chat appear, asks it, and opens the citation of its answer. */
async function mount(page: Page, complaints: readonly string[], question: string): Promise<void> {
  await page.evaluate(() => document.dispatchEvent(new Event("mount")));
  const input = page.getByRole("textbox", { name: "Message" }).first();
  await input.waitFor().catch((error) => {
    throw new Error(complaints.join("\n"), { cause: error });
  });
  await input.fill(question);
  await input.press("Enter");
  await page.getByRole("button", { name: "Copy the answer" }).first().waitFor();
  await page
    .getByRole("button", { name: /^Source 1/ })
    .first()
    .click();
  await page.mouse.move(0, 0);
  // Focus is shown differently by keyboard and by mouse; that is not what is compared.
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}

type Styles = readonly (readonly [name: string, style: Record<string, string>])[];

/** The computed style of every element below one, and of what stands before and behind it. */
function stylesBelow(page: Page, selector: string): Promise<Styles> {
  return page.evaluate((top) => {
    const found: [string, Record<string, string>][] = [];
    const read = (element: Element, pseudo?: string): Record<string, string> => {
      const style = getComputedStyle(element, pseudo);
      return Object.fromEntries([...style].map((name) => [name, style.getPropertyValue(name)]));
    };
    // What the page itself draws in the chat is its own matter, and so are lines within a drawing.
    const foreign = ".valet-host, .valet-host *";
    const drawn = ["fill", "stroke", "stroke-width", "display", "opacity", "transform", "d"];
    for (const element of document.querySelectorAll(`${top}, ${top} *`)) {
      if (element.matches(foreign)) continue;
      const name = `${element.tagName.toLowerCase()}.${element.getAttribute("class") ?? ""}`;
      const style = read(element);
      if (element.matches("svg *")) {
        found.push([name, Object.fromEntries(drawn.map((key) => [key, style[key] ?? ""]))]);
        continue;
      }
      found.push([name, style]);
      if (element.matches("svg")) continue;
      for (const pseudo of ["::before", "::after"]) {
        found.push([`${name}${pseudo}`, { content: read(element, pseudo).content ?? "" }]);
      }
    }
    return found;
  }, selector);
}

/** What differs, as lines that say where. */
function differences(before: Styles, after: Styles): string[] {
  if (before.length !== after.length) return [`${before.length} elements, now ${after.length}`];
  return before.flatMap(([name, style], at) =>
    Object.entries(style)
      .filter(([property, value]) => after[at]?.[1][property] !== value)
      .map(([property, value]) => `${name} ${property}: ${value} -> ${after[at]?.[1][property]}`),
  );
}

test("the chat leaves everything around it as it was, in style and in the global scope", async () => {
  const { page, complaints } = await openHost();
  const globals = () => page.evaluate(() => Object.getOwnPropertyNames(window).sort());
  const before = await stylesBelow(page, "#host");
  expect(before.length).toBeGreaterThan(60);
  const names = await globals();
  await addSheet(page, "/styles.css");
  await mount(page, complaints, "What do bees feed on?");
  expect(differences(before, await stylesBelow(page, "#host"))).toEqual([]);
  expect(await globals()).toEqual(names);
  expect(await page.evaluate(() => document.querySelectorAll("style").length)).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("beside Bootstrap, Tailwind's preflight and rules for everything the chat looks as it does alone", async () => {
  const { page, complaints } = await openHost();
  await addSheet(page, "/styles.css");
  await mount(page, complaints, "What do bees feed on?");
  const alone = await whenSettled(() => stylesBelow(page, "#chat > .valet-root"));
  expect(alone.length).toBeGreaterThan(100);
  for (const sheet of ["/bootstrap.css", "/preflight.css", "/hostile.css"]) {
    await addSheet(page, sheet, "first");
    const beside = await whenSettled(() => stylesBelow(page, "#chat > .valet-root"));
    expect([sheet, differences(alone, beside).slice(0, 20)]).toEqual([sheet, []]);
    // The page's own rules do reach what the page draws: this is no empty comparison.
    if (sheet === "/hostile.css") {
      const own = page.locator("#chat .valet-host button").first();
      expect(await own.evaluate((button) => getComputedStyle(button).opacity)).toBe("0.5");
    }
    await page.evaluate((href) => document.querySelector(`[href="${href}"]`)?.remove(), sheet);
  }
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("a page whose policy allows nothing but its own files and the API has a working chat, and asks nobody else", async () => {
  const { page, complaints } = await openHost();
  const traffic = recordTraffic(page);
  await addSheet(page, "/styles.layer.css");
  await mount(page, complaints, "What do bees feed on?");
  await page.getByText("Bees feed on").first().waitFor();
  const asked = traffic.requests
    .map(({ url }) => new URL(url))
    .filter(({ origin, pathname }) => origin !== site.apiUrl && !pathname.endsWith(".css"))
    .map(({ href }) => href);
  expect(asked).toEqual([`${site.url}/api/session`]);
  expect(traffic.requests.some(({ url }) => url.startsWith(site.apiUrl))).toBe(true);
  // The theme arrives without a style attribute that the policy would have to allow.
  const accent = page.locator("#chat > .valet-root");
  expect(
    await accent.evaluate((root) => getComputedStyle(root).getPropertyValue("--valet-accent")),
  ).toBe("#0f766e");
  expect(complaints).toEqual([]);
  await page.context().close();
});

test("every selector of the built sheets begins at one of our classes, as the browser reads them", async () => {
  const { page } = await openHost();
  for (const path of ["/styles.css", "/styles.layer.css"]) {
    await addSheet(page, path);
    const { selectors, others } = await page.evaluate((href) => {
      const selectors: string[] = [];
      const others: string[] = [];
      const walk = (rules: CSSRuleList): void => {
        for (const rule of rules) {
          if (rule instanceof CSSStyleRule) selectors.push(rule.selectorText);
          else if (rule instanceof CSSKeyframesRule) others.push(`keyframes ${rule.name}`);
          else if (rule instanceof CSSMediaRule) walk(rule.cssRules);
          else if (rule instanceof CSSLayerBlockRule) {
            others.push(`layer ${rule.name}`);
            walk(rule.cssRules);
          } else others.push(rule.cssText);
        }
      };
      for (const sheet of document.styleSheets) {
        if (sheet.href?.endsWith(href)) walk(sheet.cssRules);
      }
      return { selectors, others };
    }, path);
    expect(selectors.length).toBeGreaterThan(100);
    const parts = selectors.flatMap((text) => text.split(/,(?![^(]*\))/));
    expect(parts.filter((part) => !/^\s*\.valet-/.test(part))).toEqual([]);
    const layer = path === "/styles.css" ? [] : ["layer valet"];
    expect(others).toEqual([...layer, "keyframes valet-pulse"]);
  }
  await page.context().close();
});
