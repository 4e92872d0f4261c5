import { createServer, type Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import express from "express";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  javascriptSnippets,
  type SnippetFacts,
  sessionEndpointSnippets,
} from "../apps/dashboard/src/integrations/snippets.ts";
import { version } from "../packages/server/src/version.ts";
import { sdkPackages, sdkPath } from "../packages/server/src/web/server-routes.ts";
import { createSessionHandler } from "../packages/session-proxy/src/index.ts";
import { toNodeHandler } from "../packages/session-proxy/src/node.ts";
import { openBrowser } from "./support/browser.ts";
import { freePort } from "./support/programs.ts";
import { openTestServer, type TestServer } from "./support/valet-server.ts";

/** The code on the set-up page of an integration, with its ids in it, as a team would paste it. */
let valet: TestServer;
let facts: SnippetFacts;
let browser: Browser;
const servers: Server[] = [];

function listen(server: Server, port = 0): Promise<string> {
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://localhost:${typeof address === "object" ? address?.port : port}`);
    });
  });
}

beforeAll(async () => {
  const port = await freePort();
  const apiUrl = `http://localhost:${port}`;
  valet = await openTestServer({ VALET_PORT: String(port), VALET_PUBLIC_URL: apiUrl });
  await listen(createAdaptorServer({ fetch: valet.server.app.fetch }) as Server, port);
  facts = {
    projectId: valet.projectId,
    integrationId: valet.integrationId,
    apiUrl,
    sdkPackages: Object.fromEntries(sdkPackages.map((name) => [name, sdkPath(name, version)])),
  };
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  await valet.close();
});

test("every package of the install lines is there, with a version, and so is the bundle", async () => {
  for (const path of [
    ...Object.values(facts.sdkPackages),
    "/sdk/valet.js",
    "/sdk/valet-element.js",
  ]) {
    const answer = await fetch(facts.apiUrl + path);
    expect([path, answer.status]).toEqual([path, 200]);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(5_000);
  }
  const missing = await fetch(`${facts.apiUrl}/sdk/nothing.tgz`);
  expect(missing.status).toBe(404);
});

test("the plain JavaScript page and the session endpoint work together as they were pasted", async () => {
  const code = (title: string) =>
    sessionEndpointSnippets(facts)
      .find((snippet) => snippet.title === title)
      ?.code.replace(/^import .*\n/gm, "") ?? "";
  const app = express();
  const given = {
    app,
    createSessionHandler,
    toNodeHandler,
    findUser: () => ({ id: "7" }),
    process: { env: { VALET_API_KEY: valet.apiKey } },
  };
  new Function(...Object.keys(given), `${code("The handler")}\n${code("Express")}`)(
    ...Object.values(given),
  );
  const html = javascriptSnippets(facts)[0]?.code ?? "";
  app.get("/", (_request, response) => {
    response.type("html").send(`<!doctype html><title>App</title>${html}`);
  });
  const url = await listen(createServer(app));

  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(10_000);
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(error.message));
  await page.goto(url);
  await page.getByRole("textbox", { name: "Question" }).fill("What is a zebra?");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("I found nothing in the documentation").waitFor();
  expect(failures).toEqual([]);
});
