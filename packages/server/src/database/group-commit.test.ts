import { expect, test } from "vitest";
import { createGroupCommit } from "./group-commit.ts";

/** A store whose writes end when the test says so. */
function startStore() {
  const groups: string[][] = [];
  const ends: ((problems: readonly (Error | undefined)[] | Error) => void)[] = [];
  const write = (rows: readonly string[]) => {
    groups.push([...rows]);
    return new Promise<readonly (Error | undefined)[]>((resolve, reject) => {
      ends.push((result) => (result instanceof Error ? reject(result) : resolve(result)));
    });
  };
  /** Lets turns of the event loop pass until a group is being written. */
  const untilWriting = async (count: number) => {
    while (groups.length < count) await new Promise((resolve) => setImmediate(resolve));
  };
  return { groups, ends, write, untilWriting };
}

test("rows of one turn are one group, in their order, and nobody is told before it is durable", async () => {
  const { groups, ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write);
  const told: string[] = [];
  const adds = ["a", "b", "c"].map((row) => commits.add(row).then(() => told.push(row)));
  await untilWriting(1);
  expect(groups).toEqual([["a", "b", "c"]]);
  expect(told).toEqual([]);
  ends[0]?.([]);
  await Promise.all(adds);
  expect(told).toEqual(["a", "b", "c"]);
});

test("rows that come during a write wait for it, and a group has no more than it may", async () => {
  const { groups, ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write, { maxRows: 3 });
  const adds = [commits.add("a")];
  await untilWriting(1);
  for (const row of ["b", "c", "d", "e"]) adds.push(commits.add(row));
  await new Promise((resolve) => setImmediate(resolve));
  expect(groups).toEqual([["a"]]);
  ends[0]?.([]);
  await untilWriting(2);
  ends[1]?.([]);
  await untilWriting(3);
  ends[2]?.([]);
  await Promise.all(adds);
  expect(groups).toEqual([["a"], ["b", "c", "d"], ["e"]]);
});

test("a row that cannot be written fails alone, with its own reason", async () => {
  const { ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write);
  const adds = ["a", "b", "c"].map((row) => commits.add(row));
  const results = Promise.allSettled(adds);
  await untilWriting(1);
  const reason = new Error("taken");
  ends[0]?.([undefined, reason]);
  expect((await results).map(({ status }) => status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  await expect(adds[1]).rejects.toBe(reason);
});

test("a commit that fails is told to all of its group and to no other", async () => {
  const { ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write, { maxRows: 2 });
  const adds = ["a", "b", "c"].map((row) => commits.add(row));
  const results = Promise.allSettled(adds);
  await untilWriting(1);
  const cause = new Error("disk is full");
  ends[0]?.(cause);
  await untilWriting(2);
  ends[1]?.([]);
  expect((await results).map(({ status }) => status)).toEqual([
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  await expect(adds[0]).rejects.toBe(cause);
  await expect(adds[1]).rejects.toBe(cause);
});

test("a flush ends when all that was added is durable, what came during the write included", async () => {
  const { groups, ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write);
  await commits.flush();
  let isFlushed = false;
  const first = commits.add("a");
  const flushed = commits.flush().then(() => {
    isFlushed = true;
  });
  await untilWriting(1);
  const second = commits.add("b");
  ends[0]?.([]);
  await first;
  await untilWriting(2);
  expect(isFlushed).toBe(false);
  ends[1]?.([]);
  await Promise.all([second, flushed]);
  expect(groups).toEqual([["a"], ["b"]]);
});

test("where several rows come at a time, the next group waits for more of them", async () => {
  const { groups, ends, write, untilWriting } = startStore();
  const commits = createGroupCommit(write, { maxWaitMs: 50 });
  const adds = [commits.add("a"), commits.add("b")];
  await untilWriting(1);
  ends[0]?.([]);
  await Promise.all(adds);
  adds.push(commits.add("c"));
  // Two turns later: without waiting, the first of these two groups would have been written.
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  adds.push(commits.add("d"));
  await untilWriting(2);
  ends[1]?.([]);
  await Promise.all(adds);
  expect(groups).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
});
