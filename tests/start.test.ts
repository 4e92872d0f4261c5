import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanEnvironment, freePort, root } from "./support/programs.ts";

/** `npm start`, as a person sees it. The build is up to date: the tests' own start has made it. */
interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
  /** Resolves when the closing line of the summary is there, or the program has ended. */
  readonly ready: Promise<void>;
  readonly ended: Promise<number | null>;
}

const folder = mkdtempSync(join(tmpdir(), "valet-start-"));
let variables: Record<string, string>;

beforeAll(async () => {
  variables = {
    VALET_DATA_DIR: join(folder, "data"),
    VALET_PORT: String(await freePort()),
    VALET_DEMO_PORT: String(await freePort()),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(more: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: root,
    env: cleanEnvironment({ ...variables, ...more }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = new Promise<void>((resolve) => {
    const listen = (piece: Buffer): void => {
      said += String(piece);
      if (said.includes("Ctrl-C stops both.")) resolve();
    };
    child.stdout?.on("data", listen);
    child.stderr?.on("data", listen);
    child.once("exit", () => resolve());
  });
  return { child, said: () => said, ready, ended };
}

const isUp = (port: string | undefined) =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

test("the first start fills a demo project and says where everything is", async () => {
  const { child, said, ready, ended } = start();
  await ready;
  expect(said()).toContain(`Demo        http://localhost:${variables.VALET_DEMO_PORT}`);
  expect(said()).toMatch(
    new RegExp(`Dashboard   http://localhost:${variables.VALET_PORT}/setup#[0-9A-Za-z]{32}`),
  );
  expect(said()).toContain("VALET_MODEL=");
  expect(said()).toMatch(/Valet's documentation: \d+ pages/);
  expect(said()).toMatch(/Fastify's documentation: \d+ pages/);
  expect(said()).not.toMatch(/agk_live_/);

  const env = join(variables.VALET_DATA_DIR ?? "", "demo.env");
  expect(statSync(env).mode & 0o777).toBe(0o600);
  const page = await fetch(`http://127.0.0.1:${variables.VALET_DEMO_PORT}/`);
  const cookie = page.headers.get("set-cookie")?.split(";")[0] ?? "";
  const session = await fetch(`http://127.0.0.1:${variables.VALET_DEMO_PORT}/api/session`, {
    method: "POST",
    headers: { cookie },
  });
  expect(session.status).toBe(201);
  expect(await session.json()).toMatchObject({
    api_url: `http://localhost:${variables.VALET_PORT}`,
  });

  child.kill("SIGINT");
  expect(await ended).toBe(0);
  expect([await isUp(variables.VALET_PORT), await isUp(variables.VALET_DEMO_PORT)]).toEqual([
    false,
    false,
  ]);
});

test("the second start reuses everything", async () => {
  const env = join(variables.VALET_DATA_DIR ?? "", "demo.env");
  const before = readFileSync(env, "utf8");
  const { child, said, ready, ended } = start();
  await ready;
  expect(said()).toContain("Ready in");
  expect(said()).not.toContain("documentation:");
  expect(said()).not.toContain("Building");
  expect(readFileSync(env, "utf8")).toBe(before);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
});

test("a start on other ports keeps the key and tells the demo the new address", async () => {
  const moved = {
    VALET_PORT: String(await freePort()),
    VALET_DEMO_PORT: String(await freePort()),
  };
  const env = join(variables.VALET_DATA_DIR ?? "", "demo.env");
  const keyOf = (text: string) => /^VALET_API_KEY=.*$/m.exec(text)?.[0];
  const before = keyOf(readFileSync(env, "utf8"));
  const { child, ready, ended } = start(moved);
  await ready;
  const after = readFileSync(env, "utf8");
  expect(keyOf(after)).toBe(before);
  expect(after).toContain(`VALET_API_URL=http://localhost:${moved.VALET_PORT}\n`);
  const page = await fetch(`http://127.0.0.1:${moved.VALET_DEMO_PORT}/`);
  expect(page.headers.get("content-security-policy")).toContain(`localhost:${moved.VALET_PORT}`);
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

test.each([
  ["VALET_PORT", "the Valet server"],
  ["VALET_DEMO_PORT", "the demo"],
])("a taken %s is told with what needs it and how to change it", async (variable, what) => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
  const address = blocker.address();
  const port = String(typeof address === "object" ? address?.port : 0);
  const { said, ended } = start({ [variable]: port });
  expect(await ended).toBe(1);
  expect(said()).toContain(`Port ${port}, which ${what} needs, is taken.`);
  expect(said()).toContain(`${variable}=`);
  expect(said().trim().split("\n")).toHaveLength(1);
  blocker.close();
});
