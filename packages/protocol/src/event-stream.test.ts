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

/** Lines that mean nothing, as other servers and proxies send them between and inside events. */
const someNoise = fc.constantFrom(
  ": hb",
  ":",
  ": data: no",
  "retry: 3000",
  "event: message",
  "other",
);

/** What a stream may look like: its ends of lines, a mark at its start, noise anywhere. */
const someStream = fc.record({
  events: fc.array(fc.record({ event: anEvent, noise: fc.array(someNoise, { maxLength: 2 }) }), {
    maxLength: 6,
  }),
  end: fc.constantFrom("\n", "\r\n", "\r"),
  mark: fc.constantFrom("", "\uFEFF"),
  cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
  isSpaced: fc.boolean(),
});

test("whatever ends its lines, stands between them, and wherever its bytes are cut, a stream gives its events, each as soon as it is whole", () => {
  fc.assert(
    fc.property(someStream, ({ events, end, mark, cuts, isSpaced }) => {
      const space = isSpaced ? " " : "";
      const texts = events.map(({ event: { id, data }, noise }) => {
        // Without the space, one at the start of a text would be taken for it.
        const lines = data
          .split("\n")
          .map((line) => `data:${line.startsWith(" ") ? " " : space}${line}`);
        const named = id === "" ? lines : [`id:${space}${id}`, ...lines];
        return [...noise, ...named, ...noise, "", ""]
          .slice(0, -1)
          .map((line) => line + end)
          .join("");
      });
      const bytes = new TextEncoder().encode(mark + texts.join(""));
      const expected = events.map(({ event }) => event);
      const places = [...new Set(cuts.map((at) => Math.min(at, bytes.length)))].sort(
        (a, b) => a - b,
      );
      const decoder = createEventStreamDecoder();
      const got = [0, ...places].flatMap((at, piece) =>
        decoder.push(bytes.subarray(at, [...places, bytes.length][piece])),
      );
      expect(got).toEqual(expected);
      // Cut short, it gives the events that are whole and nothing of the next.
      const shortened = createEventStreamDecoder().push(bytes.subarray(0, places.at(-1) ?? 0));
      expect(shortened).toEqual(expected.slice(0, shortened.length));
      for (const size of [1, 2, 7]) expect(decodeInPieces(bytes, size)).toEqual(expected);
    }),
  );
});
