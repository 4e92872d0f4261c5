import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import type { HostSite } from "./host-site.ts";
import { freePort, type RunningProgram, startProgram } from "./programs.ts";

/** Starts an example by the command that its page names, against a server with a page on bees. */
export async function runExample(name: string, site: HostSite): Promise<RunningProgram> {
  const folder = mkdtempSync(join(tmpdir(), "valet-example-"));
  const envFile = join(folder, "customer.env");
  writeFileSync(
    envFile,
    `VALET_API_KEY=${site.apiKey}\nVALET_PROJECT_ID=${site.projectId}\nVALET_INTEGRATION_ID=${site.integrationId}\nVALET_API_URL=${site.apiUrl}\n`,
  );
  const port = String(await freePort());
  const program = await startProgram(
    ["examples/run.mjs", name, "--env-file", envFile, "--port", port, "--json-ready"],
    {},
  );
  return {
    ...program,
    async stop(signal) {
      const code = await program.stop(signal);
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Opens a page, and tells everything that its policy or its script complains of. */
export async function openComplaining(
  context: BrowserContext,
  url: string,
): Promise<{ page: Page; complaints: string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isFavicon = message.location().url.endsWith("/favicon.ico");
    if (message.type() === "error" && !isFavicon) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}
