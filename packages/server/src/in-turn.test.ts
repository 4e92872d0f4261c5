import { expect, test } from "vitest";
import { createInTurn } from "./in-turn.ts";

const turns = async (count: number) => {
  for (let at = 0; at < count; at += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("work of one name never overlaps and keeps its order; work of another name does not wait", async () => {
  const inTurn = createInTurn();
  const seen: string[] = [];
  const work = (name: string, label: string, steps: number) =>
    inTurn(name, async () => {
      seen.push(`+${label}`);
      await turns(steps);
      seen.push(`-${label}`);
      return label;
    });
  const results = await Promise.all([work("a", "1", 9), work("a", "2", 0), work("b", "3", 1)]);
  expect(results).toEqual(["1", "2", "3"]);
  expect(seen).toEqual(["+1", "+3", "-3", "-1", "+2", "-2"]);
});

test("work that fails tells its own caller, and the next is done all the same", async () => {
  const inTurn = createInTurn();
  const failing = inTurn("a", () => Promise.reject(new Error("disk full")));
  const next = inTurn("a", async () => "done");
  await expect(failing).rejects.toThrow("disk full");
  expect(await next).toBe("done");
});
