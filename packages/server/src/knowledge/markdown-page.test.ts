import fc from "fast-check";
import { expect, test } from "vitest";
import { readMarkdownPage } from "./markdown-page.ts";
import { renderSourcePage } from "./source-page.ts";

const pathOf = (markdown: string) =>
  readMarkdownPage(markdown, "file").sections.map(({ headingPath, anchor }) => [
    headingPath.join(" > "),
    anchor,
  ]);

/** A page as it is shown, for the ids that it really has. */
function render(markdown: string): string {
  return renderSourcePage({
    row: {
      id: "doc_1",
      source_id: "src_1",
      project_id: "prj_1",
      path: "a/b.md",
      title: "T",
      url: null,
      content_hash: "",
      markdown,
      updated_at_ms: 0,
    },
    siblings: new Map(),
  });
}

test("sections know their headings from the page's top, and skipped levels leave no hole", () => {
  const markdown = "# Top\n\na\n\n## One\n\nb\n\n#### Deep\n\nc\n\n## Two\n\nd\n";
  expect(pathOf(markdown)).toEqual([
    ["Top", "top"],
    ["Top > One", "one"],
    ["Top > One > Deep", "deep"],
    ["Top > Two", "two"],
  ]);
});

test("a title comes from front matter, else from the first heading, else from the file", () => {
  expect(readMarkdownPage("---\ntitle: Given\n---\n# Other\n\nx", "file").title).toBe("Given");
  expect(readMarkdownPage("# First\n\nx", "file").title).toBe("First");
  expect(readMarkdownPage('<h1 align="center">Logo</h1>\n\n## Routes\n\nx', "f").title).toBe(
    "Routes",
  );
  expect(readMarkdownPage("just text", "file").title).toBe("file");
  expect(readMarkdownPage("---\n: [broken\n---\n# First\n\nx", "file").title).toBe("First");
});

test("MDX statements are left out, except where they are shown as code", () => {
  const text = readMarkdownPage(
    'import X from "x"\nexport const a = 1\n\n# T\n\n<Note>Mind the gap.</Note>\n\n```js\nimport Y from "y"\n```\n',
    "f",
  )
    .sections.map((section) => section.text)
    .join("\n");
  expect(text).not.toContain('from "x"');
  expect(text).not.toContain("export const");
  expect(text).toContain("Mind the gap.");
  expect(text).toContain('import Y from "y"');
});

test("code, lists and tables keep their text; links lose their targets and comments are gone", () => {
  const text = readMarkdownPage(
    "# T\n\n- [one](https://x.example)\n- two `code`\n\n| a | b |\n|---|---|\n| c | d |\n\n```sh\nrun --it\n\nagain\n```\n\n<!-- secret -->\n\n![pic](p.png) end",
    "f",
  )
    .sections.map((section) => section.text)
    .join("\n\n");
  expect(text).toContain("- one\n- two `code`");
  expect(text).toContain("c: d");
  expect(text).toContain("```sh\nrun --it\n\nagain\n```");
  expect(text).not.toMatch(/x\.example|secret|p\.png/);
});

test("long sections are cut between blocks, and nothing is lost", () => {
  const blocks = Array.from({ length: 40 }, (_, at) =>
    `Paragraph ${at} ${"word ".repeat(60)}`.trim(),
  );
  const { sections } = readMarkdownPage(`# T\n\n${blocks.join("\n\n")}`, "f");
  expect(sections.length).toBeGreaterThan(1);
  const all = sections.map(({ text }) => text).join("\n\n");
  for (const block of blocks) expect(all).toContain(block);
});

const aHeading = fc.oneof(
  fc.constantFrom(
    "Same",
    "same",
    "With `code`",
    "C++ & more!",
    "Größe",
    "a_b",
    "1. First",
    "Émile?",
  ),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 .,:'-]{0,20}$/),
);

test("every anchor of a section is the id of its heading on the shown page", () => {
  fc.assert(
    fc.property(fc.array(aHeading, { minLength: 1, maxLength: 8 }), (headings) => {
      const markdown = headings.map((heading) => `## ${heading}\n\ntext\n`).join("\n");
      const anchors = readMarkdownPage(markdown, "f").sections.map(({ anchor }) => anchor);
      const ids = [...render(markdown).matchAll(/<h2 id="([^"]*)"/g)].map(([, id]) => id);
      expect(anchors).toEqual(ids);
    }),
  );
});

const nasty = fc.oneof(
  fc.constantFrom(
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,hi)",
    "![x](https://evil.example/p.png)",
    "<svg onload=alert(1)>",
    "<iframe src=//evil.example>",
    "<style>*{display:none}</style>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<a href='javascript:1'>x</a>",
    '# "><script>x</script>',
    "```\n</code></pre><script>x</script>\n```",
  ),
  fc.string(),
);

test("whatever a document holds, its page has no script, handler, image or odd address", () => {
  const allowed = new Set(
    "html head meta title style body main p h1 h2 h3 h4 h5 h6 a strong em del code pre ul ol li blockquote hr br table thead tbody tr th td div span input".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 6 }), (pieces) => {
      const html = render(pieces.join("\n\n"));
      const body = html.slice(html.indexOf("<body>"));
      for (const [tag, name = ""] of body.matchAll(/<([a-zA-Z][\w-]*)[^>]*>/g)) {
        expect(allowed).toContain(name.toLowerCase());
        expect(tag).not.toMatch(/\son\w+=/i);
        expect(tag).not.toMatch(/\ssrc=/i);
      }
      for (const [, href = ""] of body.matchAll(/href="([^"]*)"/g)) {
        expect(href).toMatch(/^(?:https?:|mailto:|#|\/sources\/)/i);
      }
    }),
    { numRuns: 300 },
  );
});
