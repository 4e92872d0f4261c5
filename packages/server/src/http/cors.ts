import { createMiddleware } from "hono/factory";
import { answerWith } from "./answer-headers.ts";
import type { AppEnv } from "./app-env.ts";

const exposed = [
  "date",
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  "www-authenticate",
  "x-request-id",
  "x-thread-id",
  "x-run-id",
].join(", ");
/** What makes an answer readable for every page; {@link readableByPages} says why. */
export const readableHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": exposed,
};
const allowed = "authorization, content-type, last-event-id, x-request-id";

/**
 * Makes every answer of a browser route readable by any page: authority is in the bearer token
 * alone and no cookie counts there, so the page's origin protects nothing, while a 401 that the
 * SDK cannot read would keep it from fetching a new token.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export const readableByPages = createMiddleware<AppEnv>((c, next) => {
  if (c.req.method === "OPTIONS") {
    const answer = c.body(null, 204, {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": allowed,
      "access-control-max-age": "7200",
    });
    return Promise.resolve(answer);
  }
  return answerWith(c, readableHeaders, next);
});
