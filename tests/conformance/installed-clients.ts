import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The majors of the AI SDK that are asked whether they understand us. */
export const majors = [5, 6, 7] as const;

/** One of {@link majors}. */
export type Major = (typeof majors)[number];

/** What the package of a client says about itself. */
export interface InstalledClient {
  readonly version: string;
  /** The versions of Node.js that it is made for. */
  readonly node: string;
}

/**
 * Installs the clients from their lock files, where that has not been done: nobody who builds
 * Valet has to have them.
 */
export function installClients(): Readonly<Record<Major, InstalledClient>> {
  return { 5: install(5), 6: install(6), 7: install(7) };
}

function install(major: Major): InstalledClient {
  const folder = fileURLToPath(new URL(`./ai-${major}`, import.meta.url));
  if (!isInstalled(folder)) {
    const options = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    const { status, stderr } = spawnSync("npm", options, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(`npm ci in ${folder} failed: ${stderr}`);
  }
  const { version, engines } = JSON.parse(
    readFileSync(join(folder, "node_modules/ai/package.json"), "utf8"),
  ) as { version: string; engines: { node: string } };
  return { version, node: engines.node };
}

/** npm writes its own copy of the lock file when it has installed it. */
function isInstalled(folder: string): boolean {
  const copy = join(folder, "node_modules/.package-lock.json");
  return (
    existsSync(copy) &&
    statSync(copy).mtimeMs >= statSync(join(folder, "package-lock.json")).mtimeMs
  );
}
