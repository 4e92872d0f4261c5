import { dirname, posix } from "node:path";
import GithubSlugger from "github-slugger";
import { Marked, type Tokens } from "marked";
import type { SourceDocument } from "./knowledge.ts";
import { inlineText, lexMarkdown } from "./markdown-page.ts";

/** The policy under which source pages are served: nothing runs and nothing is loaded. */
export const sourcePagePolicy: string = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Renders a document as a page by itself. Its own HTML is shown as text and never becomes HTML. */
export function renderSourcePage({ row, siblings }: SourceDocument): string {
  const body = renderMarkdown(row.markdown, (href) => resolveLink(href, row.path, siblings));
  const isTitled = /^\s*(?:---[\s\S]*?---\s*)?#\s/.test(row.markdown);
  const heading = isTitled ? "" : `<h1>${escapeHtml(row.title)}</h1>`;
  return page(row.title, `<p class="from">${escapeHtml(row.path)}</p>${heading}${body}`);
}

/** A page that says in words why there is no document. */
export function renderNotice(title: string, text: string): string {
  return page(title, `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`);
}

function renderMarkdown(markdown: string, link: (href: string) => string | undefined): string {
  const slugger = new GithubSlugger();
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => (text.startsWith("<!--") ? "" : escapeHtml(text)),
      image: ({ text, href }) => {
        const label = text || href;
        return `<span class="image">${escapeHtml(label)}</span>`;
      },
      heading({ tokens, depth }: Tokens.Heading) {
        const id = slugger.slug(inlineText(tokens));
        return `<h${depth} id="${escapeHtml(id)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const text = this.parser.parseInline(tokens);
        const target = link(href);
        return target === undefined
          ? text
          : `<a href="${escapeHtml(target)}" rel="noopener noreferrer nofollow">${text}</a>`;
      },
      table(token: Tokens.Table) {
        const cells = (row: readonly Tokens.TableCell[], tag: string) =>
          `<tr>${row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")}</tr>`;
        const head = cells(token.header, "th");
        const rows = token.rows.map((row) => cells(row, "td")).join("");
        return `<div class="table" tabindex="0"><table><thead>${head}</thead><tbody>${rows}</tbody></table></div>`;
      },
    },
  });
  return marked.parser(lexMarkdown(markdown));
}

/** Where a link of a document leads: to another document of its source, out to the web, or nowhere. */
function resolveLink(
  href: string,
  from: string,
  siblings: ReadonlyMap<string, string>,
): string | undefined {
  if (href.startsWith("#")) return href;
  if (/^[a-z][a-z0-9+.-]*:/i.test(href))
    return /^(?:https?|mailto):/i.test(href) ? href : undefined;
  const [path = "", anchor] = href.split("#");
  const target = posix.normalize(posix.join(dirname(from), decodePath(path)));
  const found = [
    target,
    `${target}.md`,
    `${target}.mdx`,
    `${target}/index.md`,
    `${target}/README.md`,
  ]
    .map((candidate) => siblings.get(candidate))
    .find((id) => id !== undefined);
  if (found === undefined) return undefined;
  return `/sources/${found}${anchor === undefined ? "" : `#${anchor}`}`;
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${styles}</style>
</head>
<body><main>${content}</main></body>
</html>
`;
}

const styles = `
:root { --text: #1f2328; --muted: #59636e; --line: #d8dee4; --back: #fff; --code: #f5f6f8; --accent: #7c2fd0; --mark: #fff4cf }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --muted: #9aa4af; --line: #30363d; --back: #14161a; --code: #1e2228; --accent: #c59bff; --mark: #3a3212 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.65 system-ui, sans-serif; overflow-wrap: anywhere }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 40vh }
h1, h2, h3, h4 { line-height: 1.25; margin: 2.2em 0 .6em; scroll-margin-top: 2rem }
h1 { font-size: 2rem; margin-top: .4em }
h2 { font-size: 1.4rem; padding-bottom: .3em; border-bottom: 1px solid var(--line) }
h3 { font-size: 1.15rem }
:target { background: var(--mark); box-shadow: 0 0 0 .35rem var(--mark); border-radius: .2rem }
a { color: var(--accent) }
.from { margin: 0; color: var(--muted); font-size: .85rem }
.image { color: var(--muted); font-style: italic }
code { font: .875em ui-monospace, monospace; background: var(--code); padding: .15em .35em; border-radius: .3em }
pre { background: var(--code); padding: 1rem; border-radius: .5rem; overflow-x: auto }
pre code { padding: 0; background: none }
blockquote { margin: 1em 0; padding: 0 1em; border-left: .25rem solid var(--line); color: var(--muted) }
.table { overflow-x: auto }
table { border-collapse: collapse; min-width: 100% }
th, td { padding: .45rem .7rem; border: 1px solid var(--line); text-align: left; vertical-align: top }
hr { border: 0; border-top: 1px solid var(--line) }
`;
