import { createHmac } from "node:crypto";

/**
 * How the audit names an owner or a visitor of a project: `owner:ref_` and 22 characters. The same
 * person always has the same reference, and without the key nobody gets from it to the person, so
 * that erasing their data does not have to touch the audit.
 *
 * @param key `reference` of the audit's keys.
 */
export function ownerReference(
  key: Buffer,
  { projectId, kind, id }: { projectId: string; kind: "owner" | "visitor"; id: string },
): string {
  const text = JSON.stringify([projectId, kind, id]);
  const digest = createHmac("sha256", key).update(text).digest("base64url");
  return `${kind}:ref_${digest.slice(0, 22)}`;
}

/** A target as it may be written down: `owner:…` and `visitor:…` become references. */
export function referTarget(
  key: Buffer,
  projectId: string | null,
  target: string | null,
): string | null {
  const [, kind, id] = /^(owner|visitor):(.*)$/s.exec(target ?? "") ?? [];
  if (id === undefined) return target;
  return ownerReference(key, {
    projectId: projectId ?? "",
    kind: kind === "owner" ? "owner" : "visitor",
    id,
  });
}
