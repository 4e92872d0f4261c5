import { isTerminal, type StreamPart } from "@valet/protocol";
import { expect, test } from "vitest";
import { createRun, type Run } from "./run.ts";
import { RunFailure, RunStopped } from "./run-ending.ts";

function someRun(more: { readonly maxLogBytes?: number; readonly onEnd?: () => void } = {}): Run {
  return createRun({
    id: "run_1",
    threadId: "thr_1",
    sid: "ses_1",
    key: undefined,
    maxRunMs: 60_000,
    maxLogBytes: 10_000,
    onEnd: () => undefined,
    ...more,
  });
}

function partsOf(run: Run): StreamPart[] {
  return Array.from({ length: run.length }, (_, seq) => {
    const data = /^data: (.*)$/m.exec(Buffer.from(run.frame(seq)).toString())?.[1] ?? "";
    return JSON.parse(data) as StreamPart;
  });
}

test("a run ends once, and nothing follows its end", () => {
  let ends = 0;
  const run = someRun({
    onEnd: () => {
      ends += 1;
    },
  });
  run.push({ type: "start-step" });
  run.end({ kind: "stopped" }, [{ type: "abort" }]);
  run.end({ kind: "finished", finishReason: "stop" }, [{ type: "finish", finishReason: "stop" }]);
  run.push({ type: "finish-step" });
  expect(partsOf(run).filter(isTerminal)).toEqual([{ type: "abort" }]);
  expect(run.length).toBe(2);
  expect(run.ending).toEqual({ kind: "stopped" });
  expect(ends).toBe(1);
});

test("the first reason to end is the one that counts", () => {
  const run = someRun();
  run.abort(new RunStopped());
  run.abort(new RunFailure("token_revoked"));
  expect(run.signal.reason).toBeInstanceOf(RunStopped);
  run.end({ kind: "stopped" }, []);
});

test("a log that grows beyond its bound aborts the run at its limit", () => {
  const run = someRun({ maxLogBytes: 200 });
  run.push({ type: "text-delta", id: "t", delta: "x".repeat(300) });
  expect(run.signal.reason).toMatchObject({ code: "run_limit" });
  run.end({ kind: "stopped" }, []);
});
