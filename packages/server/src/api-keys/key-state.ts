import type { ApiKeyRow } from "../database/schema.ts";

/** Why a key is refused: codes of the error table, told to its true holder alone. */
export type KeyRefusal = "key_revoked" | "key_disabled" | "key_expired" | "key_rotated";

/** How a key is shown. `in_grace` was replaced and still works; `rotated` was and does not. */
export type KeyState = "active" | "in_grace" | "rotated" | "expired" | "disabled" | "revoked";

type Dated = Pick<
  ApiKeyRow,
  "revoked_at_ms" | "disabled_at_ms" | "expires_at_ms" | "replaced_by" | "grace_until_ms"
>;

/**
 * Why a key may not be used at an instant; `undefined` if it may. The one place that says so. What
 * a person did counts before what time did.
 */
export function refusalOf(row: Dated, nowMs: number): KeyRefusal | undefined {
  if (row.revoked_at_ms !== null) return "key_revoked";
  if (row.disabled_at_ms !== null) return "key_disabled";
  if (row.expires_at_ms !== null && row.expires_at_ms <= nowMs) return "key_expired";
  if (row.replaced_by !== null && (row.grace_until_ms ?? 0) <= nowMs) return "key_rotated";
  return undefined;
}

/** The state of a key at an instant. */
export function stateOf(row: Dated, nowMs: number): KeyState {
  const refusal = refusalOf(row, nowMs);
  if (refusal) return stateByRefusal[refusal];
  return row.replaced_by === null ? "active" : "in_grace";
}

const stateByRefusal = {
  key_revoked: "revoked",
  key_disabled: "disabled",
  key_expired: "expired",
  key_rotated: "rotated",
} as const satisfies Record<KeyRefusal, KeyState>;
