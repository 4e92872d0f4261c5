import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { People } from "./people.ts";

/** Lets only signed-in people through. @throws {@link ProblemError} `sign_in_required`. */
export function requirePerson(people: People) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const person = await people.whoIs(c.req.raw.headers);
    if (!person) throw new ProblemError("sign_in_required");
    c.set("person", person);
    await next();
  });
}
