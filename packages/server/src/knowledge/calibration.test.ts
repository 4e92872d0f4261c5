import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readMarkdownPage } from "./markdown-page.ts";
import { openSearchIndex } from "./search-index.ts";

/** How well the bound between answering and refusing holds, on documentation that is not ours. */
const docs = join(dirname(createRequire(import.meta.url).resolve("fastify/package.json")), "docs");
const files = readdirSync(docs, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".md"),
);
const pages = files.map((name) => ({
  name,
  page: readMarkdownPage(readFileSync(join(docs, name), "utf8"), name),
}));
const index = openSearchIndex(":memory:");
for (const { name, page } of pages) {
  index.put({
    id: name,
    projectId: "prj_1",
    title: page.title,
    url: name,
    stamp: "",
    sections: page.sections,
  });
}
const search = (query: string) => index.search({ projectId: "prj_1", query, limit: 10 });

/** Headings of at least two words: what people who know the words would ask with. */
const headings = pages.flatMap(({ name, page }) =>
  page.sections
    .map(({ headingPath }) => headingPath.at(-1) ?? "")
    .filter((heading) => heading.split(/\s+/).length >= 2)
    .map((heading) => ({ name, heading })),
);

const foreign = `How do I bake sourdough bread at home?
What is the capital of Australia?
Who won the world cup in 1998?
How tall is Mount Everest?
When was the French revolution?
What is the best way to water tomatoes?
How do I change a bicycle tyre?
Which vitamins are in oranges?
What is the boiling point of ethanol?
How long do cats sleep?
Who painted the ceiling of the Sistine chapel?
How do I tie a bow tie?
What does a violin bow consist of?
How far is the moon from the earth?
What is the rule of offside in football?
How do I remove red wine stains from cotton?
Which planets have rings?
How do bees make honey?
What is the population of Iceland?
How do I train for a marathon?
What causes thunder and lightning?
When do swallows migrate south?
How do I grow strawberries on a balcony?
What is the difference between alto and soprano?
How much does a litre of milk weigh?
Who wrote the Brothers Karamazov?
How do I cook rice without a lid?
What is a sonnet?
Which bones form the human wrist?
How do glaciers move?
What is the currency of Brazil?
How do I fold a paper crane?
Which trees lose their leaves in winter?
How are pearls formed?
What is the oldest university in Europe?
How do I sharpen a kitchen knife?
What do koalas eat?
How does a sundial work?
What is the tallest building in Tokyo?
How do I play chess openings?`.split("\n");

test("headings of the corpus are answered, most of them by a passage of their own page", () => {
  // Every third of them is plenty, and keeps the test short.
  const asked = headings.filter((_, at) => at % 3 === 0);
  const found = asked.map(({ name, heading }) => ({ name, passages: search(heading) }));
  const answered = found.filter(({ passages }) => passages.length > 0);
  const right = found.filter(({ name, passages }) =>
    passages.some(({ documentId }) => documentId === name),
  );
  expect(asked.length).toBeGreaterThan(100);
  expect(answered.length / asked.length).toBeGreaterThan(0.97);
  expect(right.length / asked.length).toBeGreaterThan(0.93);
});

test("questions about something else are refused", () => {
  const refused = foreign.filter((question) => search(question).length === 0);
  expect(refused.length / foreign.length).toBeGreaterThan(0.92);
});
