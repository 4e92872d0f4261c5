#!/usr/bin/env node
// Installs the tarballs that the server hands out into an empty folder, as a user would, and
// imports every entry of every package.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "./build.mjs";

await build((line) => console.log(line));
const sdk = resolve("packages/server/public/sdk");
const tarballs = readdirSync(sdk).filter((name) => name.endsWith(".tgz"));
const isServer = (name) => name.startsWith("valet-server-");
const folder = mkdtempSync(join(tmpdir(), "valet-packed-"));

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return;
  console.log(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  process.exitCode = 1;
}

try {
  writeFileSync(join(folder, "package.json"), '{"private":true,"type":"module"}');
  const local = tarballs.filter((name) => !isServer(name)).map((name) => join(sdk, name));
  const react = ["react@19.3.1", "react-dom@19.3.1"];
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...local, ...react], folder);

  const entries = [];
  for (const name of ["protocol", "agent-core", "agent-react", "session-proxy"]) {
    run("npx", ["publint", "--strict", `packages/${name}`], process.cwd());
    const tarball = tarballs.find((file) => file.startsWith(`valet-${name}-`));
    run(
      "npx",
      // Style sheets have no types, and nobody imports them for their types.
      [
        "attw",
        join(sdk, tarball ?? ""),
        "--profile",
        "esm-only",
        "--exclude-entrypoints",
        "styles.css",
        "styles.layer.css",
      ],
      process.cwd(),
    );
    const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, "utf8"));
    for (const path of Object.keys(manifest.exports)) {
      const entry = `${manifest.name}${path.slice(1)}`;
      if (path.endsWith(".css")) entries.push(`import.meta.resolve(${JSON.stringify(entry)});`);
      else entries.push(`await import(${JSON.stringify(entry)});`);
    }
  }
  // The server is not installed here: its database driver is built for each machine.
  run("npx", ["publint", "--strict", "packages/server"], process.cwd());
  const manifest = JSON.parse(readFileSync("packages/server/package.json", "utf8"));
  const server = tarballs.find(isServer) ?? "";
  const { stdout } = spawnSync("tar", ["-tzf", join(sdk, server)], { encoding: "utf8" });
  const packed = new Set(stdout.split("\n"));
  for (const { types, default: code } of Object.values(manifest.exports)) {
    for (const path of [types, code].map((each) => each.replace("./", "package/"))) {
      if (packed.has(path)) continue;
      console.log(`${server} lacks ${path}`);
      process.exitCode = 1;
    }
  }

  writeFileSync(join(folder, "import-all.mjs"), entries.join("\n"));
  run("node", ["import-all.mjs"], folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
