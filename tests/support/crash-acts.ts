import { expect } from "vitest";
import type { KillableServer } from "./killable-server.ts";

/** What is known of something: so it is, or so it may be, because the answer did not come. */
type Known<State> = { readonly state: State; readonly isSure: boolean };

interface Session {
  readonly sid: string;
  readonly token: string;
  readonly owner: string;
  readonly kid: string;
  end: Known<"live" | "over">;
}
interface Key {
  readonly kid: string;
  readonly secret: string;
  end: Known<"live" | "over">;
}
interface Owner {
  readonly name: string;
  block: Known<"free" | "blocked">;
}

/** Everything that was asked of the servers so far, and what was answered. */
export interface Acts {
  readonly sessions: Session[];
  readonly keys: Key[];
  readonly owners: Owner[];
  /** Events with their targets that the audit must have. */
  readonly audited: string[];
  project?: string;
  /** Does something at random. Rejects when the server did not answer. */
  one(server: KillableServer): Promise<void>;
}

const scopes = ["sessions:create", "sessions:read", "sessions:revoke", "introspect"];
/** Sessions looked at again after a kill: the last ones, of those before a handful. */
const sessionsLookedAt = 60;

/** Begins with nothing. */
export function createActs(): Acts {
  const acts: Acts = { sessions: [], keys: [], owners: [], audited: [], one };
  let owners = 0;

  /** What acts under way are about; nothing else is done to it meanwhile, so that its end is known. */
  const taken = new Set<string>();
  const isFree = (...names: string[]) => names.every((name) => !taken.has(name));

  async function one(server: KillableServer): Promise<void> {
    const live = acts.keys.filter(({ kid, end }) => end.state === "live" && !taken.has(kid));
    const sure = live.filter(({ end }) => end.isSure);
    const key = sure.at(-1);
    if (!key || Math.random() < 0.15) return createKey(server);
    const chance = Math.random();
    const session = acts.sessions.findLast(
      ({ sid, owner, end }) => end.state === "live" && end.isSure && isFree(sid, owner),
    );
    if (session && chance < 0.3) {
      return hold([session.sid, session.owner], () => endSession(server, key, session));
    }
    const owner = acts.owners.findLast(({ name, block }) => block.isSure && isFree(name));
    if (owner && chance < 0.45) return hold([owner.name], () => changeBlock(server, key, owner));
    const oldest = sure[0];
    const inUse = acts.sessions.some(({ kid, owner }) => kid === oldest?.kid && taken.has(owner));
    if (oldest && oldest !== key && !inUse && chance < 0.55 && !using.has(oldest.kid)) {
      return hold([oldest.kid], () => endKey(server, oldest));
    }
    using.set(key.kid, (using.get(key.kid) ?? 0) + 1);
    await mint(server, key);
    const left = (using.get(key.kid) ?? 1) - 1;
    if (left === 0) using.delete(key.kid);
    else using.set(key.kid, left);
  }

  /** Keys that sessions are being made with. */
  const using = new Map<string, number>();

  /** Whoever is cut off keeps what it held: nobody knows what became of it. */
  async function hold(names: readonly string[], work: () => Promise<void>): Promise<void> {
    for (const name of names) taken.add(name);
    await work();
    for (const name of names) taken.delete(name);
  }

  async function createKey({ control }: KillableServer): Promise<void> {
    const path = `/projects/${acts.project}/keys`;
    const made = await control.post<{ id: string; secret: string }>(path, { name: "k", scopes });
    const end = { state: "live", isSure: true } as const;
    acts.keys.push({ kid: made.id, secret: made.secret, end });
    acts.audited.push(`key.created ${made.id}`);
  }

  async function mint(server: KillableServer, key: Key): Promise<void> {
    owners += 1;
    const owner = `owner-${owners}`;
    const body = { external_owner_id: owner };
    const { status, json } = await send(server, acts, key, "POST", "/sessions/", body);
    expect(status).toBe(201);
    const { session_id: sid, session_token: token } = json as Record<string, string>;
    const end = { state: "live", isSure: true } as const;
    acts.sessions.push({ sid: sid ?? "", token: token ?? "", owner, kid: key.kid, end });
    acts.owners.push({ name: owner, block: { state: "free", isSure: true } });
  }

  async function endSession(server: KillableServer, key: Key, session: Session): Promise<void> {
    session.end = { state: "over", isSure: false };
    const path = `/sessions/${session.sid}/`;
    const { status } = await send(server, acts, key, "DELETE", path);
    expect(status).toBe(200);
    session.end = { state: "over", isSure: true };
    acts.audited.push(`session.revoked ${session.sid}`);
  }

  /** A block ends what the owner has; taking it back brings nothing of that back. */
  async function changeBlock(server: KillableServer, key: Key, owner: Owner): Promise<void> {
    const block = owner.block.state === "free";
    const state = block ? "blocked" : "free";
    const theirs = block ? acts.sessions.filter((session) => session.owner === owner.name) : [];
    owner.block = { state, isSure: false };
    for (const session of theirs) session.end = { state: "over", isSure: false };
    const body = { targets: [{ owner: owner.name }], block };
    const { status } = await send(server, acts, key, "POST", "/revocations/", body);
    expect(status).toBe(200);
    owner.block = { state, isSure: true };
    for (const session of theirs) session.end = { state: "over", isSure: true };
  }

  async function endKey({ control }: KillableServer, key: Key): Promise<void> {
    const theirs = acts.sessions.filter(({ kid }) => kid === key.kid);
    key.end = { state: "over", isSure: false };
    for (const session of theirs) {
      if (session.end.state === "live") session.end = { state: "over", isSure: false };
    }
    await control.post(`/projects/${acts.project}/keys/${key.kid}/revoke`);
    key.end = { state: "over", isSure: true };
    for (const session of theirs) session.end = { state: "over", isSure: true };
    acts.audited.push(`key.revoked ${key.kid}`);
  }
  return acts;
}

/** Whether all that was acknowledged is there, in a server that was started over what is left. */
export async function checkActs(acts: Acts, server: KillableServer): Promise<void> {
  const { control } = server;
  if (acts.project === undefined) {
    const { project } = await control.post<{ project: { id: string } }>("/projects", { name: "p" });
    acts.project = project.id;
  }
  expect(await control.post("/audit/verify", {})).toMatchObject({ ok: true });

  const { keys } = await control.get<{ keys: { id: string; revoked_at: string | null }[] }>(
    `/projects/${acts.project}/keys`,
  );
  const ends = new Map(keys.map(({ id, revoked_at: at }) => [id, at === null ? "live" : "over"]));
  for (const { kid, end } of acts.keys) {
    const found = ends.get(kid);
    expect([kid, found]).toEqual([kid, end.isSure ? end.state : expect.any(String)]);
  }

  const asking = await control.post<{ secret: string }>(`/projects/${acts.project}/keys`, {
    name: "asks",
    scopes,
  });
  const recent = acts.sessions.slice(-sessionsLookedAt);
  const older = acts.sessions.slice(0, -sessionsLookedAt).filter(() => Math.random() < 0.05);
  const looks = [...older, ...recent].map(async ({ sid, token, end }) => {
    const { json } = await send(server, acts, asking, "POST", "/sessions/introspect", { token });
    const isActive = (json as { active: boolean }).active;
    if (end.isSure) expect([sid, isActive]).toEqual([sid, end.state === "live"]);
  });
  await Promise.all(looks);
  // No more than a key may mint at once.
  const mints = acts.owners.slice(-40).map(async ({ name, block }) => {
    if (!block.isSure) return;
    const body = { external_owner_id: name, ttl_seconds: 60 };
    const { status } = await send(server, acts, asking, "POST", "/sessions/", body);
    expect([name, status]).toEqual([name, block.state === "blocked" ? 403 : 201]);
  });
  await Promise.all(mints);

  const lines = new Set<string>();
  for await (const line of control.lines<{ event?: string; target?: string }>(
    `/audit/export?project=${acts.project}`,
    {},
  )) {
    lines.add(`${line.event} ${line.target}`);
  }
  expect(acts.audited.filter((line) => !lines.has(line))).toEqual([]);
}

async function send(
  { url }: KillableServer,
  { project }: Acts,
  { secret }: { readonly secret: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(`${url}/agent/v1/projects/${project}/agent${path}`, {
    method,
    headers: { "x-api-key": secret, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}
