// Makes what the server hands out at `/sdk/`: the packages as tarballs, one browser bundle, and
// the server itself, for the tests of those who build on it.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build as bundle } from "vite";

/** @param {string[]} names Folders below `packages/`. */
export async function packSdk(names) {
  const out = resolve("packages/server/public/sdk");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  pack(names, out);
  await bundle({
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: out,
      emptyOutDir: false,
      target: "es2022",
      lib: {
        entry: resolve("packages/agent-core/dist/index.js"),
        formats: ["es"],
        fileName: () => "valet.js",
      },
      rolldownOptions: {
        // For schemas of zod 3, by those who have it: they build their page themselves.
        external: ["zod-to-json-schema"],
        // One file, to be copied to wherever it is needed.
        output: { codeSplitting: false },
      },
    },
  });
  writeFileSync(
    `${out}/index.html`,
    `<!doctype html><meta charset="utf-8"><title>Valet SDK</title><p>The packages of this server's SDK. The guides say how to install them.</p>`,
  );
  // Last, because what it hands out is part of it.
  pack(["server"], out);
}

/**
 * @param {string[]} names Folders below `packages/`.
 * @param {string} out Where the tarballs go.
 */
function pack(names, out) {
  const workspaces = names.flatMap((name) => ["-w", `packages/${name}`]);
  const { status, stderr } = spawnSync(
    "npm",
    ["pack", "--silent", "--pack-destination", out, ...workspaces],
    { encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}`);
}
