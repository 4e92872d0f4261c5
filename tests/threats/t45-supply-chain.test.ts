import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../support/programs.ts";

/** T45: a package that is installed is not the one that was meant, or runs code while it installs. */
interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly link?: boolean;
}
const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));
const lock = read("package-lock.json") as { packages: Record<string, LockedPackage> };
const installed = Object.entries(lock.packages).filter(
  ([path, { link }]) => path.includes("node_modules/") && !link,
);

test("every package that npm installs is pinned by its hash and comes from the registry", () => {
  expect(installed.length).toBeGreaterThan(100);
  for (const [path, { version, resolved, integrity }] of installed) {
    expect([path, version]).toEqual([path, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
    expect([path, integrity]).toEqual([
      path,
      expect.stringMatching(/^sha512-[A-Za-z0-9+/]{86}==$/),
    ]);
    // Where npm leaves it out, it is the registry that npm is set to.
    if (resolved !== undefined) expect(resolved).toMatch(/^https:\/\/registry\.npmjs\.org\//);
  }
});

test("no package but the database's driver runs a script when it is installed", () => {
  const withScript = installed
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path);
  expect(withScript).toEqual(["node_modules/better-sqlite3"]);
  expect((read("package.json") as { allowScripts: object }).allowScripts).toEqual({
    "better-sqlite3": true,
  });
});

test("what the server needs at run time is pinned exactly, and does not grow unnoticed", () => {
  const workspaces = readdirSync(join(root, "packages"));
  for (const name of workspaces) {
    const { dependencies = {} } = read(`packages/${name}/package.json`) as {
      dependencies?: Record<string, string>;
    };
    for (const [dependency, version] of Object.entries(dependencies)) {
      expect([name, dependency, version]).toEqual([
        name,
        dependency,
        expect.stringMatching(/^\d+\.\d+\.\d+$/),
      ]);
    }
  }
});
