/** What a key can be allowed to do. */
export const scopes = [
  "sessions:create",
  "sessions:visitors",
  "sessions:read",
  "sessions:revoke",
  "introspect",
  "agent:direct",
] as const;
export type Scope = (typeof scopes)[number];

/** What a new key may do unless its maker says otherwise. */
export const defaultScopes: readonly Scope[] = [
  "sessions:create",
  "sessions:visitors",
  "sessions:read",
  "sessions:revoke",
];
