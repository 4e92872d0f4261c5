import type { ErrorCode } from "@valet/protocol";
import type { z } from "zod";

/** The groups that operations are shown in, in order, with what is said of each. */
export const tags = {
  Sessions:
    "For your server, with an API key. These addresses send no CORS headers: a page cannot use them.",
  Agent: "For your page, with a session token. Any page may read the answers, errors included.",
  Admin:
    "For the dashboard, with the cookie of somebody who is signed in. What changes something must come from the dashboard's own pages.",
  Server: "For operators.",
} as const;
export type Tag = keyof typeof tags;

/** What a request must carry. */
export type Credential = "apiKey" | "keyAsBasic" | "sessionToken" | "cookie";

/** One method of one path, as `/openapi.json` describes it. */
export interface Operation {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With parameters in braces, and a slash at its end where the documentation writes one. */
  readonly path: string;
  /** Unique; the stem of its schemas' names. */
  readonly id: string;
  readonly tag: Tag;
  /** A short sentence without a full stop. */
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  /** Any one of them. Empty: open to everybody. */
  readonly credentials: readonly Credential[];
  /** Parameters of the query, by name; optional unless the schema says otherwise. */
  readonly query?: Readonly<Record<string, QueryParameter>>;
  /** Request headers that mean something, by name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The schema that the route validates with. */
  readonly body?: {
    readonly schema: z.ZodType;
    /** Whether it may be left out. @default false */
    readonly optional?: boolean;
    /** Whether a form is taken as well. @default false */
    readonly form?: boolean;
    readonly example?: unknown;
  };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes that it is refused with, beside those of its credential and body. */
  readonly errors?: readonly ErrorCode[];
}

/** A parameter of the query. */
export interface QueryParameter {
  readonly description: string;
  readonly schema: z.ZodType;
}

/** What an operation answers with. */
export interface Answer {
  readonly description: string;
  /** Of a JSON body. Absent: no body, or one of another type. */
  readonly schema?: z.ZodType;
  /** The media type of a body that is no JSON. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}
