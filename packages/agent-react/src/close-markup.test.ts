import { Marked, type Token } from "marked";
import { expect, test } from "vitest";
import { closeMarkup } from "./close-markup.ts";

const lexer = new Marked({ gfm: true });

/** The words of Markdown as they are shown, without spaces. */
function wordsOf(markdown: string): string {
  const words = (tokens: readonly Token[] = []): string =>
    tokens
      .map((token) => {
        if (token.type === "table") {
          const cells = [...token.header, ...token.rows.flat()] as { tokens: Token[] }[];
          return cells.map((cell) => words(cell.tokens)).join("");
        }
        if (token.type === "list") {
          return (token.items as { tokens: Token[] }[]).map((item) => words(item.tokens)).join("");
        }
        if (token.type === "image") return token.text as string;
        return "tokens" in token && token.tokens
          ? words(token.tokens)
          : ((token as { text?: string }).text ?? "");
      })
      .join("");
  return words(lexer.lexer(markdown)).replace(/\s+/g, "");
}

const answer = `Bursts of **50 requests** are *allowed* [1][2], and \`retry-after\` says **how _long_ to** wait.

## What happens ~~below~~ above it

1. The answer is \`429\`, see [the limits](https://docs.example.com/limits_of_all#burst).
2. Nothing is counted *twice*.

- a **b** c
- snake_case_name and 2 * 3 * 4 stay

| Plan | Burst |
|------|------:|
| Free | **50** |
| Team | \`500\` |

\`\`\`sh
curl --limit 50 **not bold** [1]
\`\`\`

> Limits count __per key__, not per person. ***Really.*** It costs \`\`a \` b\`\` nothing.

A last [link with **bold** text](https://other.example/a_b_c "title") ends it.`;

test("of an answer that grows, letter by letter, the words only grow, and none is markup", () => {
  const whole = wordsOf(answer);
  for (let end = 0; end <= answer.length; end += 1) {
    const shown = wordsOf(closeMarkup(answer.slice(0, end)));
    expect([answer.slice(0, end).slice(-30), whole.startsWith(shown), shown.slice(-20)]).toEqual([
      answer.slice(0, end).slice(-30),
      true,
      shown.slice(-20),
    ]);
  }
  expect(wordsOf(closeMarkup(answer))).toBe(whole);
});

test("what is open is closed, what cannot be shown yet is held back, and the rest is as it was", () => {
  for (const [text, shown] of [
    ["It is **bo", "It is **bo**"],
    ["It is **bo ", "It is **bo** "],
    ["It is **bold*", "It is **bold**"],
    ["It is **", "It is "],
    ["Use `co", "Use `co`"],
    ["So [1", "So "],
    ["See [the lim", "See the lim"],
    ["See [the limits](https://do", "See the limits"],
    ["![a cat](https://im", ""],
    ["A heading?\n--", "A heading?\n"],
    ["| Plan | Bu", ""],
    ["```js\nlet a = `b", "```js\nlet a = `b"],
    ["2 * 3 and snake_case", "2 * 3 and snake_case"],
    ["Done **bold**, and [1].", "Done **bold**, and [1]."],
  ] as const) {
    expect([text, closeMarkup(text)]).toEqual([text, shown]);
  }
});
