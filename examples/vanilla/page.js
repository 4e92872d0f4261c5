// A chat on the Agent class: it keeps the conversation and the session, and this file draws them.
import { config } from "/config.js";

const { Agent, createToolHelper, sessionEndpoint } = await import(`${config.apiUrl}/sdk/valet.js`);
const tool = createToolHelper();
const find = (id) => document.getElementById(id);

const agent = new Agent({
  projectId: config.projectId,
  integrationId: config.integrationId,
  getSessionToken: sessionEndpoint("/api/session"),
  tools: [
    tool({
      name: "change_title",
      displayName: "Change the title of the page",
      description: "Changes the title that stands above the conversation.",
      parameters: {
        type: "object",
        properties: { title: { type: "string" } },
        required: ["title"],
      },
      needsApproval: true,
      execute: ({ title }) => {
        document.querySelector("h1").textContent = title;
        return { changed: true };
      },
    }),
  ],
});

const statusTexts = {
  connecting: "Starting a session …",
  searching: "Searching the documentation …",
  thinking: "Thinking …",
  tool: "Working in the page …",
  reconnecting: "The connection was lost. Reconnecting …",
  "awaiting-approval": "Waiting for your decision.",
};

/** Draws what changed. A message that is the same object as before looks as before. */
const drawn = new Map();
function draw() {
  const { messages, status, isStreaming } = agent.getSnapshot();
  find("messages").replaceChildren(
    ...messages.map((message) => {
      const known = drawn.get(message.id);
      if (known?.message === message) return known.item;
      const item = drawMessage(message);
      drawn.set(message.id, { message, item });
      return item;
    }),
  );
  find("status").textContent = statusTexts[status] ?? "";
  find("stop").hidden = !isStreaming;
}

/** Text only ever becomes text: what a model writes is not trusted with HTML. */
function drawMessage(message) {
  const item = element("li", { className: message.isError ? "error" : message.role });
  for (const block of message.blocks ?? [{ type: "text", content: message.content }]) {
    if (block.type === "text") {
      item.append(element("p", { className: "text", textContent: block.content }));
    } else item.append(...block.toolCalls.map(drawToolCall));
  }
  const cited = (message.sources ?? []).filter((source) => source.cited);
  if (cited.length > 0 && !message.isStreaming) {
    const list = element("ul");
    list.setAttribute("aria-label", "Sources");
    list.append(...cited.map(drawSource));
    item.append(list);
  }
  return item;
}

function drawToolCall({ id, displayName, name, status, arguments: input }) {
  const part = element("p", { textContent: `${displayName ?? name}: ${status}` });
  if (status === "approval_requested") {
    const yes = element("button", { type: "button", textContent: "Allow" });
    const no = element("button", { type: "button", textContent: "Deny" });
    yes.addEventListener("click", () => agent.approveToolCall(id));
    no.addEventListener("click", () => agent.rejectToolCall(id));
    part.append(element("code", { textContent: ` ${JSON.stringify(input)} ` }), yes, no);
  }
  return part;
}

function drawSource(source) {
  const line = element("li");
  const open = element("button", {
    type: "button",
    textContent: `[${source.number}] ${source.headingPath.at(-1) ?? source.title}`,
  });
  // A page of the Valet server opens with a ticket, which the agent fetches.
  open.addEventListener("click", async () => {
    const tab = window.open("about:blank", "_blank");
    const url = await agent.sourceUrl(source.sourceUrl);
    if (tab) tab.opener = null;
    tab?.location.replace(url);
  });
  line.append(open);
  return line;
}

function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

find("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void agent.sendMessage(find("question").value);
  find("ask").reset();
});
find("stop").addEventListener("click", () => agent.stopGeneration());
agent.subscribe(draw);
