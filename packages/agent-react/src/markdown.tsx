"use client";
import type { MessageSource } from "@valet/agent-core";
import { Marked, type Token, type Tokens } from "marked";
import { Fragment, memo, type ReactNode, useMemo } from "react";
import { AnswerLink } from "./answer-link.tsx";
import { CitationButton } from "./citations.tsx";
import { closeMarkup } from "./close-markup.ts";
import { CodeBlock } from "./code-block.tsx";

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  readonly text: string;
  /** What `[n]` may stand for. */
  readonly sources?: readonly MessageSource[];
  /** The end is missing, or still to come: unfinished markup there is closed or held back. */
  readonly isStreaming?: boolean;
}

const lexer = new Marked({
  gfm: true,
  tokenizer: {
    // `[1]: https://elsewhere` would make a link of every citation of source 1.
    def: (text) => (/^ {0,3}\[[\d,\s]+\]:/.test(text) ? undefined : false),
  },
});
const noSources: readonly MessageSource[] = [];

/**
 * Shows Markdown of a model or a document, neither of which is trusted: tokens become elements of
 * a fixed list, HTML stays text, images of elsewhere are not loaded, and links lead only to the
 * web. Nothing is ever set as HTML.
 */
export function Markdown({
  text,
  sources = noSources,
  isStreaming = false,
}: MarkdownProps): ReactNode {
  const blocks = useMemo(() => {
    const whole = isStreaming ? closeMarkup(text) : text;
    return readBlocks(whole).filter(({ type }) => type !== "space");
  }, [text, isStreaming]);
  return (
    <div className="valet-markdown" dir="auto">
      {blocks.map((block, at) => (
        // A block is known by its place: text is only ever added at the end.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above.
        <Block key={at} raw={block.raw} token={block} sources={sources} />
      ))}
    </div>
  );
}

/** Nested ten thousand times, a text is more than a stack holds; it is shown as it stands then. */
function readBlocks(text: string): Token[] {
  try {
    return lexer.lexer(text);
  } catch {
    return [{ type: "html", raw: text }];
  }
}

/** Blocks that did not change are not drawn again. */
const Block = memo(
  ({ token, sources }: { raw: string; token: Token; sources: readonly MessageSource[] }) =>
    renderBlock(token, sources),
  (before, after) => before.raw === after.raw && before.sources === after.sources,
);
Block.displayName = "MarkdownBlock";

type Sources = readonly MessageSource[];

function renderBlock(token: Token, sources: Sources): ReactNode {
  switch (token.type) {
    case "heading": {
      // The page around the chat has headings of its own; those of an answer stand below them.
      const level = Math.min(6, (token as Tokens.Heading).depth + 2);
      const Heading = `h${level}` as "h3";
      return <Heading>{renderInline(token.tokens, sources)}</Heading>;
    }
    case "paragraph":
      return <p>{renderInline(token.tokens, sources)}</p>;
    case "text":
      return (
        <>
          {token.tokens
            ? renderInline(token.tokens, sources)
            : withCitations(decodeEntities(token.text), sources)}
        </>
      );
    case "code":
      return <CodeBlock code={token.text} language={(token as Tokens.Code).lang ?? ""} />;
    case "blockquote":
      return <blockquote>{renderBlocks(token.tokens, sources)}</blockquote>;
    case "list":
      return renderList(token as Tokens.List, sources);
    case "table":
      return renderTable(token as Tokens.Table, sources);
    case "hr":
      return <hr />;
    case "html":
      return <p>{token.raw}</p>;
    default:
      return null;
  }
}

function renderBlocks(tokens: Token[] | undefined, sources: Sources): ReactNode {
  return (tokens ?? []).map((token, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
    <Fragment key={at}>{renderBlock(token, sources)}</Fragment>
  ));
}

function renderList(list: Tokens.List, sources: Sources): ReactNode {
  const items = list.items.map((item, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
    <li key={at}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} readOnly disabled />}
      {renderBlocks(item.tokens, sources)}
    </li>
  ));
  const start = typeof list.start === "number" ? list.start : 1;
  return list.ordered ? <ol start={start}>{items}</ol> : <ul>{items}</ul>;
}

function renderTable(table: Tokens.Table, sources: Sources): ReactNode {
  const cells = (row: readonly Tokens.TableCell[], Cell: "th" | "td"): ReactNode =>
    row.map((cell, at) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
      <Cell key={at}>{renderInline(cell.tokens, sources)}</Cell>
    ));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1).
    <section className="valet-table" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>{cells(table.header, "th")}</tr>
        </thead>
        <tbody>
          {table.rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
            <tr key={at}>{cells(row, "td")}</tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function renderInline(tokens: Token[] | undefined, sources: Sources): ReactNode {
  return (tokens ?? []).map((token, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: tokens have no identity but their place.
    <Fragment key={at}>{renderSpan(token, sources)}</Fragment>
  ));
}

function renderSpan(token: Token, sources: Sources): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{renderInline(token.tokens, sources)}</strong>;
    case "em":
      return <em>{renderInline(token.tokens, sources)}</em>;
    case "del":
      return <del>{renderInline(token.tokens, sources)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "link":
    case "image": {
      // An image is not loaded: that would tell its server who reads what. It becomes a link.
      const { href, text } = token as Tokens.Link | Tokens.Image;
      return (
        <AnswerLink href={href} text={text} sources={sources}>
          {token.type === "link" ? renderInline(inLink(token.tokens), noSources) : text || href}
        </AnswerLink>
      );
    }
    case "text":
      return token.tokens
        ? renderInline(token.tokens, sources)
        : withCitations(decodeEntities(token.text), sources);
    case "escape":
      return token.text;
    default:
      return token.raw;
  }
}

/** Within a link there is no other one: images become their text. */
function inLink(tokens: Token[] | undefined): Token[] {
  return (tokens ?? []).map((token) => {
    if (token.type === "image") return { type: "escape", raw: token.raw, text: token.text };
    return "tokens" in token ? { ...token, tokens: inLink(token.tokens) } : token;
  });
}

/** Text with `[1]`, `[1][2]` and `[1, 2]` as buttons, where there is such a source. */
function withCitations(text: string, sources: Sources): ReactNode {
  if (sources.length === 0) return text;
  return text.split(/(\[\d+(?:\s*,\s*\d+)*\])/).map((piece, at) => {
    const numbers = /^\[[\d,\s]+\]$/.test(piece) ? piece.slice(1, -1).split(",").map(Number) : [];
    const cited = numbers.map((number) => sources.find((source) => source.number === number));
    if (cited.length === 0 || cited.includes(undefined)) return piece;
    return cited.map(
      (source, inner) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the same source may be cited twice.
        source && <CitationButton key={`${at}-${inner}`} source={source} />,
    );
  });
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity);
}
