import GithubSlugger from "github-slugger";
import { Marked, type Token, type Tokens } from "marked";
import { parse as parseYaml } from "yaml";

/** A page of documentation, cut at its headings. */
export interface MarkdownPage {
  readonly title: string;
  readonly sections: readonly MarkdownSection[];
}

/** What stands below one heading, up to the next. */
export interface MarkdownSection {
  /** The headings from the page's top down to this one, the page's title first. */
  readonly headingPath: readonly string[];
  /** The anchor of the heading on the rendered page; empty at the page's top. */
  readonly anchor: string;
  /** The section's blocks as plain Markdown: without links' targets, images and HTML. */
  readonly text: string;
}

/** Sections longer than this are cut between blocks: what is ranked must be about one thing. */
const maxSectionChars = 4_000;
const lexer = new Marked({ gfm: true });

/**
 * Reads Markdown or MDX.
 *
 * @param fallbackTitle The title of a page that names none.
 */
export function readMarkdownPage(markdown: string, fallbackTitle: string): MarkdownPage {
  const { body, title: given } = splitFrontMatter(markdown);
  const tokens = lexMarkdown(body);
  const slugger = new GithubSlugger();
  const first = tokens.find((token): token is Tokens.Heading => token.type === "heading");
  // Pages that set their logo as an HTML heading begin with a heading of the second level.
  const title = given ?? (first && first.depth <= 2 ? inlineText(first.tokens) : fallbackTitle);

  const sections: MarkdownSection[] = [];
  let path: string[] = [title];
  let anchor = "";
  let blocks: string[] = [];
  const close = (): void => {
    for (const text of cut(blocks)) sections.push({ headingPath: path, anchor, text });
    blocks = [];
  };
  for (const token of tokens) {
    if (token.type !== "heading") {
      const text = blockText(token);
      if (text !== "") blocks.push(text);
      continue;
    }
    close();
    const heading = token as Tokens.Heading;
    const text = inlineText(heading.tokens);
    anchor = slugger.slug(text);
    // The page's own title is not repeated below itself, and a skipped level leaves no hole.
    path = text === title ? [title] : [...path.slice(0, Math.max(1, heading.depth - 1)), text];
  }
  close();
  return { title, sections };
}

/** The blocks of Markdown or MDX, without front matter and without MDX's statements. */
export function lexMarkdown(markdown: string): Token[] {
  return lexer.lexer(withoutStatements(splitFrontMatter(markdown).body));
}

/** What a reader sees of inline tokens. */
export function inlineText(tokens: readonly Token[] = []): string {
  return tokens
    .map((token): string => {
      switch (token.type) {
        case "html":
        case "image":
          return "";
        case "br":
          return " ";
        case "codespan":
          return (token as Tokens.Codespan).text;
        default:
          return "tokens" in token && token.tokens
            ? inlineText(token.tokens)
            : "text" in token
              ? decodeEntities(String(token.text))
              : "";
      }
    })
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

/** Inline Markdown that keeps code marked as code and drops what points elsewhere. */
function inlineMarkdown(tokens: readonly Token[] = []): string {
  return tokens
    .map((token): string => {
      if (token.type === "codespan") return (token as Tokens.Codespan).raw;
      if (token.type === "html" || token.type === "image") return "";
      if (token.type === "br") return " ";
      if ("tokens" in token && token.tokens) return inlineMarkdown(token.tokens);
      return "text" in token ? decodeEntities(String(token.text)) : "";
    })
    .join("")
    .replace(/\s*\n\s*/g, " ");
}

function blockText(token: Token): string {
  switch (token.type) {
    case "paragraph":
    case "text":
      return inlineMarkdown("tokens" in token && token.tokens ? token.tokens : [token]).trim();
    case "code": {
      const { lang = "", text } = token as Tokens.Code;
      return `\`\`\`${lang}\n${text}\n\`\`\``;
    }
    case "list":
      return (token as Tokens.List).items
        .map((item, at) => {
          const mark = (token as Tokens.List).ordered ? `${at + 1}.` : "-";
          return `${mark} ${item.tokens.map(blockText).filter(Boolean).join(" ")}`;
        })
        .join("\n");
    case "table": {
      const { header, rows } = token as Tokens.Table;
      const line = (cells: readonly Tokens.TableCell[]) =>
        cells
          .map((cell) => inlineMarkdown(cell.tokens).trim())
          .join(cells.length === 2 ? ": " : " · ");
      return [line(header), ...rows.map(line)].join("\n");
    }
    case "blockquote":
      return ((token as Tokens.Blockquote).tokens ?? []).map(blockText).filter(Boolean).join("\n");
    case "html":
      return (
        (token as Tokens.HTML).text
          // A heading in HTML is a logo or a repetition; comments and tags are not text.
          .replace(/<!--[\s\S]*?-->|<h\d[\s\S]*?<\/h\d>|<[^>]*>/gi, " ")
          .replace(/\s+/g, " ")
          .trim()
      );
    default:
      return "";
  }
}

function cut(blocks: readonly string[]): string[] {
  const texts: string[] = [];
  let current: string[] = [];
  let length = 0;
  for (const block of blocks) {
    if (length > 0 && length + block.length > maxSectionChars) {
      texts.push(current.join("\n\n"));
      // The last block goes along as the context of what follows, unless it is long itself.
      const last = current.at(-1) ?? "";
      current = last.length < maxSectionChars / 8 ? [last] : [];
      length = current.join("").length;
    }
    current.push(block);
    length += block.length;
  }
  if (current.length > 0) texts.push(current.join("\n\n"));
  return texts;
}

function splitFrontMatter(markdown: string): { body: string; title: string | undefined } {
  const text = markdown.replace(/^\uFEFF/, "");
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  if (!match) return { body: text, title: undefined };
  const body = text.slice(match[0].length);
  const data = readYaml(match[1] ?? "");
  // Two rules with a text between them are no front matter.
  if (typeof data === "string") return { body: text, title: undefined };
  const title = typeof data === "object" && data !== null && "title" in data ? data.title : "";
  return { body, title: typeof title === "string" && title.trim() ? title.trim() : undefined };
}

/** Front matter; `undefined` when it is broken, which is still no text for readers. */
function readYaml(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}

/** Takes MDX's `import` and `export` lines out, except where they are shown as code. */
function withoutStatements(markdown: string): string {
  let fence: string | undefined;
  return markdown
    .split("\n")
    .filter((line) => {
      const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
      if (mark && (fence === undefined || mark.startsWith(fence))) {
        fence = fence === undefined ? mark : undefined;
      }
      return (
        fence !== undefined || !/^(?:import\s.+from\s+['"]|export\s+(?:const|default)\s)/.test(line)
      );
    })
    .join("\n");
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
};

function decodeEntities(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => entities[entity] ?? entity);
}
