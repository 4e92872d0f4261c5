import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";
import { ProblemError } from "./problem-answer.ts";

/**
 * Lets requests through only while this server may answer: what it has in memory may be wrong as
 * soon as another one could have the database.
 *
 * @throws {@link ProblemError} `unavailable`.
 */
export function whileServing(isServing: () => boolean) {
  return createMiddleware<AppEnv>((_c, next) => {
    if (!isServing()) throw new ProblemError("unavailable", { headers: { "retry-after": "2" } });
    return next();
  });
}
