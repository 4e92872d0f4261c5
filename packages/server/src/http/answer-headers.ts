import type { OutgoingMessage } from "node:http";
import type { Context, Next } from "hono";
import type { AppEnv } from "./app-env.ts";

/**
 * Runs what is behind a middleware, and gives its answer these headers, whatever the answer turns
 * out to be. A header that the answer sets by itself wins.
 *
 * On a connection they are given to Node.js beforehand: adding them to a finished `Response` makes
 * it anew each time, which costs more than all the rest of a short request.
 */
export function answerWith(
  c: Context<AppEnv>,
  headers: Readonly<Record<string, string>>,
  next: Next,
): Promise<void> {
  const outgoing = outgoingOf(c);
  if (outgoing) {
    for (const name in headers) outgoing.setHeader(name, headers[name] ?? "");
    return next();
  }
  return next().then(() => {
    for (const [name, value] of Object.entries(headers)) {
      if (!c.res.headers.has(name)) c.header(name, value);
    }
  });
}

/** Gives the answer to come these headers. Those of an answer that sets them by itself win. */
export function setAnswerHeaders(
  c: Context<AppEnv>,
  headers: Readonly<Record<string, string>>,
): void {
  const outgoing = outgoingOf(c);
  for (const name in headers) {
    if (outgoing) outgoing.setHeader(name, headers[name] ?? "");
    else c.header(name, headers[name]);
  }
}

/** What the Node.js adapter writes the answer to; undefined where the app is called without one. */
function outgoingOf(c: Context<AppEnv>): OutgoingMessage | undefined {
  return (c.env as { readonly outgoing?: OutgoingMessage } | undefined)?.outgoing;
}
