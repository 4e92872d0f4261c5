import { adminOperations } from "./admin-operations.ts";
import { agentOperations } from "./agent-operations.ts";
import * as answers from "./answers.ts";
import type { Operation } from "./operation.ts";
import { sessionOperations } from "./session-operations.ts";

const serverOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    tag: "Server",
    summary: "Ask whether the server is up",
    credentials: [],
    answers: { 200: { description: "It is.", schema: answers.health } },
  },
  {
    method: "get",
    path: "/openapi.json",
    id: "getDescription",
    tag: "Server",
    summary: "Read this description",
    credentials: [],
    answers: { 200: { description: "OpenAPI 3.1.", type: "application/json" } },
  },
  {
    method: "get",
    path: "/docs",
    id: "readDescription",
    tag: "Server",
    summary: "Read it as a page",
    credentials: [],
    answers: { 200: { description: "A page.", type: "text/html" } },
  },
];

/** Every method of every path that the server has for people's programs. */
export const operations: readonly Operation[] = [
  ...sessionOperations,
  ...agentOperations,
  ...adminOperations,
  ...serverOperations,
];
