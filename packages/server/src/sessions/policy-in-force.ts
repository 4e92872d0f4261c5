import type { ProjectSettings } from "../projects/project-settings.ts";
import { narrowPolicy, policyOfProject } from "./narrow-policy.ts";
import { isVisitor, type SessionPrincipal } from "./principal.ts";

/**
 * Gives a session with the policy that is in force: what was fixed when it was made, narrowed by
 * what its project says now. Remembered for each session until the project's settings change.
 */
export function createPolicyInForce(
  settingsOf: (projectId: string) => ProjectSettings,
): (session: SessionPrincipal) => SessionPrincipal {
  const known = new WeakMap<
    SessionPrincipal,
    { readonly settings: ProjectSettings; readonly session: SessionPrincipal }
  >();
  return (session) => {
    const settings = settingsOf(session.projectId);
    const earlier = known.get(session);
    if (earlier?.settings === settings) return earlier.session;
    const project = policyOfProject(settings, isVisitor(session));
    const isWide = Object.keys(project).length === 0;
    const narrowed = isWide
      ? session
      : { ...session, policy: narrowPolicy(session.policy, project) };
    known.set(session, { settings, session: narrowed });
    return narrowed;
  };
}
