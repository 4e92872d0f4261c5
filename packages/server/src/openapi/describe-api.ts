import { type ErrorCode, errorCodes } from "@valet/protocol";
import { z } from "zod";
import { type Answer, type Credential, type Operation, tags } from "./operation.ts";

/** An OpenAPI 3.1 document, as far as its readers here need to know it. */
export interface ApiDescription {
  readonly openapi: "3.1.1";
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly [more: string]: unknown;
  };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly [more: string]: unknown;
  };
}

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** An operation object. */
export interface DescribedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly DescribedParameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { schema: JsonSchema; example?: unknown }>>;
  };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly headers?: Readonly<Record<string, unknown>>;
        readonly content?: Readonly<Record<string, { schema: JsonSchema }>>;
      }
    >
  >;
}

/** A parameter object. */
export interface DescribedParameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly description: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** What {@link describeApi} needs. */
export interface DescribeApiOptions {
  readonly operations: readonly Operation[];
  /** Schemas that stand inside others and have a name of their own. */
  readonly shared?: Readonly<Record<string, z.ZodType>>;
  readonly version: string;
  /** Where the server is reached. @default the address that the document was read from */
  readonly url?: string;
}

const errorsOfCredentials: Readonly<Record<Credential, readonly ErrorCode[]>> = {
  apiKey: [
    "missing_credential",
    "ambiguous_credentials",
    "credential_in_query",
    "invalid_api_key",
    "key_revoked",
    "key_disabled",
    "key_expired",
    "key_rotated",
    "ip_not_allowed",
    "insufficient_scope",
    "api_key_in_browser",
    "not_found",
    "abnormal_usage",
  ],
  keyAsBasic: [],
  sessionToken: [
    "missing_credential",
    "ambiguous_credentials",
    "credential_in_query",
    "invalid_token",
    "token_expired",
    "token_revoked",
    "origin_not_allowed",
    "not_found",
    "quota_exceeded",
    "abnormal_usage",
  ],
  cookie: ["sign_in_required", "cross_site_request"],
};
const errorsOfBodies: readonly ErrorCode[] = [
  "invalid_request",
  "unknown_field",
  "body_too_large",
  "unsupported_media_type",
];

/** What a path's parameters are, wherever they stand. */
const pathParameters: Readonly<Record<string, string>> = {
  projectId: "`prj_…`, from the integration's set-up page.",
  integrationId: "`int_…`.",
  sid: "`ses_…`, as the reply named it that created the session.",
  threadId: "The conversation, as `x-thread-id` named it.",
  kid: "The 12 characters that name a key.",
  id: "The id, as lists have it.",
};

/**
 * Describes the HTTP API as an OpenAPI document. Requests are described by the very schemas that
 * the routes validate with.
 *
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function describeApi({
  operations,
  shared = {},
  version,
  url = "/",
}: DescribeApiOptions): ApiDescription {
  const schemas = z.registry<{ id: string }>();
  schemas.add(problem, { id: "Problem" });
  for (const [id, schema] of Object.entries(shared)) schemas.add(schema, { id });
  for (const { id, body, answers } of operations) {
    if (body) name(body.schema, `${capitalise(id)}Request`);
    for (const { schema } of Object.values(answers)) {
      if (schema) name(schema, `${capitalise(id)}Answer`);
    }
  }

  /** A schema that several operations share keeps the name that it got first. */
  function name(schema: z.ZodType, id: string): void {
    if (!schemas.has(schema)) schemas.add(schema, { id });
  }

  function ref(schema: z.ZodType): JsonSchema {
    return { $ref: `#/components/schemas/${schemas.get(schema)?.id}` };
  }

  function describe(operation: Operation): DescribedOperation {
    const { id, tag, summary, description, credentials, body } = operation;
    return {
      operationId: id,
      tags: [tag],
      summary,
      ...(description !== undefined && { description }),
      security: credentials.map((credential) => ({ [credential]: [] })),
      ...withParameters(operation),
      ...(body && {
        requestBody: {
          required: !body.optional,
          content: Object.fromEntries(
            ["application/json", ...(body.form ? ["application/x-www-form-urlencoded"] : [])].map(
              (type) => [type, { schema: ref(body.schema), ...withExample(body.example) }],
            ),
          ),
        },
      }),
      responses: {
        ...Object.fromEntries(
          Object.entries(operation.answers).map(([status, answer]) => [
            status,
            describeAnswer(answer, ref),
          ]),
        ),
        ...describeErrors(operation),
      },
    };
  }

  const paths: Record<string, Record<string, DescribedOperation>> = {};
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Valet",
      version,
      summary: "The agent API, the admin API, and what operators ask.",
      description:
        "Every path works with and without a slash at its end and is never redirected. JSON is in snake_case, except for bodies and frames of `chat`. Errors are problem details (RFC 9457) with a stable `code`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url }],
    tags: Object.entries(tags).map(([tag, text]) => ({ name: tag, description: text })),
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: "apiKey",
          in: "header",
          name: "X-API-Key",
          description: "An API key, from your server. Never from a page.",
        },
        keyAsBasic: {
          type: "http",
          scheme: "basic",
          description: "The key as an OAuth client's credentials: `key id:key`.",
        },
        sessionToken: {
          type: "http",
          scheme: "bearer",
          description: "A session token, as the SDK sends it.",
        },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "valet.session_token",
          description: "The dashboard's sign-in.",
        },
      },
      schemas: toJsonSchemas(schemas),
    },
  };
}

const problem = z.looseObject({
  type: z.string().describe("`urn:valet:error:<code>`"),
  title: z.string(),
  status: z.int(),
  code: z.string().describe("Stable; for programs to switch on."),
  detail: z.string().describe("What to do about it."),
  request_id: z.string().optional(),
  field: z.string().optional().describe("The field that is wrong, as `a.b[0]`."),
});

function toJsonSchemas(schemas: z.core.$ZodRegistry<{ id: string }>): Record<string, JsonSchema> {
  const { schemas: made } = z.toJSONSchema(schemas, {
    target: "draft-2020-12",
    io: "input",
    unrepresentable: "any",
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(made).map(([id, { $schema: _, $id: __, id: ___, ...schema }]) => [id, schema]),
  );
}

function withParameters({
  path,
  query = {},
  headers = {},
}: Operation): Pick<DescribedOperation, "parameters"> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, found]) => found ?? "");
  const parameters: DescribedParameter[] = [
    ...names.map((found) => ({
      name: found,
      in: "path" as const,
      description: pathParameters[found] ?? "The id, as lists have it.",
      required: true,
      schema: { type: "string" },
    })),
    ...Object.entries(query).map(([found, { description, schema }]) => ({
      name: found,
      in: "query" as const,
      description,
      required: !schema.safeParse(undefined).success,
      schema: plain(schema),
    })),
    ...Object.entries(headers).map(([found, description]) => ({
      name: found,
      in: "header" as const,
      description,
      required: false,
      schema: { type: "string" },
    })),
  ];
  return parameters.length > 0 ? { parameters } : {};
}

function plain(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return made;
}

function describeAnswer(
  { description, schema, type, headers }: Answer,
  ref: (schema: z.ZodType) => JsonSchema,
): DescribedOperation["responses"][string] {
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [
          name,
          { description: text, schema: { type: "string" } },
        ]),
      ),
    }),
    ...(schema && { content: { "application/json": { schema: ref(schema) } } }),
    ...(type !== undefined && { content: { [type]: { schema: { type: "string" } } } }),
  };
}

function describeErrors(operation: Operation): DescribedOperation["responses"] {
  const codes = new Set<ErrorCode>([
    ...operation.credentials.flatMap((credential) => errorsOfCredentials[credential]),
    ...(operation.body ? errorsOfBodies : []),
    ...(operation.errors ?? []),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, found]) => [
      String(status),
      {
        description: found.map((code) => `\`${code}\`: ${errorCodes[code].title}.`).join("\n\n"),
        content: {
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        },
      },
    ]),
  );
}

function withExample(example: unknown): { example?: unknown } {
  return example === undefined ? {} : { example };
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
