import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseQuote } from "./quote.ts";
import { openSearchIndex } from "./search-index.ts";

const document = (id: string, text: string, projectId = "prj_1") => ({
  id,
  projectId,
  title: `Page ${id}`,
  url: `/sources/${id}`,
  stamp: "1",
  sections: text.split("\n---\n").map((part, at) => ({
    headingPath: [`Page ${id}`, `Part ${at}`],
    anchor: `part-${at}`,
    text: part,
  })),
});
const find = (index: ReturnType<typeof openSearchIndex>, query: string, projectId = "prj_1") =>
  index.search({ projectId, query, limit: 10 });

test("no question, whatever its characters, is an error of the index", () => {
  const index = openSearchIndex(":memory:");
  index.put(document("a", "Bees feed on clover."));
  const nasty = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      '"',
      "NEAR(",
      "a AND",
      "title:",
      "*",
      "-x",
      "^",
      "a OR OR b",
      "'; drop table",
      "\0",
    ),
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 5 }), (pieces) => {
      expect(Array.isArray(find(index, pieces.join(" ")))).toBe(true);
    }),
  );
});

test("a passage is found by other forms of its words, and quoted as it stands", () => {
  const index = openSearchIndex(":memory:");
  index.put(document("a", "Bees are feeding on clover in May. They sleep at night."));
  const [passage] = find(index, "What does a bee feed on?");
  expect(passage?.quote).toContain("Bees are feeding on clover in May.");
  expect(passage?.url).toBe("/sources/a#part-0");
  expect(passage?.confidence).toBeGreaterThan(0.5);
});

test("what holds too little of a question is no answer to it", () => {
  const index = openSearchIndex(":memory:");
  index.put(document("a", "A pump moves water uphill.\n---\nBees feed on clover."));
  expect(find(index, "How much water does the zorvex tank hold?")).toEqual([]);
  expect(find(index, "What is the capital of France?")).toEqual([]);
});

test("a project finds its own passages alone", () => {
  const index = openSearchIndex(":memory:");
  index.put(document("a", "The launch is on Tuesday.", "prj_1"));
  index.put(document("b", "The launch is on Friday.", "prj_2"));
  expect(find(index, "When is the launch?").map(({ documentId }) => documentId)).toEqual(["a"]);
});

test("one page gives at most three passages", () => {
  const index = openSearchIndex(":memory:");
  index.put(
    document("a", Array.from({ length: 9 }, (_, at) => `Clover field ${at}.`).join("\n---\n")),
  );
  expect(find(index, "clover field")).toHaveLength(3);
});

test("a document that is put again replaces its former self, and one that is removed is gone", () => {
  const index = openSearchIndex(":memory:");
  index.put(document("a", "Old clover."));
  index.put({ ...document("a", "New lavender."), stamp: "2" });
  expect(find(index, "clover")).toEqual([]);
  expect(find(index, "lavender")).toHaveLength(1);
  expect(index.stamps()).toEqual({ a: "2" });
  index.remove(["a"]);
  expect(find(index, "lavender")).toEqual([]);
  expect(index.stamps()).toEqual({});
});

test("a file that is damaged or none of ours is made again, and one of ours is kept", () => {
  const folder = mkdtempSync(join(tmpdir(), "valet-index-"));
  const file = join(folder, "index.db");
  writeFileSync(file, "this is no database");
  const first = openSearchIndex(file);
  first.put(document("a", "Clover."));
  first.close();
  const second = openSearchIndex(file);
  expect(second.stamps()).toEqual({ a: "1" });
  second.close();
  expect(existsSync(file)).toBe(true);
});

test("a quote stands in its passage word for word, and code in it is whole", () => {
  const sentence = fc
    .array(fc.constantFrom("clover", "bees", "feed", "on", "the", "field"), {
      minLength: 2,
      maxLength: 8,
    })
    .map((words) => `${words.join(" ").replace(/^./, (first) => first.toUpperCase())}.`);
  const block = fc.oneof(
    fc.array(sentence, { minLength: 1, maxLength: 5 }).map((sentences) => sentences.join(" ")),
    fc.constant("```js\nconst bees = 1;\n\nfeed(bees);\n```"),
    fc
      .array(sentence, { minLength: 1, maxLength: 4 })
      .map((items) => items.map((item) => `- ${item}`).join("\n")),
  );
  const weights = new Map([
    ["bees", 2],
    ["clover", 1],
  ]);
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
      const text = blocks.join("\n\n");
      const quote = chooseQuote(text, weights);
      expect(text).toContain(quote.text);
      expect((quote.text.match(/```/g)?.length ?? 0) % 2).toBe(0);
      expect(quote.coverage).toBeLessThanOrEqual(1);
    }),
  );
});
