// A model that does what the question says, in JSON: how many deltas, how long, and when. The same
// object stands behind every server that is measured.

let release = () => undefined;
const released = new Promise((resolve) => {
  release = resolve;
});
process.on("message", (message) => {
  if (message === "release") release();
});

/**
 * @typedef {object} Order
 * @property {number} deltas How many.
 * @property {string} delta The text of each.
 * @property {"turn" | "burst" | "hold"} pace One delta in a turn of the event loop, as tokens come
 *   off a network; all at once; or one, and the rest when the process is told `release`.
 * @property {boolean} [stamps] Whether the first delta says when the model was asked, and when it
 *   spoke, in nanoseconds of the machine's monotonic clock.
 */

/** A language model of the AI SDK's specification 3. */
export function createScriptedModel() {
  return {
    specificationVersion: "v3",
    provider: "scripted",
    modelId: "scripted-1",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("Not used here.")),
    async doStream({ prompt }) {
      const askedNs = process.hrtime.bigint();
      const order = readOrder(prompt);
      return { stream: toStream(say(order, askedNs), order.pace) };
    },
  };
}

/** @returns {Order} */
function readOrder(prompt) {
  const question = prompt.findLast(({ role }) => role === "user");
  return JSON.parse(question.content.map(({ text = "" }) => text).join(""));
}

function* say({ deltas, delta, stamps = false }, askedNs) {
  yield { type: "text-start", id: "0" };
  for (let at = 0; at < deltas; at += 1) {
    const isFirst = at === 0 && stamps;
    yield {
      type: "text-delta",
      id: "0",
      delta: isFirst ? `${askedNs} ${process.hrtime.bigint()} ` : delta,
    };
  }
  yield { type: "text-end", id: "0" };
  yield {
    type: "finish",
    finishReason: { unified: "stop", raw: "stop" },
    usage: {
      inputTokens: { total: 10, noCache: 10, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: deltas, text: deltas, reasoning: 0 },
    },
  };
}

function toStream(parts, pace) {
  let said = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        if (pace === "turn" && said > 1) await new Promise(setImmediate);
        if (pace === "hold" && said > 1) await released;
        said += 1;
        const { done, value } = parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}
