import { z } from "zod";
import { chatRequest } from "../agent/chat-request.ts";
import { feedbackRequest, stopRequest } from "../agent/routes.ts";
import * as answers from "./answers.ts";
import type { Operation } from "./operation.ts";

const base = "/agent/v1/projects/{projectId}/agent";
const stream = {
  description: "The answer, as a stream of events: UI Message Stream, version 1.",
  type: "text/event-stream",
  headers: { "x-thread-id": "The conversation.", "x-run-id": "The run." },
};

/** What a page asks with its session token. */
export const agentOperations: readonly Operation[] = [
  {
    method: "get",
    path: `${base}/session/`,
    id: "getOwnSession",
    tag: "Agent",
    summary: "Ask what this token is",
    description: "Expiry, owner, limits. Never the token.",
    credentials: ["sessionToken"],
    answers: { 200: { description: "The session.", schema: answers.ownSession } },
  },
  {
    method: "delete",
    path: `${base}/session/`,
    id: "endOwnSession",
    tag: "Agent",
    summary: "Sign out: end this session",
    credentials: ["sessionToken"],
    answers: { 204: { description: "It is over." } },
  },
  {
    method: "post",
    path: `${base}/chat/`,
    id: "chat",
    tag: "Agent",
    summary: "Ask, and read the answer as it is written",
    description:
      "One run of the agent. Fields are in camelCase, as the protocol's are. Only the last user message counts; `approvals` and `toolOutputs` answer calls that wait, each once. With `messageId` it takes the place of that question and of everything behind it. With the trigger `regenerate-message` the last answer is written anew. The same request again follows the run that it began.",
    credentials: ["sessionToken", "apiKey"],
    body: {
      schema: chatRequest,
      example: {
        messages: [
          { id: "u_1", role: "user", parts: [{ type: "text", text: "How do I rotate a key?" }] },
        ],
      },
    },
    answers: { 200: stream },
    errors: [
      "approval_required",
      "tool_not_allowed",
      "approval_decided",
      "run_in_progress",
      "budget_exhausted",
      "model_unavailable",
      "unavailable",
    ],
  },
  {
    method: "get",
    path: `${base}/chat/{threadId}/stream/`,
    id: "attachToRun",
    tag: "Agent",
    summary: "Attach to a run again",
    credentials: ["sessionToken", "apiKey"],
    headers: { "Last-Event-ID": "The `id` of the last event that arrived." },
    answers: { 200: stream, 204: { description: "Nothing is left to read." } },
    errors: ["invalid_request"],
  },
  {
    method: "post",
    path: `${base}/chat/{threadId}/stop/`,
    id: "stopRun",
    tag: "Agent",
    summary: "Stop a run",
    credentials: ["sessionToken", "apiKey"],
    body: { schema: stopRequest, optional: true },
    answers: { 200: { description: "Whether it was running.", schema: answers.stopped } },
  },
  {
    method: "get",
    path: `${base}/threads/`,
    id: "listThreads",
    tag: "Agent",
    summary: "List the owner's conversations",
    credentials: ["sessionToken", "apiKey"],
    query: {
      limit: {
        description: "How many a page, 1 to 100. Default 20.",
        schema: z.int().min(1).max(100).optional(),
      },
      cursor: { description: "`next_cursor` of the page before.", schema: z.string().optional() },
    },
    answers: { 200: { description: "A page of conversations.", schema: answers.threadPage } },
    errors: ["invalid_request", "history_needs_owner"],
  },
  {
    method: "get",
    path: `${base}/threads/{id}/`,
    id: "getThread",
    tag: "Agent",
    summary: "Read a conversation",
    credentials: ["sessionToken", "apiKey"],
    answers: { 200: { description: "The conversation.", schema: answers.storedThread } },
  },
  {
    method: "delete",
    path: `${base}/threads/{id}/`,
    id: "deleteThread",
    tag: "Agent",
    summary: "Delete a conversation",
    credentials: ["sessionToken", "apiKey"],
    answers: { 204: { description: "It is deleted." } },
    errors: ["history_needs_owner"],
  },
  {
    method: "post",
    path: `${base}/threads/{id}/feedback/`,
    id: "rateMessage",
    tag: "Agent",
    summary: "Say what one thinks of an answer",
    description: "The last word counts; `null` takes it back.",
    credentials: ["sessionToken", "apiKey"],
    body: { schema: feedbackRequest, example: { message_id: "msg_…", rating: "up" } },
    answers: { 204: { description: "It is kept." } },
  },
  {
    method: "post",
    path: "/sources/{id}/ticket",
    id: "openSource",
    tag: "Agent",
    summary: "Get an address at which a source page opens once",
    credentials: ["sessionToken", "apiKey"],
    answers: { 201: { description: "The address, good for a minute.", schema: answers.ticket } },
  },
  {
    method: "get",
    path: "/sources/{id}",
    id: "readSource",
    tag: "Agent",
    summary: "Read a page of the documentation",
    credentials: ["sessionToken", "cookie"],
    query: {
      ticket: { description: "In the place of a credential.", schema: z.string().optional() },
    },
    answers: {
      200: { description: "The page.", type: "text/html" },
      303: { description: "A ticket was taken: read on without it." },
    },
  },
];
