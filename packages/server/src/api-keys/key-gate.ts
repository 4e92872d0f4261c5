import type { Context } from "hono";
import type { Audit } from "../audit/audit.ts";
import { auditContext } from "../audit/audit-context.ts";
import type { AppEnv } from "../http/app-env.ts";
import type { ClientAddress } from "../http/client-address.ts";
import { isFromPage, readApiKey } from "../http/credentials.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { ApiKeys } from "./api-keys.ts";
import type { KeyPrincipal } from "./key-mirror.ts";
import type { Scope } from "./scopes.ts";

/** The one way by which an API key lets a request in. */
export interface KeyGate {
  /**
   * Whose key a request bears, if it is good, of the path's project, and may do this. Nothing in
   * the request but the key itself has a say in who that is.
   *
   * @throws {@link ProblemError} In this order: those of the credential; `api_key_in_browser`;
   *   those of {@link ApiKeys.verify}; `not_found` for another project; `insufficient_scope`.
   */
  admit(c: Context<AppEnv>, scope: Scope, options?: AdmitOptions): Promise<KeyPrincipal>;
}

/** What {@link KeyGate.admit} can be told. */
export interface AdmitOptions {
  /** Whether the key may come as an OAuth client's Basic credentials, too. @default false */
  readonly mayBeBasic?: boolean;
}

/** What {@link createKeyGate} needs. */
export interface KeyGateOptions {
  readonly keys: ApiKeys;
  readonly audit: Audit;
  readonly clientAddress: ClientAddress;
  readonly now?: () => number;
}

const alarmEveryMs = 60_000;

/** Creates the gate of one server. */
export function createKeyGate({
  keys,
  audit,
  clientAddress,
  now = Date.now,
}: KeyGateOptions): KeyGate {
  const soundedAtMs = new Map<string, number>();

  /** Notes that a true key is where it should not be, at most once a minute for each key. */
  async function alarm(c: Context<AppEnv>, event: string, text: string): Promise<void> {
    // Only a true key is worth a line: anybody can make up a text that looks like one.
    const holder = keys.holderOf(text);
    if (!holder) return;
    const { kid, projectId } = holder;
    const name = `${event} ${kid}`;
    if (now() - (soundedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) < alarmEveryMs) return;
    soundedAtMs.set(name, now());
    const actor = auditContext(c, event === "key.used_from_browser" ? "page" : `key:${kid}`);
    await audit.record({ actor, event, target: kid, projectId });
  }

  return {
    async admit(c, scope, { mayBeBasic = false } = {}) {
      const text = readApiKey(c, mayBeBasic);
      if (isFromPage(c)) {
        await alarm(c, "key.used_from_browser", text);
        throw new ProblemError("api_key_in_browser");
      }
      const key = await verify(c, text);
      if (key.projectId !== c.req.param("projectId")) throw new ProblemError("not_found");
      requireScope(key, scope);
      return key;
    },
  };

  async function verify(c: Context<AppEnv>, text: string): Promise<KeyPrincipal> {
    try {
      return keys.verify(text, clientAddress(c));
    } catch (error) {
      if (error instanceof ProblemError && error.code === "ip_not_allowed") {
        await alarm(c, "key.refused_by_ip", text);
      }
      throw error;
    }
  }
}

/** @throws {@link ProblemError} `insufficient_scope`, naming the scope. */
function requireScope(key: KeyPrincipal, scope: Scope): void {
  if (key.scopes.includes(scope)) return;
  throw new ProblemError("insufficient_scope", { detail: `The key needs the scope ${scope}.` });
}
