/**
 * Markdown whose end is still to come, so that it can be shown: what is open is closed, and what
 * cannot be shown yet is held back. Of a growing text the words that are shown only grow. What is
 * longer than links are stays as it is, so that no text is slow to read.
 */
export function closeMarkup(markdown: string): string {
  const [done, open] = splitLastBlock(markdown);
  if (open.isCode) return markdown.replace(/\n {0,3}[`~]{1,2}$/, "\n");
  return done + closeBlock(open.text);
}

/** The finished blocks, and the one that still grows. */
function splitLastBlock(markdown: string): [string, { text: string; isCode: boolean }] {
  let fence = "";
  let begin = 0;
  let at = 0;
  for (const line of markdown.split("\n")) {
    const [, mark = ""] = /^\s*(?:>\s*)*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === "") {
      if (mark !== "") fence = mark;
      // The last line is not known to be empty: it has only not begun.
      else if (line.trim() === "" && at + line.length < markdown.length)
        begin = at + line.length + 1;
    } else if (mark.startsWith(fence) && line.trim() === mark) {
      fence = "";
      begin = at + line.length + 1;
    }
    at += line.length + 1;
  }
  const text = markdown.slice(begin);
  return [markdown.slice(0, begin), { text, isCode: fence !== "" }];
}

function closeBlock(block: string): string {
  // A table is one only when the line below its head is whole.
  if (/^ {0,3}\|[^\n]*(?:\n[|\s:-]*)?$/.test(block)) return "";
  // A line that could make a heading, a rule or a list of what stands above it.
  const text = block.replace(/(^|\n)\s*(?:[-=*_+#>]+|\d+[.)]?|`{1,2})\s*$/, "$1");
  const code = openCode(text);
  if (code) {
    const inside = text.slice(code.at + code.mark.length);
    const before = closeInline(text.slice(0, code.at));
    return inside.trim() === ""
      ? before.text + before.closers
      : `${before.text}${code.mark}${inside.replace(/`+$/, "")}${code.mark}${before.closers}`;
  }
  const { text: shown, closers } = closeInline(text);
  // Nothing closes after a space.
  const end = shown.trimEnd().length;
  return shown.slice(0, end) + closers + shown.slice(end);
}

/** Where code begins that has no end yet. */
function openCode(text: string): { readonly at: number; readonly mark: string } | undefined {
  const runs = [...text.matchAll(/(?<!\\)`+/g)];
  for (let first = 0; first < runs.length; first += 1) {
    const [mark] = runs[first] ?? [""];
    const close = runs.findIndex(([other], at) => at > first && other === mark);
    if (close < 0) return { at: runs[first]?.index ?? 0, mark };
    first = close;
  }
  return undefined;
}

/** Text outside of code without what is half written, and what closes its emphasis. */
function closeInline(inline: string): { readonly text: string; readonly closers: string } {
  const text = inline
    // An image becomes a link only when its address is known.
    .replace(/!\[[^\]]{0,999}(?:\]\([^)]{0,2047})?$|!$/, "")
    // So does a link; its text is shown meanwhile.
    .replace(/\[([^[\]]{0,999})\]\([^)]{0,2047}$/, "$1")
    // A citation must not flash up as text.
    .replace(/\[[\d,\s]*$/, "")
    .replace(/(?<!\\)\[([^[\]]*)\]?$/, (found, words: string) =>
      /^[\d,\s]+\]$/.test(found.slice(1)) ? found : words,
    )
    .replace(/\\$/, "");
  // What stands in code or in an address is no emphasis.
  const masked = text.replace(/(`+)[\s\S]*?\1|\]\([^)]{0,2047}\)|https?:\/\/\S+/g, (found) =>
    "x".repeat(found.length),
  );
  const open: string[] = [];
  let end = text.length;
  for (const { 0: mark, index } of masked.matchAll(/(?<!\\)(?:\*{1,3}|_{1,3}|~{1,2})/g)) {
    const before = masked[index - 1] ?? " ";
    const after = masked[index + mark.length] ?? "";
    const isWithinWord = mark.startsWith("_") && /\w/.test(before) && /\w/.test(after);
    const known = open.lastIndexOf(mark);
    if (isWithinWord) continue;
    if (/\S/.test(before) && known >= 0) open.splice(known);
    else if (after === "") end = index;
    else if (/\S/.test(after)) open.push(mark);
  }
  return { text: text.slice(0, end), closers: open.reverse().join("") };
}
