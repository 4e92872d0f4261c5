import { encodeEvent, type StreamPart } from "@valet/protocol";
import { expect, test } from "vitest";
import { AgentError } from "./agent-error.ts";
import { followRun, runIsGone } from "./run-stream.ts";
import type { Transport, TransportRequest } from "./transport.ts";

const frames: readonly StreamPart[] = [
  { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", delta: "One." },
  { type: "text-end", id: "t" },
  { type: "finish", finishReason: "stop" },
];
const bytesOf = (from: number, to: number): Uint8Array =>
  new TextEncoder().encode(
    frames
      .slice(from, to)
      .map((part, at) => encodeEvent({ id: `run_1:${from + at}`, data: JSON.stringify(part) }))
      .join(""),
  );

/** A body of some frames that then ends, or says nothing more. */
function answer(from: number, to: number, then: "ends" | "is silent" = "ends"): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (to > from) controller.enqueue(bytesOf(from, to));
      if (then === "ends") controller.close();
    },
  });
  return new Response(body, { headers: { "x-thread-id": "thr_1", "x-run-id": "run_1" } });
}

/** What a request is met with: an answer, a failure, or nothing at all. */
type Reply = Response | Error | "no answer";

/** Follows a run whose requests are met in this order, over timers that fire when told. */
function follow(first: readonly Reply[], later: readonly Reply[] = []) {
  const replies = { open: [...first], attach: [...later] };
  const waits: number[] = [];
  const timers = new Map<number, { fire: () => void; delayMs: number }>();
  const asked: string[] = [];
  let made = 0;
  const meet = (reply: Reply | undefined, { signal, onSend }: Partial<TransportRequest>) => {
    onSend?.();
    if (reply instanceof Error) return Promise.reject(reply);
    if (reply instanceof Response) return Promise.resolve(reply);
    return new Promise<Response>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  };
  const transport: Transport = {
    send(path, { headers = {}, ...request } = {}) {
      asked.push(`${path} ${headers["last-event-id"]}`);
      return meet(replies.attach.shift(), request);
    },
    resolve: (url) => url,
  };
  const stop = new AbortController();
  const reconnecting: boolean[] = [];
  const run = followRun({
    transport,
    open(request) {
      asked.push("open");
      return meet(replies.open.shift(), request);
    },
    onOpen: () => undefined,
    signal: stop.signal,
    timers: {
      set(fire, delayMs) {
        made += 1;
        timers.set(made, { fire, delayMs });
        // Waits between attempts are over at once; silence is broken by the test alone.
        if (delayMs < 30_000) {
          waits.push(delayMs);
          queueMicrotask(fire);
        }
        return made;
      },
      clear: (timer) => void timers.delete(timer as number),
    },
    random: () => 0.5,
    onReconnecting: (is) => void reconnecting.push(is),
  });
  const read = async (): Promise<StreamPart[]> => {
    const got: StreamPart[] = [];
    for await (const part of run) got.push(part);
    return got;
  };
  /** Lets half a minute pass in which nothing comes. */
  const passSilence = (): void => {
    for (const { fire, delayMs } of [...timers.values()]) if (delayMs === 30_000) fire();
  };
  return { read, waits, asked, stop, reconnecting, passSilence, timers };
}

const lost = () => new AgentError("network_error", "Lost.", { retryable: true });

test("five attempts are made, after 0.5, 1, 2, 4 and 5 seconds, and then it is given up in words", async () => {
  const { read, waits, asked } = follow([answer(0, 2)], Array.from({ length: 5 }, lost));
  await expect(read()).rejects.toMatchObject({ code: "stream_interrupted", retryable: true });
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000]);
  expect(asked.slice(1)).toEqual(Array(5).fill("/chat/thr_1/stream/ run_1:1"));
});

test("frames that were seen are dropped, and every new one makes the attempts five again", async () => {
  const { read, waits, reconnecting } = follow(
    [answer(0, 1)],
    [lost(), answer(0, 2), answer(1, 2), answer(2, 3), answer(0, 5)],
  );
  expect(await read()).toEqual(frames);
  expect(waits).toEqual([500, 1_000, 500, 1_000, 500]);
  expect(reconnecting).toEqual([true, true, false, true, false, true, false, true, false]);
});

test("before the first frame the request itself is sent again, and a refusal of it is told at once", async () => {
  const again = follow([lost(), answer(0, 0), answer(0, 5)]);
  expect(await again.read()).toEqual(frames);
  expect(again.asked).toEqual(["open", "open", "open"]);
  const refused = follow([new AgentError("unavailable", "No.", { retryable: true })]);
  await expect(refused.read()).rejects.toMatchObject({ code: "unavailable" });
  expect(refused.waits).toEqual([]);
  const down = follow(Array.from({ length: 6 }, lost));
  await expect(down.read()).rejects.toMatchObject({ code: "network_error" });
  expect(down.asked).toHaveLength(6);
});

test("half a minute without a byte is a lost connection, in the answer and before it", async () => {
  const { read, passSilence, asked } = follow(
    ["no answer", answer(0, 3, "is silent")],
    [answer(3, 5)],
  );
  const whole = read();
  await expect.poll(() => asked.length).toBe(1);
  passSilence();
  await expect.poll(() => asked.length).toBe(2);
  await new Promise((resolve) => setImmediate(resolve));
  passSilence();
  expect(await whole).toEqual(frames);
});

test("what the server asks to be left alone for is waited out, for half a minute at the most", async () => {
  const busy = (retryAfterMs: number) =>
    new AgentError("rate_limited", "Later.", { retryable: true, retryAfterMs });
  const { read, waits } = follow([answer(0, 1)], [busy(7_000), answer(1, 5)]);
  expect(await read()).toEqual(frames);
  expect(waits).toEqual([500, 7_000]);
});

test("a run that the server has forgotten is told apart from one that cannot be reached", async () => {
  const { read } = follow([answer(0, 2)], [new Response(null, { status: 204 })]);
  await expect(read()).rejects.toBe(runIsGone);
});

test("a page that comes back tries again at once, with all its attempts", async () => {
  const page = new EventTarget();
  const names = ["document", "addEventListener"] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  Object.assign(globalThis, {
    document: { visibilityState: "visible" },
    addEventListener: page.addEventListener.bind(page),
  });
  try {
    const { createReconnection } = await import("./reconnection.ts");
    const set: number[] = [];
    const reconnection = createReconnection({
      timers: { set: (_, delayMs) => set.push(delayMs), clear: () => undefined },
      random: () => 0.5,
    });
    for (const event of ["online", "visibilitychange", "pageshow"]) {
      const next = reconnection.next(new AbortController().signal);
      page.dispatchEvent(new Event(event));
      expect(await next).toBe(true);
    }
    expect(set).toEqual([500, 500, 500]);
  } finally {
    for (const [at, name] of names.entries()) {
      const descriptor = before[at];
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
});

test("whoever stops waits for nothing more, and leaves no timer behind", async () => {
  const { read, stop, asked, timers } = follow([answer(0, 2, "is silent")]);
  const whole = read();
  await expect.poll(() => asked.length).toBe(1);
  stop.abort("stopped");
  await expect(whole).rejects.toBe("stopped");
  expect([...timers.values()].filter(({ delayMs }) => delayMs === 30_000)).toEqual([]);
});
