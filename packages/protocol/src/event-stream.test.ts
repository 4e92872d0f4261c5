import fc from "fast-check";
import { expect, test } from "vitest";
import { createEventStreamDecoder, encodeEvent, parseEventId, type StreamEvent } from "./index.ts";

const anEvent = fc.record({
  id: fc.constantFrom("", "run_1:0", "run_1:17"),
  data: fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\r", "")),
});

function decodeInPieces(bytes: Uint8Array, size: number): StreamEvent[] {
  const decoder = createEventStreamDecoder();
  const events: StreamEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    events.push(...decoder.push(bytes.subarray(at, at + size)));
  }
  return events;
}

test("events survive the trip however the network cuts the bytes", () => {
  fc.assert(
    fc.property(fc.array(anEvent), fc.integer({ min: 1, max: 9 }), (events, size) => {
      const bytes = new TextEncoder().encode(events.map(encodeEvent).join(": hb\n\n"));
      expect(decodeInPieces(bytes, size)).toEqual(events);
    }),
  );
});

test("all three line endings of the specification end a line", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const bytes = new TextEncoder().encode(`id: r:1${end}data: a${end}data: b${end}${end}x`);
    for (const size of [1, 2, 100]) {
      expect(decodeInPieces(bytes, size)).toEqual([{ id: "r:1", data: "a\nb" }]);
    }
  }
});

test("an event that the end of the body cuts off is never given", () => {
  const whole = new TextEncoder().encode(encodeEvent({ id: "r:0", data: '{"type":"finish"}' }));
  for (let length = 0; length < whole.length; length += 1) {
    expect(decodeInPieces(whole.subarray(0, length), 3)).toEqual([]);
  }
});

test("an event id names a run and a place in it, or nothing", () => {
  expect(parseEventId("run_abc:12")).toEqual({ runId: "run_abc", seq: 12 });
  for (const id of ["", "run", ":1", "a:b", "a:1:2", "a b:1"]) {
    expect(parseEventId(id)).toBeUndefined();
  }
});
