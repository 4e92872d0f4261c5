/**
 * One server-sent event as Valet uses it: an id and JSON text.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export interface StreamEvent {
  /** `<runId>:<seq>`. Empty for the closing `[DONE]`. */
  readonly id: string;
  /** The data lines, joined by line feeds. */
  readonly data: string;
}

/** The data of the last event of every stream. */
export const doneData = "[DONE]";

/** A comment line that keeps proxies from closing a silent stream. */
export const heartbeat = ": hb\n\n";

/** The text of one event, ready for the wire. `data` may hold line feeds. */
export function encodeEvent({ id, data }: StreamEvent): string {
  const idLine = id === "" ? "" : `id: ${id}\n`;
  return `${idLine}data: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
}

/** Splits an id into the run and the place in it; `undefined` for any other text. */
export function parseEventId(id: string): { runId: string; seq: number } | undefined {
  const match = /^([A-Za-z0-9_-]{1,64}):(\d{1,9})$/.exec(id);
  if (!match?.[1] || !match[2]) return undefined;
  return { runId: match[1], seq: Number(match[2]) };
}

/** Takes pieces of a stream as they come off the network and gives the events they complete. */
export interface EventStreamDecoder {
  /** Events completed by this piece. Pieces may end anywhere, even inside a character. */
  push(bytes: Uint8Array): StreamEvent[];
}

/**
 * Creates the decoder of one stream. An event that the end of the body cuts off is never given:
 * half a frame is no frame.
 */
export function createEventStreamDecoder(): EventStreamDecoder {
  const decoder = new TextDecoder();
  let rest = "";
  let id = "";
  let data: string[] = [];
  let atStart = true;
  /** A carriage return ended the last line: a line feed that follows it belongs to that end. */
  let isAfterReturn = false;

  function takeLine(line: string): StreamEvent | undefined {
    if (line === "") {
      const event = data.length > 0 ? { id, data: data.join("\n") } : undefined;
      data = [];
      id = "";
      return event;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? "" : line.slice(colon + 1);
    const value = raw.startsWith(" ") ? raw.slice(1) : raw;
    if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    return undefined;
  }

  return {
    push(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      if (atStart && rest !== "") {
        if (rest.startsWith("\uFEFF")) rest = rest.slice(1);
        atStart = false;
      }
      const events: StreamEvent[] = [];
      for (;;) {
        if (isAfterReturn && rest !== "") {
          if (rest.startsWith("\n")) rest = rest.slice(1);
          isAfterReturn = false;
        }
        const end = rest.search(/[\r\n]/);
        if (end < 0) break;
        isAfterReturn = rest[end] === "\r";
        const event = takeLine(rest.slice(0, end));
        rest = rest.slice(end + 1);
        if (event) events.push(event);
      }
      return events;
    },
  };
}
