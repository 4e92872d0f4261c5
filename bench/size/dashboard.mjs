import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipBytes, withStatic } from "./bundle.mjs";

/** The pages that one sees first after having signed in, each a chunk of its own. */
const firstPages = ["project-shell", "home-page"];

/**
 * Script that the dashboard loads until the first page after sign-in stands: what `index.html`
 * names, the page's chunks, and what they import.
 *
 * @param {string} folder Where the dashboard was built to.
 * @returns undefined where there is none.
 */
export function firstLoadBytes(folder) {
  if (!existsSync(join(folder, "index.html"))) return undefined;
  const assets = readdirSync(join(folder, "assets"));
  const html = readFileSync(join(folder, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="\/assets\/([^"]+\.js)"/g)].map(([, name]) => name);
  const pages = firstPages.map((page) => {
    const found = assets.find((name) => name.startsWith(`${page}-`) && name.endsWith(".js"));
    if (!found) throw new Error(`The dashboard has no chunk of ${page}: look at its router.`);
    return found;
  });
  const textOf = (name) => readFileSync(join(folder, "assets", name), "utf8");
  const importsOf = (name) =>
    [...textOf(name).matchAll(/(?:\bfrom|\bimport)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)].map(
      ([, file]) => file,
    );
  const all = new Set([...named, ...pages].flatMap((name) => withStatic(name, importsOf)));
  return [...all].reduce((bytes, name) => bytes + gzipBytes(textOf(name)), 0);
}
