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
  const pieces = await readPieces(c, maxBytes).catch(() => {
    // A connection that broke is nobody's fault here, and no line in the log of errors.
    throw new ProblemError("request_timeout");
  });
  if (pieces === undefined) throw tooLarge();
  if (pieces.length === 0) return "";
  try {
    const whole = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces);
    return utf8.decode(whole);
  } catch {
    throw new ProblemError("invalid_request", { detail: "The body is not valid UTF-8." });
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The pieces of a body; undefined for one that is larger than the bound, of which no more is read.
 * From Node.js itself where there is a connection, because making a web `Request` and its stream,
 * or an iterator of its own, costs more than all the rest of a short request.
 */
async function readPieces(
  c: Context<AppEnv>,
  maxBytes: number,
): Promise<readonly Uint8Array[] | undefined> {
  const { incoming } = (c.env ?? {}) as { readonly incoming?: IncomingMessage };
  if (incoming?.on !== undefined) return readFromConnection(incoming, maxBytes);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.byteLength;
    if (length > maxBytes) return undefined;
    pieces.push(piece);
  }
  return pieces;
}

function readFromConnection(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<readonly Uint8Array[] | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    const stop = () => {
      incoming.off("data", take).off("end", finish).off("error", fail).off("close", fail);
    };
    const take = (piece: Buffer) => {
      length += piece.byteLength;
      if (length <= maxBytes) {
        pieces.push(piece);
        return;
      }
      stop();
      // The connection is left as it is: the answer still has to go through.
      incoming.pause();
      resolve(undefined);
    };
    const finish = () => {
      stop();
      resolve(pieces);
    };
    const fail = (error?: Error) => {
      stop();
      reject(error ?? new Error("The connection was closed."));
    };
    if (incoming.readableEnded) return resolve(pieces);
    if (incoming.destroyed) return fail();
    incoming.on("data", take).on("end", finish).on("error", fail).on("close", fail);
  });
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
