import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createSearchThread, SearchTaskError } from "./search-thread.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-thread-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a document that takes too long costs its own reading, and the next one is read", async () => {
  let started = 0;
  const thread = createSearchThread({
    file: join(folder, "index.db"),
    maxReadingMs: 2_000,
    onStart: () => {
      started += 1;
    },
  });
  try {
    expect(await thread.run("parse", "# One\n\nText.", "one")).toMatchObject({ title: "One" });
    // Comments that never end cost their number squared.
    const endless = thread.run("parse", "<!--".repeat(1_000_000), "endless");
    await expect(endless).rejects.toThrow(SearchTaskError);
    expect(await thread.run("parse", "# Two\n\nText.", "two")).toMatchObject({ title: "Two" });
    expect(started).toBe(2);
  } finally {
    await thread.close();
  }
});
