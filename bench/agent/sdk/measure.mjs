// Processor time of a client for each delta of an answer, in a process of its own: everything from
// the body's bytes to the state that a page reads. Arguments: whose client, deltas, bytes of a
// delta, answers.
const [, , whose, ...numbers] = process.argv;
const [deltas, deltaBytes, answers] = numbers.map(Number);

const encoder = new TextEncoder();
const delta = "some more words ".repeat(Math.ceil(deltaBytes / 16)).slice(0, deltaBytes);
const frames = [
  { type: "start", messageId: "msg_1", messageMetadata: { threadId: "thr_1", runId: "run_1" } },
  { type: "start-step" },
  { type: "text-start", id: "t1" },
  ...Array.from({ length: deltas }, () => ({ type: "text-delta", id: "t1", delta })),
  { type: "text-end", id: "t1" },
  { type: "message-metadata", messageMetadata: { cited: [] } },
  { type: "finish-step" },
  { type: "finish", finishReason: "stop" },
].map((data, at) => encoder.encode(`id: run_1:${at}\ndata: ${JSON.stringify(data)}\n\n`));
frames.push(encoder.encode("data: [DONE]\n\n"));

/** One frame in a turn of the event loop, as they come off a network. */
async function answer() {
  let at = 0;
  const body = new ReadableStream(
    {
      async pull(controller) {
        await new Promise(setImmediate);
        controller.enqueue(frames[at]);
        at += 1;
        if (at === frames.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "x-thread-id": "thr_1", "x-run-id": "run_1" },
  });
}

/** Each gives the length of the text that a page would show, and how often it was told. */
const clients = {
  /** Reads the body and understands nothing: what the others pay for bytes to arrive. */
  async reader() {
    let bytes = 0;
    for await (const piece of (await answer()).body) bytes += piece.byteLength;
    return { length: bytes > 0 ? deltas * deltaBytes : 0, changes: 0 };
  },
  async valet() {
    const dist = new URL("../../../packages/agent-core/dist/index.js", import.meta.url);
    const { Agent } = await import(dist.href);
    const agent = new Agent({
      projectId: "prj_1",
      integrationId: "int_1",
      baseUrl: "https://valet.example.com",
      getSessionToken: () => ({ session_token: "t", expires_in: 3600 }),
      fetch: answer,
    });
    let changes = 0;
    agent.subscribe(() => {
      changes += 1;
    });
    await agent.sendMessage("Well?");
    const length = agent.getMessages().at(-1)?.content.length ?? 0;
    agent.dispose();
    return { length, changes };
  },
  async "ai-sdk"() {
    const { Chat } = await import("@ai-sdk/react");
    const { DefaultChatTransport } = await import("ai");
    const transport = new DefaultChatTransport({ api: "https://valet.example.com", fetch: answer });
    const chat = new Chat({ transport });
    let changes = 0;
    chat["~registerMessagesCallback"](() => {
      changes += 1;
    });
    await chat.sendMessage({ text: "Well?" });
    const texts = chat.messages.at(-1).parts.map(({ text = "" }) => text);
    return { length: texts.join("").length, changes };
  },
};

const one = async () => {
  const { length, changes } = await clients[whose]();
  if (length !== deltas * deltaBytes) throw new Error(`${whose} shows ${length} characters.`);
  return changes;
};
// Enough that the compiler has seen it.
for (let seen = 0; seen < 4_000; seen += deltas) await one();
const before = process.cpuUsage();
let changes = 0;
for (let at = 0; at < answers; at += 1) changes = await one();
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ us: (user + system) / (answers * deltas), changes }));
