import type { SessionRequest } from "@valet/protocol";
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { setAnswerHeaders } from "../http/answer-headers.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { ClientAddress } from "../http/client-address.ts";
import { answerProblem, ProblemError } from "../http/problem-answer.ts";
import type { ProjectSettings } from "../projects/project-settings.ts";
import { limitHeaders, refusal } from "./limit-headers.ts";
import type { Charge, Limiter, Verdict } from "./limiter.ts";
import {
  failureCharges,
  introspectCharges,
  keyRequestCharges,
  messageCharges,
  mintCharges,
  requestCharges,
} from "./policies.ts";

/**
 * The limits on how often things are asked. Each method counts one request, tells the headers of
 * its answer, and lets it through or throws.
 *
 * @throws {@link ProblemError} `quota_exceeded`, naming the policies; then nothing was counted.
 */
export interface RateLimits {
  /** Making a session. Stands behind `requireKey`. */
  mint(c: Context<AppEnv>, request: SessionRequest): Promise<void>;
  /** Asking what a token is. Stands behind `requireKey`. */
  introspect(c: Context<AppEnv>): Promise<void>;
  /** Anything else that a key asks. Stands behind `requireKey`. */
  keyRequest(c: Context<AppEnv>): Promise<void>;
  /** A new question. Stands behind `requireSession`. */
  message(c: Context<AppEnv>): Promise<void>;
  /** Anything else that a session asks. Stands behind `requireSession`. */
  request(c: Context<AppEnv>): Promise<void>;
  /** Where a session stands with all its limits; counts nothing. */
  look(session: AppEnv["Variables"]["session"]): Promise<readonly Verdict[]>;
}

/** What {@link createRateLimits} needs. */
export interface RateLimitsOptions {
  readonly limiter: Limiter;
  readonly settingsOf: (projectId: string) => ProjectSettings;
}

/** Creates the limits of one server. */
export function createRateLimits({ limiter, settingsOf }: RateLimitsOptions): RateLimits {
  async function take(c: Context<AppEnv>, charges: readonly Charge[]): Promise<void> {
    const verdicts = await limiter.take(charges);
    setAnswerHeaders(c, limitHeaders(verdicts));
    const refused = refusal("quota_exceeded", verdicts);
    if (refused) throw refused;
  }
  return {
    mint(c, request) {
      const key = c.get("key");
      return take(c, mintCharges(settingsOf(key.projectId), key, request));
    },
    introspect(c) {
      const key = c.get("key");
      return take(c, introspectCharges(settingsOf(key.projectId), key));
    },
    keyRequest(c) {
      const key = c.get("key");
      return take(c, keyRequestCharges(settingsOf(key.projectId), key));
    },
    message(c) {
      const session = c.get("session");
      return take(c, messageCharges(settingsOf(session.projectId), session));
    },
    request(c) {
      const session = c.get("session");
      return take(c, requestCharges(settingsOf(session.projectId), session));
    },
    look: async (session) => {
      const settings = settingsOf(session.projectId);
      return limiter.look([
        ...messageCharges(settings, session),
        ...requestCharges(settings, session),
      ]);
    },
  };
}

const chatPath = /\/chat\/?$/;

/**
 * Counts what a session asks, except new requests of `chat`: only the route that has read them
 * knows whether they bring a question.
 */
export function limitOtherRequests(limits: RateLimits) {
  return createMiddleware<AppEnv>(async (c, next) => {
    if (!(c.req.method === "POST" && chatPath.test(c.req.path))) await limits.request(c);
    await next();
  });
}

/** Refusals of credentials that may be guesses; a true holder of a dead one is no guesser. */
const guesses: ReadonlySet<string> = new Set(["invalid_token", "invalid_api_key"]);

/**
 * Counts refused credentials by the address they came from. An address that had too many is told
 * so in their place; a good credential from it is served as ever, because many may share it.
 */
export function limitFailures(limiter: Limiter, clientAddress: ClientAddress) {
  return createMiddleware<AppEnv>(async (c, next) => {
    await next();
    if (!(c.error instanceof ProblemError) || !guesses.has(c.error.code)) return;
    const verdicts = await limiter.take(failureCharges(clientAddress(c)));
    const refused = refusal("abnormal_usage", verdicts);
    if (!refused) return;
    const answer = answerProblem(c, refused);
    for (const [name, value] of Object.entries(limitHeaders(verdicts))) {
      answer.headers.set(name, value);
    }
    c.res = answer;
    c.res.headers.delete("www-authenticate");
  });
}
