import type { SessionRequest } from "@valet/protocol";
import type { ProjectSettings } from "../projects/project-settings.ts";
import type { SessionPolicy } from "./principal.ts";

/**
 * What both policies allow. Never more than either of them, whatever the other says; so a policy
 * that was narrowed once can be narrowed again and never widened.
 */
export function narrowPolicy(one: SessionPolicy, other: SessionPolicy): SessionPolicy {
  const origins = both(one.origins, other.origins);
  const limits = withoutUndefined({
    turns: least(one.limits?.turns, other.limits?.turns),
    modelTokens: least(one.limits?.modelTokens, other.limits?.modelTokens),
    streams: least(one.limits?.streams, other.limits?.streams),
  });
  const allow = withoutUndefined({
    models: both(one.allow?.models, other.allow?.models),
    tools: both(one.allow?.tools, other.allow?.tools),
    sourceGroups: both(one.allow?.sourceGroups, other.allow?.sourceGroups),
  });
  return {
    ...(origins && { origins }),
    ...(limits && { limits }),
    ...(allow && { allow }),
  };
}

/** Settings are the same object until they are changed. */
const known = {
  visitor: new WeakMap<ProjectSettings, SessionPolicy>(),
  owner: new WeakMap<ProjectSettings, SessionPolicy>(),
};

/** What a project leaves to a session at most; less to a visitor. */
export function policyOfProject(settings: ProjectSettings, isVisitor: boolean): SessionPolicy {
  const policies = isVisitor ? known.visitor : known.owner;
  const before = policies.get(settings);
  if (before) return before;
  const policy = toPolicy(settings, isVisitor);
  policies.set(settings, policy);
  return policy;
}

function toPolicy(settings: ProjectSettings, isVisitor: boolean): SessionPolicy {
  const { allowed_origins: origins, session, visitors, allow } = settings;
  const turns = least(
    session.turns ?? undefined,
    isVisitor ? visitors.turns_per_session : undefined,
  );
  const limits = withoutUndefined({
    turns,
    modelTokens: session.model_tokens ?? undefined,
    streams: session.streams ?? undefined,
  });
  const allowed = withoutUndefined({
    models: allow.models ?? undefined,
    tools: allow.tools ?? undefined,
    sourceGroups: allow.source_groups ?? undefined,
  });
  return {
    ...(origins && { origins }),
    ...(limits && { limits }),
    ...(allowed && { allow: allowed }),
  };
}

/** What a mint asks for. */
export function policyOfRequest({ origins, limits, allow }: SessionRequest): SessionPolicy {
  const bounds = withoutUndefined({
    turns: limits?.turns,
    modelTokens: limits?.model_tokens,
    streams: limits?.streams,
  });
  const allowed = withoutUndefined({
    models: allow?.models,
    tools: allow?.tools,
    sourceGroups: allow?.source_groups,
  });
  return {
    ...(origins && { origins }),
    ...(bounds && { limits: bounds }),
    ...(allowed && { allow: allowed }),
  };
}

function both(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  return one && other ? one.filter((each) => other.includes(each)) : (one ?? other);
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** The object without its undefined fields, or undefined when nothing is left. */
function withoutUndefined<T extends object>(value: T): Defined<T> | undefined {
  let defined: Defined<T> | undefined;
  for (const name in value) {
    if (value[name] === undefined) continue;
    defined ??= {};
    defined[name] = value[name] as Exclude<(typeof value)[typeof name], undefined>;
  }
  return defined;
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };
