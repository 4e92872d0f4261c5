// @vitest-environment happy-dom

import { cleanup, render } from "@testing-library/react";
import type { MessageSource } from "@valet/agent-core";
import fc from "fast-check";
import type { ReactNode } from "react";
import { afterEach, expect, test } from "vitest";
import { AgentProvider } from "./agent-provider.tsx";
import { Markdown } from "./markdown.tsx";
import { injections, tooDeep } from "./testing/injection-corpus.ts";

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

const beacon = "https://evil.example";
const corpus = injections(beacon);
const allowed = new Set(
  "DIV P H3 H4 H5 H6 STRONG EM DEL CODE PRE UL OL LI BLOCKQUOTE HR BR TABLE THEAD TBODY TR TH TD SECTION A BDI BUTTON SPAN INPUT svg path".split(
    " ",
  ),
);

/** Fails for an element or an attribute that runs, fetches or leads anywhere but to the web. */
function expectHarmless(root: ParentNode): void {
  for (const element of root.querySelectorAll("*")) {
    expect(allowed).toContain(element.tagName);
    for (const { name } of element.attributes) {
      expect(name).not.toMatch(/^on|^(?:src|srcset|action|formaction|poster|ping|xlink:href)$/);
    }
    const href = element.getAttribute("href");
    if (href === null) continue;
    expect(href).toMatch(/^(?:https?:\/\/|mailto:|tel:)/i);
    expect(element.querySelector("a, button")).toBeNull();
    // Whatever its text claims, it says itself where it leads.
    const { host } = new URL(href);
    expect(element.nextElementSibling?.textContent).toContain("not from the documentation");
    if (element.textContent !== href && host !== "") {
      expect(element.nextElementSibling?.textContent).toContain(host);
    }
  }
}

test("of every text of the corpus, finished or not, only harmless elements come", () => {
  for (const text of [...corpus, ...tooDeep]) {
    const ends = [text.length, Math.ceil(text.length / 2), Math.ceil(text.length / 3)];
    for (const end of ends) {
      const root = show(
        <Markdown
          text={text.slice(0, end)}
          sources={[source(1), source(2)]}
          isStreaming={end < text.length}
        />,
      );
      expectHarmless(root);
      cleanup();
    }
  }
});

test("whatever a model puts together, only harmless elements come of it", () => {
  const nasty = fc.oneof(fc.constantFrom(...corpus), fc.constantFrom("[1][2]", "[9]"), fc.string());
  fc.assert(
    fc.property(fc.array(nasty, { maxLength: 5 }), fc.boolean(), (pieces, isStreaming) => {
      const root = show(
        <Markdown
          text={pieces.join("\n\n")}
          sources={[source(1), source(2)]}
          isStreaming={isStreaming}
        />,
      );
      expectHarmless(root);
      cleanup();
    }),
    { numRuns: 150 },
  );
});

test("a link to a source of the answer is not marked; one to elsewhere says where it leads", () => {
  const at = (sourceUrl: string) => ({ ...source(1), sourceUrl });
  const shown = (text: string, sourceUrl: string) => {
    const root = show(<Markdown text={text} sources={[at(sourceUrl)]} />);
    const { textContent } = root;
    const links = root.querySelectorAll("a").length;
    cleanup();
    return `${links} ${textContent}`;
  };
  const page = "https://docs.example.com/limits";
  expect(shown(`[Limits](${page}#burst)`, `${page}/#other`)).toBe("1 Limits");
  expect(shown("[Limits](/sources/doc_1#a)", "/sources/doc_1#b")).toBe("1 Limits");
  expect(shown("[Limits](https://docs.example.com/other)", page)).toBe(
    "1 Limitsdocs.example.com · not from the documentation",
  );
  expect(shown("[docs](https://docs.example.com@evil.example/)", page)).toBe(
    "1 docsevil.example · not from the documentation",
  );
  expect(shown("https://evil.example/a", page)).toBe(
    "1 https://evil.example/anot from the documentation",
  );
  expect(shown("[x](javascript:pwned)", "javascript:pwned")).toBe("0 x");
});

test("a citation stays one when the text says that it is a link", () => {
  const root = show(
    <Markdown text={"See [1].\n\n[1]: https://evil.example"} sources={[source(1)]} />,
  );
  expect(root.querySelector("button")?.textContent).toBe("1");
  expect(root.querySelector("p")?.querySelector("a")).toBeNull();
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
  expect(text("It is so [1")?.trim()).toBe("It is so");
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
