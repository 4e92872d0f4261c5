import type { SessionRequest } from "@valet/protocol";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import { parseIpAddress } from "../http/ip-address.ts";
import type { LimitName, ProjectSettings } from "../projects/project-settings.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import type { Rate } from "./gcra.ts";
import type { Charge } from "./limiter.ts";

/*
 * Which limits a request meets. Whom they count comes from a verified key or session, so that no
 * client can choose a fresh counter for itself; before that, only from its address. What a key
 * says of an owner or a visitor is its project's own word, and counts in that project alone.
 */

type KeyOf = Pick<KeyPrincipal, "kid" | "projectId">;

/** Making a session: by key, and by whom it is for. */
export function mintCharges(
  settings: ProjectSettings,
  { kid, projectId }: KeyOf,
  { external_owner_id: owner, visitor_id: visitor, visitor_ip: address }: SessionRequest,
): Charge[] {
  return [
    charge(settings, "mint_key", kid),
    ...(owner === undefined ? [] : [charge(settings, "mint_owner", within(projectId, owner))]),
    ...(visitor === undefined
      ? []
      : [charge(settings, "mint_visitor", within(projectId, visitor))]),
    ...(address === undefined
      ? []
      : [charge(settings, "mint_visitor_address", within(projectId, addressKey(address)))]),
  ];
}

/** A new question: by session, by whom it is for, and by project. */
export function messageCharges(settings: ProjectSettings, session: SessionPrincipal): Charge[] {
  const { sid, projectId, owner, visitorId, visitorIp } = session;
  return [
    charge(settings, "session", sid),
    ...(owner === null ? [] : [charge(settings, "owner", within(projectId, owner))]),
    ...(visitorId === null ? [] : [charge(settings, "visitor", within(projectId, visitorId))]),
    ...(visitorIp === null
      ? []
      : [charge(settings, "visitor_address", within(projectId, addressKey(visitorIp)))]),
    charge(settings, "project", projectId),
  ];
}

/** Everything else that a session asks: outputs of tools, attaching again, history. */
export function requestCharges(settings: ProjectSettings, { sid }: SessionPrincipal): Charge[] {
  return [charge(settings, "session_requests", sid)];
}

/** Everything else that a key asks: lists, looks, revocations. */
export function keyRequestCharges(settings: ProjectSettings, { kid }: KeyOf): Charge[] {
  return [charge(settings, "key_requests", kid)];
}

/** Asking what a token is. */
export function introspectCharges(settings: ProjectSettings, { kid }: KeyOf): Charge[] {
  return [charge(settings, "introspect", kid)];
}

const failures: Rate = { quota: 60, windowMs: 60_000, burst: 60 };

/** A credential that was no good, by the address that it came from. */
export function failureCharges(address: string): Charge[] {
  return [{ policy: "auth-failures", rate: failures, key: addressKey(address) }];
}

/** What counts as one place of the network: an IPv4 address, the /64 of an IPv6 address. */
export function addressKey(address: string): string {
  const parsed = parseIpAddress(address);
  if (parsed?.family !== "ipv6") return parsed?.text ?? "unknown";
  return `${parsed.text.split(":").slice(0, 4).join(":")}::/64`;
}

function charge(settings: ProjectSettings, name: LimitName, key: string): Charge {
  return { policy: policyNames[name], rate: settings.limits[name], key };
}

/** Project ids have no line feeds: names cannot be mistaken for those of another project. */
function within(projectId: string, name: string): string {
  return `${projectId}\n${name}`;
}

/** How the headers call them. */
const policyNames: Readonly<Record<LimitName, string>> = {
  mint_key: "mint-key",
  key_requests: "key-requests",
  mint_owner: "mint-owner",
  mint_visitor: "mint-visitor",
  mint_visitor_address: "mint-visitor-address",
  session: "session",
  session_requests: "session-requests",
  owner: "owner",
  visitor: "visitor",
  visitor_address: "visitor-address",
  project: "project",
  introspect: "introspect",
};
