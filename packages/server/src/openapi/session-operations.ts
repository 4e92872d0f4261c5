import { z } from "zod";
import { mintRequest, revocationRequest } from "../sessions/routes.ts";
import { tokenRequest } from "../sessions/token-routes.ts";
import * as answers from "./answers.ts";
import type { Operation } from "./operation.ts";

const base = "/agent/v1/projects/{projectId}/agent";

/** What a team's own server asks with its API key. */
export const sessionOperations: readonly Operation[] = [
  {
    method: "post",
    path: `${base}/sessions/`,
    id: "createSession",
    tag: "Sessions",
    summary: "Create a session",
    description:
      "Trades the API key for a session token. Pass the answer on to your page as it is. The body may be left out; an unknown field is refused.",
    credentials: ["apiKey"],
    body: { schema: mintRequest, optional: true, example: { external_owner_id: "user-42" } },
    answers: { 201: { description: "The session and its token.", schema: answers.sessionReply } },
    errors: [
      "owner_blocked",
      "project_disabled",
      "integration_disabled",
      "quota_exceeded",
      "unavailable",
    ],
  },
  {
    method: "get",
    path: `${base}/sessions/`,
    id: "listSessions",
    tag: "Sessions",
    summary: "List sessions",
    description: "Newest first, 50 a page. Never tokens.",
    credentials: ["apiKey"],
    query: {
      owner: { description: "Only sessions of this owner.", schema: z.string().optional() },
      key: { description: "Only sessions made with this key.", schema: z.string().optional() },
      cursor: {
        description: "`next_cursor` of the page before.",
        schema: z.string().optional(),
      },
    },
    answers: { 200: { description: "A page of sessions.", schema: answers.sessionPage } },
    errors: ["invalid_request"],
  },
  {
    method: "get",
    path: `${base}/sessions/{sid}/`,
    id: "getSession",
    tag: "Sessions",
    summary: "Look at a session",
    credentials: ["apiKey"],
    answers: { 200: { description: "The session.", schema: answers.sessionStanding } },
  },
  {
    method: "delete",
    path: `${base}/sessions/{sid}/`,
    id: "revokeSession",
    tag: "Sessions",
    summary: "End a session",
    description:
      "When it answers, the token is refused and answers that are being written have stopped. Ending it again is no error.",
    credentials: ["apiKey"],
    answers: { 200: { description: "The session, ended.", schema: answers.session } },
  },
  {
    method: "post",
    path: `${base}/sessions/introspect/`,
    id: "introspectToken",
    tag: "Sessions",
    summary: "Ask what a token is",
    description:
      'RFC 7662. A token that is unknown, foreign, over or revoked is `{"active": false}`. Needs the scope `introspect`.',
    credentials: ["apiKey", "keyAsBasic"],
    body: { schema: tokenRequest, form: true },
    answers: { 200: { description: "What it is.", schema: answers.introspection } },
    errors: ["quota_exceeded"],
  },
  {
    method: "post",
    path: `${base}/sessions/revoke/`,
    id: "revokeToken",
    tag: "Sessions",
    summary: "End the session of a token",
    description: "RFC 7009. A token that is no good is answered in the same way.",
    credentials: ["apiKey", "keyAsBasic"],
    body: { schema: tokenRequest, form: true },
    answers: { 200: { description: "The token is not good, or no longer." } },
  },
  {
    method: "post",
    path: `${base}/revocations/`,
    id: "revokeMany",
    tag: "Sessions",
    summary: "End many sessions, block and unblock",
    description:
      "Ends every session of an owner, a visitor, a key or the project, and with `block` keeps people from new ones. All of it, or nothing.",
    credentials: ["apiKey"],
    body: {
      schema: revocationRequest,
      example: { targets: [{ owner: "user-42" }], reason: "left the company" },
    },
    answers: { 200: { description: "What it ended.", schema: answers.revoked } },
  },
];
