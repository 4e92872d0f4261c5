import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createLineBuffer } from "./line-buffer.ts";

test("lines of one turn are one write, in their order, and a closed buffer holds nothing back", async () => {
  const writes: string[] = [];
  const to = new Writable({
    write(piece, _encoding, done) {
      writes.push(String(piece));
      done();
    },
  });
  const lines = createLineBuffer(to);
  lines.write("a\n");
  lines.write("b\n");
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(["a\nb\n"]);
  lines.write("c\n");
  lines.close();
  lines.write("d\n");
  expect(writes).toEqual(["a\nb\n", "c\n", "d\n"]);
});
