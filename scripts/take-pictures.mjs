#!/usr/bin/env node
// Takes the pictures of docs/images, light and dark, of a fresh `npm start` on ports of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { browserArguments, findBrowser } from "./find-browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "valet-pictures-"));
const child = spawn(process.execPath, ["scripts/start.mjs"], {
  env: {
    ...process.env,
    VALET_PORT: "4947",
    VALET_DEMO_PORT: "4948",
    VALET_DATA_DIR: join(folder, "data"),
  },
  stdio: ["ignore", "pipe", "inherit"],
});

/** Resolves with what `npm start` says, once it is ready. */
function whenReady() {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout.on("data", (piece) => {
      said += piece;
      if (said.includes("Ctrl-C stops both.")) resolve(said);
    });
    child.once("exit", () => reject(new Error(`npm start ended:\n${said}`)));
  });
}

const said = await whenReady();
const browser = await chromium.launch({
  args: browserArguments,
  executablePath: findBrowser(),
});
const size = { width: 1280, height: 820 };

async function shoot(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `docs/images/${name}-${colorScheme}.png` });
  }
}

try {
  const demo = await (
    await browser.newContext({ viewport: size, reducedMotion: "reduce" })
  ).newPage();
  await demo.goto("http://localhost:4948");
  await demo.getByRole("button", { name: "What happens when an API key is revoked?" }).click();
  await demo.getByRole("button", { name: "Copy the answer" }).waitFor();
  await demo.getByRole("log").evaluate((element) => element.scrollTo({ top: 0 }));
  await shoot(demo, "demo");

  const dashboard = await (
    await browser.newContext({ viewport: size, reducedMotion: "reduce" })
  ).newPage();
  await dashboard.goto(/http:\/\/localhost:4947\/setup#\w+/.exec(said)?.[0] ?? "");
  await dashboard.getByRole("textbox", { name: "Your name" }).fill("Ada Lovelace");
  await dashboard.getByRole("textbox", { name: "E-mail" }).fill("ada@example.com");
  await dashboard.getByLabel("Password", { exact: false }).first().fill("correct horse battery");
  await dashboard.getByRole("button", { name: "Make account" }).click();
  await dashboard.getByRole("heading", { name: "Home" }).waitFor();
  const project = dashboard.url().replace(/\/$/, "");

  await dashboard.goto(`${project}/settings/api-keys`);
  await dashboard.getByRole("button", { name: "Create key" }).click();
  await dashboard.getByRole("textbox", { name: "Name" }).fill("Production server");
  await dashboard.getByRole("radio", { name: "Keep a copy that can be viewed again" }).check();
  await dashboard.getByRole("dialog").getByRole("button", { name: "Create key" }).click();
  await dashboard.getByRole("button", { name: "I have stored it" }).click();
  await dashboard.getByRole("button", { name: "View Production server" }).waitFor();
  await shoot(dashboard, "api-keys");

  await dashboard.goto(`${project}/integrations/agent`);
  await dashboard.getByText("Demo page").click();
  await dashboard.getByRole("heading", { name: "Demo page" }).waitFor();
  await dashboard.getByText("npm install").first().waitFor();
  await shoot(dashboard, "integration");
} finally {
  await browser.close();
  child.removeAllListeners("exit");
  child.kill("SIGINT");
  await new Promise((resolve) => child.once("exit", resolve));
  rmSync(folder, { recursive: true, force: true });
}
