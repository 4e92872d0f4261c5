import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker as WorkerThread } from "node:worker_threads";
import { scriptedModel, type TestServer, testServer } from "@valet/server/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./support/browser.ts";
import { root } from "./support/programs.ts";

/** What runs in a worker: a question, a tool of the worker's own, and the answer. */
const conversation = `async ({ sdk, url, projectId, integrationId, session }) => {
  for (const name of ["window", "document"]) {
    if (name in globalThis) throw new Error("There is a " + name + ".");
  }
  const { Agent, createToolHelper } = await import(sdk);
  const add = createToolHelper()({
    name: "add",
    description: "Adds.",
    parameters: {
      type: "object",
      properties: { a: { type: "number" }, b: { type: "number" } },
      required: ["a", "b"],
    },
    execute: ({ a, b }) => ({ sum: a + b }),
  });
  const agent = new Agent({
    projectId, integrationId, baseUrl: url, tools: [add], getSessionToken: async () => session,
  });
  await agent.sendMessage("What is 1 and 2?");
  const { content, blocks } = agent.getMessages().at(-1);
  agent.dispose();
  return { content, call: blocks.find(({ type }) => type === "tool_calls")?.toolCalls[0] };
}`;

const script = [
  { calls: [{ name: "add", input: { a: 1, b: 2 } }] },
  { text: ["It is ", "3."] },
] as const;
const told = {
  content: "It is 3.",
  call: { name: "add", status: "completed", result: { sum: 3 } },
};

let servers: TestServer[] = [];
let site: Server;

beforeAll(async () => {
  servers = [
    await testServer({ model: scriptedModel(...script) }),
    await testServer({ model: scriptedModel(...script) }),
  ];
  // A page of somebody else, without anything.
  site = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>a</title>");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  site.close();
  await Promise.all(servers.map((server) => server.close()));
});

/** What a worker must know, with a session as the team's own server would hand it out. */
async function given(at: number, sdk: (url: string) => string): Promise<Record<string, unknown>> {
  const server = servers[at];
  if (!server) throw new Error("There is no such server.");
  const { url, projectId, integrationId, apiKey } = server;
  const reply = await fetch(`${url}/agent/v1/projects/${projectId}/agent/sessions/`, {
    method: "POST",
    headers: { "x-api-key": apiKey },
  });
  return { sdk: sdk(url), url, projectId, integrationId, session: await reply.json() };
}

test("the built SDK converses and runs a tool in a worker thread of Node.js", async () => {
  const file = pathToFileURL(join(root, "packages/agent-core/dist/index.js")).href;
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    (${conversation})(workerData).then((told) => parentPort.postMessage(told));`;
  const worker = new WorkerThread(program, {
    eval: true,
    execArgv: [],
    workerData: await given(0, () => file),
  });
  const exit = new Promise<number>((resolve) => void worker.once("exit", resolve));
  const answer = await new Promise<unknown>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  expect(answer).toMatchObject(told);
  // Nothing of it keeps the thread alive.
  expect(await exit).toBe(0);
});

test("the one file that the server hands out does so in a Web Worker of another site", async () => {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    const program = `onmessage = ({ data }) => (${conversation})(data).then(
      (told) => postMessage(told),
      (thrown) => postMessage(String(thrown)),
    );`;
    const answer = await page.evaluate(
      ([text, data]) =>
        new Promise<unknown>((resolve, reject) => {
          const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
          const worker = new Worker(url, { type: "module" });
          worker.onmessage = ({ data: said }) => resolve(said);
          worker.onerror = ({ message }) => reject(new Error(message));
          worker.postMessage(data);
        }),
      [program, await given(1, (url) => `${url}/sdk/valet.js`)] as const,
    );
    expect(answer, JSON.stringify(answer)).toMatchObject(told);
  } finally {
    await browser.close();
  }
});
