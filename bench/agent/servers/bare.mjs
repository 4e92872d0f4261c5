// What node:http alone takes for the same frames: made beforehand, written as the model would.
import { createServer } from "node:http";
import { listen } from "../../server/servers/answer.mjs";

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
  "x-vercel-ai-ui-message-stream": "v1",
};
let release = () => undefined;
const released = new Promise((resolve) => {
  release = resolve;
});
process.on("message", (message) => {
  if (message === "release") release();
});

const frame = (data) => `id: run_0000000000000000000000:12\ndata: ${JSON.stringify(data)}\n\n`;

listen(
  createServer(async (request, response) => {
    const pieces = await request.toArray();
    const { messages } = JSON.parse(Buffer.concat(pieces).toString());
    const { deltas, delta, pace, stamps } = JSON.parse(messages.at(-1).parts[0].text);
    const text = frame({ type: "text-delta", id: "00000000-1", delta });
    response.writeHead(200, headers);
    response.write(
      frame({ type: "start", messageId: "msg_0000000000000000000000" }) +
        frame({ type: "start-step" }) +
        frame({ type: "text-start", id: "00000000-1" }),
    );
    for (let at = 0; at < deltas; at += 1) {
      if (pace === "turn" && at > 0) await new Promise(setImmediate);
      if (pace === "hold" && at > 0) await released;
      const now = process.hrtime.bigint();
      response.write(
        stamps && at === 0
          ? frame({ type: "text-delta", id: "00000000-1", delta: `${now} ${now} ` })
          : text,
      );
    }
    response.end(`${frame({ type: "finish", finishReason: "stop" })}data: [DONE]\n\n`);
  }),
);
