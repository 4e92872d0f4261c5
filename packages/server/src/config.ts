import { resolve } from "node:path";
import type { JSONObject } from "@ai-sdk/provider";
import { z } from "zod";
import { IpRangeError, type IpRanges, parseIpRanges } from "./http/ip-ranges.ts";

/** Everything the operator can set. Made once, from the environment, before anything is opened. */
export interface Config {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0 takes any that is free. */
  readonly port: number;
  /** The data folder, as an absolute path. */
  readonly dataDir: string;
  /** A PostgreSQL database in the place of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** Where browsers reach this server: an origin, without a path. */
  readonly publicUrl: string | undefined;
  /** Proxies whose `X-Forwarded-For` is believed. None: nobody's. */
  readonly trustedProxies: IpRanges;
  readonly logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  /** `provider/name`, or undefined for the embedded default. */
  readonly model: string | undefined;
  readonly modelApiKey: string | undefined;
  readonly modelBaseUrl: string | undefined;
  /** Options for the model's provider, by the name of its package. */
  readonly modelOptions: Readonly<Record<string, JSONObject>> | undefined;
  /** Bounds of every run of the agent. */
  readonly runLimits: {
    readonly maxSteps: number;
    readonly maxSeconds: number;
    readonly maxTokens: number;
    /** Of one call of the model; left out, what the model takes for right. */
    readonly maxOutputTokens?: number;
  };
  /** An ES module with the operator's own tools, as an absolute path. */
  readonly serverTools: string | undefined;
  /** What the command encrypts and decrypts backups with, when it is not to ask. */
  readonly backupPassphrase: string | undefined;
}

/** The environment has problems; `problems` has all of them, each naming its variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration has ${problems.length === 1 ? "a problem" : "problems"}.`);
    this.problems = problems;
  }
}

const levels = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
const origin = "must be an origin such as https://valet.example.com, without a path";

function wholeNumber(min: number, max: number) {
  const what = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number(what).int(what).min(min, what).max(max, what);
}

const environment = z.strictObject({
  VALET_HOST: z.string().min(1, "must not be empty").default("127.0.0.1"),
  VALET_PORT: z.coerce
    .number("must be a port, 0 to 65535")
    .int("must be a port, 0 to 65535")
    .min(0, "must be a port, 0 to 65535")
    .max(65_535, "must be a port, 0 to 65535")
    .default(4747),
  VALET_DATA_DIR: z.string().min(1, "must not be empty").default(".valet"),
  VALET_DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: "must be a postgres:// address" })
    .optional(),
  VALET_PUBLIC_URL: z
    .string()
    .refine((text) => {
      if (!URL.canParse(text)) return false;
      const url = new URL(text);
      return /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, "");
    }, origin)
    .transform((text) => new URL(text).origin)
    .optional(),
  VALET_TRUSTED_PROXIES: z.string().default("").transform(readRanges),
  VALET_LOG_LEVEL: z.enum(levels, `must be one of ${levels.join(", ")}`).default("info"),
  VALET_MODEL: z.string().optional(),
  VALET_MODEL_API_KEY: z.string().min(1, "must not be empty").optional(),
  VALET_MODEL_BASE_URL: z
    .url({ protocol: /^https?$/, error: "must be an http(s) address" })
    .optional(),
  VALET_MODEL_OPTIONS: z.string().transform(readModelOptions).optional(),
  VALET_MODEL_MAX_OUTPUT_TOKENS: wholeNumber(1, 10_000_000).optional(),
  VALET_RUN_MAX_STEPS: wholeNumber(1, 100).default(8),
  VALET_RUN_MAX_SECONDS: wholeNumber(1, 3_600).default(120),
  VALET_RUN_MAX_TOKENS: wholeNumber(1_000, 1_000_000_000).default(250_000),
  VALET_SERVER_TOOLS: z.string().min(1, "must not be empty").optional(),
  VALET_BACKUP_PASSPHRASE: z.string().min(1, "must not be empty").optional(),
});

/** Variables that begin with `VALET_` and are read elsewhere: by the demo and by tests. */
const foreign = /^VALET_(?:DEMO|TEST)_|^VALET_(?:API_KEY|PROJECT_ID|INTEGRATION_ID|API_URL)$/;

/**
 * Reads the configuration from `VALET_` variables and no others.
 *
 * @throws {@link ConfigError} with every problem at once, unknown `VALET_` variables included: a
 *   misspelt one must not be ignored in silence.
 */
export function readConfig(
  variables: Readonly<Record<string, string | undefined>>,
  modelProblems: (config: Config) => readonly string[] = () => [],
): Config {
  const ours = Object.entries(variables).filter(
    ([name, value]) => name.startsWith("VALET_") && !foreign.test(name) && value !== undefined,
  );
  const parsed = environment.safeParse(Object.fromEntries(ours));
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(describe));
  const { data } = parsed;
  const config: Config = {
    host: data.VALET_HOST,
    port: data.VALET_PORT,
    dataDir: resolve(data.VALET_DATA_DIR),
    databaseUrl: data.VALET_DATABASE_URL,
    publicUrl: data.VALET_PUBLIC_URL,
    trustedProxies: data.VALET_TRUSTED_PROXIES,
    logLevel: data.VALET_LOG_LEVEL,
    model: data.VALET_MODEL,
    modelApiKey: data.VALET_MODEL_API_KEY,
    modelBaseUrl: data.VALET_MODEL_BASE_URL,
    modelOptions: data.VALET_MODEL_OPTIONS,
    runLimits: {
      maxSteps: data.VALET_RUN_MAX_STEPS,
      maxSeconds: data.VALET_RUN_MAX_SECONDS,
      maxTokens: data.VALET_RUN_MAX_TOKENS,
      ...(data.VALET_MODEL_MAX_OUTPUT_TOKENS !== undefined && {
        maxOutputTokens: data.VALET_MODEL_MAX_OUTPUT_TOKENS,
      }),
    },
    serverTools:
      data.VALET_SERVER_TOOLS === undefined ? undefined : resolve(data.VALET_SERVER_TOOLS),
    backupPassphrase: data.VALET_BACKUP_PASSPHRASE,
  };
  const problems = modelProblems(config);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readModelOptions(text: string, context: z.RefinementCtx): Record<string, JSONObject> {
  const shape = z.record(z.string(), z.record(z.string(), z.json()));
  try {
    return shape.parse(JSON.parse(text)) as Record<string, JSONObject>;
  } catch {
    context.addIssue({
      code: "custom",
      message: 'must be JSON such as {"anthropic":{"effort":"low"}}',
    });
    return z.NEVER;
  }
}

function readRanges(text: string, context: z.RefinementCtx): IpRanges {
  try {
    return parseIpRanges(text.trim() === "" ? [] : text.split(","));
  } catch (error) {
    if (!(error instanceof IpRangeError)) throw error;
    context.addIssue({ code: "custom", message: `must be a list of ranges: ${error.message}` });
    return z.NEVER;
  }
}

function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => `${name} is not a variable that Valet knows`);
  }
  return [`${String(issue.path[0])} ${issue.message}`];
}
