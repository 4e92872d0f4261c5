// The AI SDK's own way from a model to the same stream, behind node:http: no sessions, no storage.
import { createServer } from "node:http";
import { convertToModelMessages, streamText } from "ai";
import { listen } from "../../server/servers/answer.mjs";
import { createScriptedModel } from "../scripted-model.mjs";

const model = createScriptedModel();

listen(
  createServer(async (request, response) => {
    const pieces = await request.toArray();
    const { messages } = JSON.parse(Buffer.concat(pieces).toString());
    const result = streamText({ model, messages: await convertToModelMessages(messages) });
    await result.pipeUIMessageStreamToResponse(response);
  }),
);
