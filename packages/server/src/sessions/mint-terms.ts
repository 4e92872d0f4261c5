import type { SessionRequest } from "@valet/protocol";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { ProjectStates } from "../projects/project-states.ts";
import { narrowPolicy, policyOfProject, policyOfRequest } from "./narrow-policy.ts";
import type { SessionPolicy } from "./principal.ts";

/** How long a new session lives, and what it may do: fixed now, and never more afterwards. */
export interface MintTerms {
  readonly ttlSeconds: number;
  readonly policy: SessionPolicy;
}

const defaultTtlSeconds = 3600;

/**
 * The terms on which a project gives a session: what was asked for, as far as the project goes.
 *
 * @throws {@link ProblemError} `project_disabled`, `integration_disabled`, or `invalid_request` for
 *   a life that is longer than the project's maximum.
 */
export function mintTerms(
  states: ProjectStates,
  { projectId }: Pick<KeyPrincipal, "projectId">,
  request: SessionRequest,
): MintTerms {
  if (states.isProjectOff(projectId)) throw new ProblemError("project_disabled");
  const { integration_id: integrationId, ttl_seconds: asked } = request;
  if (integrationId !== undefined && states.isIntegrationOff(integrationId)) {
    throw new ProblemError("integration_disabled");
  }
  const settings = states.settings(projectId);
  const most = settings.max_session_seconds;
  if (asked !== undefined && asked > most) {
    throw new ProblemError("invalid_request", {
      field: "ttl_seconds",
      detail: `ttl_seconds: The project's maximum is ${most}.`,
    });
  }
  return {
    ttlSeconds: asked ?? Math.min(defaultTtlSeconds, most),
    policy: narrowPolicy(
      policyOfRequest(request),
      policyOfProject(settings, isVisitorRequest(request)),
    ),
  };
}

function isVisitorRequest({ visitor_id, visitor_ip }: SessionRequest): boolean {
  return visitor_id !== undefined || visitor_ip !== undefined;
}
