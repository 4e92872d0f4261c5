// Makes what the server hands out at `/sdk/`: the packages as tarballs, the agent as one file for
// browsers and the custom element as another, and the server itself, for the tests of those who
// build on it.
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
  await bundle({
    configFile: false,
    // React marks its modules with directives, of which the bundler says that they are lost.
    logLevel: "error",
    // The smaller React: the element looks the same with it, and nobody sees which one it is.
    resolve: {
      alias: [{ find: /^react(-dom)?(?=\/|$)/, replacement: "react$1-18" }],
    },
    build: {
      outDir: out,
      emptyOutDir: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: resolve("packages/agent-react/dist/element/main.js"),
        preserveEntrySignatures: "strict",
        output: {
          entryFileNames: "valet-element.js",
          chunkFileNames: "valet-element-[name].js",
        },
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
