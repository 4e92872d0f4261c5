import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLineBuffer } from "./line-buffer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open() {
  const writes: string[] = [];
  const to = new Writable({
    write(piece, _encoding, done) {
      writes.push(String(piece));
      done();
    },
  });
  return { writes, lines: createLineBuffer(to, 20) };
}

test("lines of a while are one write, in their order, and a closed buffer holds nothing back", () => {
  const { writes, lines } = open();
  lines.write("a\n");
  vi.advanceTimersByTime(19);
  lines.write("b\n");
  expect(writes).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(writes).toEqual(["a\nb\n"]);
  lines.write("c\n");
  lines.close();
  lines.write("d\n");
  expect(writes).toEqual(["a\nb\n", "c\n", "d\n"]);
});

test("a warning or an error goes out at once, with all that came before it", () => {
  const { writes, lines } = open();
  lines.write('{"level":30,"msg":"a"}\n');
  expect(writes).toEqual([]);
  lines.write('{"level":50,"msg":"b"}\n');
  expect(writes).toEqual(['{"level":30,"msg":"a"}\n{"level":50,"msg":"b"}\n']);
  lines.write('{"level":40,"msg":"c"}\n');
  expect(writes).toHaveLength(2);
  vi.advanceTimersByTime(100);
  expect(writes).toHaveLength(2);
});

test("what is held does not grow without end", () => {
  const { writes, lines } = open();
  for (let line = 0; line < 1_000; line += 1) lines.write(`${"x".repeat(99)}\n`);
  expect(writes).toHaveLength(1);
  expect(writes[0]?.length).toBeLessThan(66_000);
  lines.close();
  expect(writes.join("")).toHaveLength(100_000);
});
