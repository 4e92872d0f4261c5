import { expect, test } from "vitest";
import { Agent } from "./agent.ts";
import type { AgentSnapshot } from "./agent-snapshot.ts";
import { scriptedAgentServer } from "./test-kit/index.ts";

/** Frames are painted when the test says so; other timers run. */
function stepFrames() {
  let painting: (() => void)[] = [];
  return {
    timers: {
      set: (callback: () => void, delayMs: number) => {
        if (delayMs !== 16) return setTimeout(callback, delayMs);
        painting.push(callback);
        return callback;
      },
      clear: (timer: unknown) => {
        if (typeof timer === "function") painting = painting.filter((one) => one !== timer);
        else clearTimeout(timer as number);
      },
    },
    /** Paints. Gives how many callbacks had waited for it. */
    paint(): number {
      const waiting = painting;
      painting = [];
      for (const callback of waiting) callback();
      return waiting.length;
    },
  };
}

test("2,000 pieces of text are published once a frame, and what did not change stays the same object", async () => {
  const frames = stepFrames();
  const pieces = Array.from({ length: 2_000 }, (_, at) => `${at} `);
  const published: AgentSnapshot[] = [];
  const perPaint: number[] = [];
  let written = 0;
  const server = scriptedAgentServer(
    { text: "Before." },
    { text: "Looking.", calls: [{ name: "look" }] },
    {
      text: pieces,
      beforePiece: async () => {
        written += 1;
        if (written % 100 !== 0) return;
        const before = published.length;
        expect(frames.paint()).toBeLessThanOrEqual(1);
        perPaint.push(published.length - before);
      },
    },
  );
  const agent = new Agent({
    ...server.options,
    sessionTokens: { timers: frames.timers },
    tools: [{ name: "look", description: "Looks.", parameters: {}, execute: () => ({ a: 1 }) }],
  });
  await agent.sendMessage("first");
  const sent = agent.sendMessage("second");
  agent.subscribe(() => void published.push(agent.getSnapshot()));
  await sent;

  expect(agent.getMessages().at(-1)?.content).toBe(`Looking.\n\n${pieces.join("")}`);
  // Nothing but the frame publishes while text comes, and each frame does so once.
  expect(perPaint).toEqual(Array.from({ length: 19 }, () => 1));
  const whileTextCame = published.filter(({ messages }) => messages[3]?.blocks?.length === 3);
  expect(whileTextCame.length).toBeLessThan(19 + 5);
  for (const [at, { messages }] of whileTextCame.entries()) {
    const before = whileTextCame[at - 1]?.messages ?? messages;
    // Messages, and blocks of the message itself, that the text does not touch.
    for (const still of [0, 1, 2]) expect(messages[still]).toBe(before[still]);
    expect(messages[3]?.blocks?.[0]).toBe(before[3]?.blocks?.[0]);
    expect(messages[3]?.blocks?.[1]).toBe(before[3]?.blocks?.[1]);
  }
  expect(new Set(published).size).toBe(published.length);
  expect(new Set(whileTextCame.map(({ messages }) => messages[3])).size).toBeGreaterThan(19);
  agent.dispose();
});

test("what was handed out is never written to: a snapshot reads the same for ever", async () => {
  const frames = stepFrames();
  const handedOut: [AgentSnapshot, string][] = [];
  const server = scriptedAgentServer(
    { text: ["One", " two"], calls: [{ name: "look" }] },
    { text: ["Three", " four"], beforePiece: async () => void frames.paint() },
  );
  const agent = new Agent({
    ...server.options,
    sessionTokens: { timers: frames.timers },
    tools: [{ name: "look", description: "Looks.", parameters: {}, execute: () => ({ a: 1 }) }],
  });
  agent.subscribe(() => {
    const snapshot = agent.getSnapshot();
    handedOut.push([snapshot, JSON.stringify(snapshot)]);
  });
  await agent.sendMessage("a");
  expect(handedOut.length).toBeGreaterThan(5);
  for (const [snapshot, text] of handedOut) expect(JSON.stringify(snapshot)).toBe(text);
  agent.dispose();
});
