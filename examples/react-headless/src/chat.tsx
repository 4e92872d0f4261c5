import { type ConversationMessage, useAgentChat } from "@valet/agent-react";
import type { FormEvent } from "react";

/** A chat of one's own: everything it shows and does comes from one hook. */
export function Chat() {
  const { messages, status, isStreaming, inputValue, setInputValue, ...chat } = useAgentChat();
  const last = messages.at(-1);

  function ask(event: FormEvent): void {
    event.preventDefault();
    void chat.sendMessage();
  }

  return (
    <main>
      <h1>Terminal</h1>
      <ol aria-label="Conversation">
        {messages.map((message) => (
          <li key={message.id} className={message.role}>
            <Message message={message} />
            {message === last && message.isError && message.retryable !== false ? (
              <button type="button" onClick={() => void chat.retry()}>
                Try again
              </button>
            ) : null}
          </li>
        ))}
      </ol>
      <p role="status">{isStreaming ? `${status} …` : ""}</p>
      <form onSubmit={ask}>
        <label htmlFor="question">&gt;</label>
        <input
          id="question"
          aria-label="Question"
          autoComplete="off"
          value={inputValue}
          onChange={(event) => setInputValue(event.target.value)}
        />
        {isStreaming ? (
          <button type="button" onClick={chat.stopGeneration}>
            Stop
          </button>
        ) : null}
      </form>
    </main>
  );
}

/** Text stays text: what a model writes is not trusted with HTML. */
function Message({ message }: { readonly message: ConversationMessage }) {
  const { approveToolCall, rejectToolCall } = useAgentChat();
  const { role, content, blocks = [{ type: "text", content } as const], sources = [] } = message;
  const cited = sources.filter((source) => source.cited);
  if (role === "user") return <p>&gt; {content}</p>;
  return (
    <>
      {blocks.map((block, at) =>
        block.type === "text" ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
          <p key={at}>{block.content}</p>
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: blocks are only ever added at the end.
          <ul key={at} aria-label="Tools">
            {block.toolCalls.map(({ id, name, displayName, status }) => (
              <li key={id}>
                {displayName ?? name}: {status}
                {status === "approval_requested" ? (
                  <>
                    <button type="button" onClick={() => approveToolCall(id)}>
                      Allow
                    </button>
                    <button type="button" onClick={() => rejectToolCall(id)}>
                      Deny
                    </button>
                  </>
                ) : null}
              </li>
            ))}
          </ul>
        ),
      )}
      {cited.length > 0 && !message.isStreaming ? (
        <ul aria-label="Sources">
          {cited.map((source) => (
            <li key={source.id}>
              [{source.number}] {source.title}, {source.headingPath.at(-1)}
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}
