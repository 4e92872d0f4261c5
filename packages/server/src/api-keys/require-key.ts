import { createMiddleware } from "hono/factory";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import { isFromPage, readApiKey } from "../http/credentials.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { parseApiKey } from "./api-key-format.ts";
import type { ApiKeys, Scope } from "./api-keys.ts";

/**
 * Lets only a key of the path's project with a scope through, sent by a server.
 *
 * @throws {@link ProblemError} Those of the credential, `api_key_in_browser`, `not_found` for
 *   another project, `insufficient_scope`.
 */
export function requireKey(
  keys: ApiKeys,
  audit: Audit,
  scope: Scope,
  { mayBeBasic = false }: { readonly mayBeBasic?: boolean } = {},
) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const text = readApiKey(c, mayBeBasic);
    if (isFromPage(c)) {
      const kid = parseApiKey(text);
      if (kid !== undefined) {
        const event = "key.used_from_browser";
        const projectId = keys.projectOf(kid);
        await audit.record({ actor: auditContext(c, "page"), event, target: kid, projectId });
      }
      throw new ProblemError("api_key_in_browser");
    }
    const key = keys.verify(text);
    if (key.projectId !== c.req.param("projectId")) throw new ProblemError("not_found");
    if (!key.scopes.includes(scope)) {
      throw new ProblemError("insufficient_scope", { detail: `The key needs the scope ${scope}.` });
    }
    c.set("key", key);
    await next();
  });
}
