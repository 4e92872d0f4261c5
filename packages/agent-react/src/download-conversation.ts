import type { ConversationMessage } from "@valet/agent-core";
import type { Labels } from "./translation.ts";

/** A conversation as a Markdown document: who said what, and on what it rests. */
export function conversationToMarkdown(
  messages: readonly ConversationMessage[],
  labels: Pick<Labels, "you" | "assistant" | "sourcesCited">,
): string {
  const parts = messages.map((message) => {
    const heading = `## ${message.role === "user" ? labels.you : labels.assistant}`;
    const cited = (message.sources ?? []).filter((source) => source.cited);
    const sources = cited.map(
      ({ number, title, sourceUrl }) => `- [${number}] ${oneLine(title)}: ${oneLine(sourceUrl)}`,
    );
    return [
      heading,
      message.content,
      ...(sources.length > 0 ? [`${labels.sourcesCited}:`, sources.join("\n")] : []),
    ].join("\n\n");
  });
  return `${parts.join("\n\n")}\n`;
}

/** Hands a conversation to the person as a file. Nothing leaves the browser. */
export function downloadConversation(
  messages: readonly ConversationMessage[],
  labels: Labels,
): void {
  const text = conversationToMarkdown(messages, labels);
  const url = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "conversation.md";
  link.click();
  // The browser has taken the file over by the next task.
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
