// Finds a Chromium for journeys and pictures, and installs one where that is possible.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = [
  "google-chrome",
  "google-chrome-stable",
  "chromium",
  "chromium-browser",
  "microsoft-edge",
  "microsoft-edge-stable",
];
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Switches that keep the browser quiet, and let it run as root, as containers do. */
export const browserArguments = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
];

/**
 * The path of an installed browser: `VALET_TEST_BROWSER`, then Chrome, Chromium, Edge; then, on
 * Debian as root, its package; then Playwright's own download.
 *
 * @throws {Error} With the one command to run, when there is none.
 */
export function findBrowser() {
  const named = process.env.VALET_TEST_BROWSER;
  if (named !== undefined) {
    if (existsSync(named)) return named;
    throw new Error(`VALET_TEST_BROWSER names ${named}, which does not exist.`);
  }
  const found = installed();
  if (found) return found;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    console.log("Installing Chromium for the browser tests …");
    const quiet = { stdio: "ignore" };
    spawnSync("apt-get", ["update"], quiet);
    spawnSync("apt-get", ["install", "-y", "chromium"], quiet);
    const fresh = installed();
    if (fresh) return fresh;
  }
  const download = spawnSync("npx", ["playwright-core", "install", "chromium"], {
    stdio: "ignore",
  });
  if (download.status === 0) return undefined;
  throw new Error(
    "No browser was found. Run `sudo apt-get install -y chromium`, or set VALET_TEST_BROWSER to one.",
  );
}

function installed() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...elsewhere].find((path) => existsSync(path));
}
