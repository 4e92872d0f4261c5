import type { Context } from "hono";
import type { z } from "zod";
import type { AppEnv } from "./app-env.ts";
import { ProblemError } from "./problem-answer.ts";
import { parseBody, readJson, readText } from "./read-json.ts";

const maxBytes = 16_384;

/**
 * The fields of a body that is a form, as OAuth clients send it, or JSON. A field that comes twice
 * is refused (RFC 6749 section 3.2).
 *
 * @throws {@link ProblemError} As {@link readJson}.
 */
export async function readFields<Schema extends z.ZodType>(
  c: Context<AppEnv>,
  schema: Schema,
): Promise<z.output<Schema>> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) {
    return readJson(c, schema, { maxBytes });
  }
  const fields = new URLSearchParams(await readText(c, maxBytes));
  for (const name of fields.keys()) {
    if (fields.getAll(name).length > 1) throw new ProblemError("invalid_request", { field: name });
  }
  return parseBody(schema, Object.fromEntries(fields));
}
