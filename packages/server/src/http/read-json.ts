import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { z } from "zod";
import type { AppEnv } from "./app-env.ts";
import { ProblemError } from "./problem-answer.ts";

/** Bounds of {@link readJson}. */
export interface ReadJsonOptions {
  /** The most bytes taken, before and after the length is known. @default 16_384 */
  readonly maxBytes?: number;
  /** Whether no body at all stands for `{}`. @default false */
  readonly allowEmpty?: boolean;
}

/**
 * The request's JSON body, checked. Reads no more than the bound, whatever `Content-Length` says.
 *
 * @throws {@link ProblemError} `body_too_large`, `unsupported_media_type`, `unknown_field` naming
 *   the field, or `invalid_request` naming the field.
 */
export async function readJson<Schema extends z.ZodType>(
  c: Context<AppEnv>,
  schema: Schema,
  { maxBytes = 16_384, allowEmpty = false }: ReadJsonOptions = {},
): Promise<z.output<Schema>> {
  const text = await readText(c, maxBytes);
  if (text === "" && allowEmpty) return parseBody(schema, {});
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) throw new ProblemError("unsupported_media_type");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new ProblemError("invalid_request", { detail: "The body is not valid JSON." });
  }
  return parseBody(schema, body);
}

/**
 * A body's text.
 *
 * @throws {@link ProblemError} `body_too_large`, `request_timeout` when it did not come to its end,
 *   or `invalid_request` for what is no UTF-8.
 */
export async function readText(c: Context<AppEnv>, maxBytes: number): Promise<string> {
  const tooLarge = () => new ProblemError("body_too_large", { limit_bytes: maxBytes });
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > maxBytes) throw tooLarge();
  const body = bodyOf(c);
  if (!body) return "";
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of body) {
      length += piece.byteLength;
      if (length > maxBytes) throw tooLarge();
      pieces.push(piece);
    }
  } catch (error) {
    // A connection that broke is nobody's fault here, and no line in the log of errors.
    throw error instanceof ProblemError ? error : new ProblemError("request_timeout");
  }
  try {
    const whole = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    return utf8.decode(whole);
  } catch {
    throw new ProblemError("invalid_request", { detail: "The body is not valid UTF-8." });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The pieces of a body as they come: from Node.js itself where there is a connection, because
 * making a web `Request` and its stream costs more than all the rest of a short request.
 */
function bodyOf(c: Context<AppEnv>): AsyncIterable<Uint8Array> | undefined {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: Partial<IncomingMessage> };
  if (!incoming?.iterator)
    return (c.req.raw.body ?? undefined) as AsyncIterable<Uint8Array> | undefined;
  // Not destroyed when the reading stops early: the answer still has to go through.
  return incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
}

/** Checks what a body says. @throws {@link ProblemError} `unknown_field` or `invalid_request`, naming the field. */
export function parseBody<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  if (issue?.code === "unrecognized_keys") {
    throw new ProblemError("unknown_field", {
      field: fieldOf([...issue.path, issue.keys[0] ?? ""]),
    });
  }
  const field = fieldOf(issue?.path ?? []);
  throw new ProblemError("invalid_request", {
    ...(field === "" ? {} : { field }),
    detail: field === "" ? (issue?.message ?? "Invalid.") : `${field}: ${issue?.message}`,
  });
}

function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((step, at) => (typeof step === "number" ? `[${step}]` : `${at ? "." : ""}${String(step)}`))
    .join("");
}
