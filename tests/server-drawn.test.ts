import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openBrowser } from "./support/browser.ts";
import { bundlePage } from "./support/bundle-page.ts";
import type { draw } from "./support/drawn-page-server.tsx";
import { type HostFiles, type HostSite, openHostSite } from "./support/host-site.ts";
import { root } from "./support/programs.ts";

/** Pages that a server draws and a browser takes over, with the Reacts that people have. */
const reacts = [18, 19] as const;
const folder = mkdtempSync(join(tmpdir(), "valet-drawn-"));
const drawn = new Map<number, ReturnType<typeof draw>>();
const serverComplaints: string[] = [];
let site: HostSite;
let browser: Browser;

beforeAll(async () => {
  site = await openHostSite(
    async ({ projectId, integrationId }) => {
      const files: Record<string, HostFiles[string]> = {
        "/styles.css": [
          "text/css",
          readFileSync(join(root, "packages/agent-react/dist/styles.css"), "utf8"),
        ],
        "/place.css": ["text/css", "#chat > :first-child { height: 500px; }"],
      };
      for (const react of reacts) {
        const file = join(folder, `server-${react}.mjs`);
        const options = { react, isDevelopment: true };
        writeFileSync(
          file,
          await bundlePage("drawn-page-server.tsx", { ...options, isServer: true }),
        );
        const server = (await import(pathToFileURL(file).href)) as { draw: typeof draw };
        const warn = vi.spyOn(console, "error").mockImplementation((...told) => {
          serverComplaints.push(told.join(" "));
        });
        const page = server.draw({ projectId, integrationId });
        warn.mockRestore();
        drawn.set(react, page);
        files[`/${react}.js`] = [
          "text/javascript",
          await bundlePage("drawn-page-client.tsx", options),
        ];
        files[`/${react}`] = [
          "text/html",
          `<!doctype html><html lang="en"><title>Drawn</title><link rel="stylesheet" href="/styles.css"><link rel="stylesheet" href="/place.css"><body><div id="chat" data-project-id="${projectId}" data-integration-id="${integrationId}">${page.html}</div><script type="module" src="/${react}.js"></script></body></html>`,
        ];
      }
      return files;
    },
    ({ apiUrl }) =>
      `default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ${apiUrl}`,
  );
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true, force: true });
});

test.each(reacts)(
  "React %i on a server draws the chat without a style that a policy forbids",
  (react) => {
    const { html, react: version } = drawn.get(react) ?? { html: "", react: "" };
    expect(version).toMatch(new RegExp(`^${react}\\.`));
    expect(html).toContain("What can I help with?");
    expect(html).toContain('aria-label="Send"');
    expect(html).not.toMatch(/ style=|<style|<script/);
    expect(serverComplaints).toEqual([]);
  },
);

test.each(reacts)(
  "React %i takes over what a server drew without a difference, in strict mode, and the chat works",
  async (react) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      const isFavicon = message.location().url.endsWith("/favicon.ico");
      if (["error", "warning"].includes(message.type()) && !isFavicon) {
        complaints.push(message.text());
      }
    });
    await page.goto(`${site.url}/${react}`);
    // What the browser sets itself is there when it has taken over.
    await page
      .locator(".valet-root[style]")
      .first()
      .waitFor()
      .catch((error) => {
        throw new Error(complaints.join("\n"), { cause: error });
      });
    await page.getByRole("button", { name: "What do bees feed on?", exact: true }).click();
    await page.getByRole("button", { name: "Copy the answer" }).waitFor();
    const accent = await page
      .locator(".valet-root")
      .first()
      .evaluate((part) => getComputedStyle(part).getPropertyValue("--valet-accent"));
    expect(accent).toBe("#0f766e");
    expect(complaints).toEqual([]);
    await context.close();
  },
);

test("what uses state or context says that it belongs to the client, in the built files too", () => {
  const source = join(root, "packages/agent-react/src");
  const modules = readdirSync(source).filter((name) => /^[a-z-]+\.tsx?$/.test(name));
  const marked = modules.filter((name) => {
    const text = readFileSync(join(source, name), "utf8");
    const needsIt = /\b(?:use[A-Z]\w*|createContext)\(/.test(text);
    const hasIt = text.startsWith('"use client";');
    if (needsIt) expect([name, hasIt]).toEqual([name, true]);
    return hasIt;
  });
  expect(marked.length).toBeGreaterThan(15);
  for (const name of marked) {
    const built = join(root, "packages/agent-react/dist", name.replace(/\.tsx?$/, ".js"));
    expect([name, readFileSync(built, "utf8").startsWith('"use client";')]).toEqual([name, true]);
  }
});
