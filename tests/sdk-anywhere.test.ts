import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { root } from "./support/programs.ts";

test("where there is no page the token manager loads, works, and lets the process end", () => {
  const program = `
    for (const name of ["window", "document", "navigator", "performance"]) {
      delete globalThis[name];
      if (name in globalThis) throw new Error(name + " is still there.");
    }
    const { createSessionTokenManager } = await import("./packages/agent-core/dist/index.js");
    const manager = createSessionTokenManager(async () => ({ token: "t", expiresIn: 3600 }));
    console.log((await manager.getToken()).value, manager.getSnapshot().state);`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { cwd: root, encoding: "utf8", timeout: 20_000 },
  );
  expect([stdout, stderr, status]).toEqual(["t READY\n", "", 0]);
});
