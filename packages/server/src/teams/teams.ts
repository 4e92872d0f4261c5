import type { AuditScope } from "../audit/audit.ts";
import { type Actor, auditLine } from "../audit/audit-context.ts";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { ProjectRow, TeamRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createInTurn } from "../in-turn.ts";
import type { Person } from "../people/people.ts";
import type { Projects } from "../projects/projects.ts";
import type { ListedTeam, TeamStore } from "./team-store.ts";

/**
 * Teams: what a person may see is what belongs to a team that they are a member of. Everything
 * else is a 404, found out by the same query as what does not exist.
 */
export interface Teams {
  list(): Promise<ListedTeam[]>;
  /** @throws {@link ProblemError} `not_found`. */
  get(teamId: string): Promise<TeamRow>;
  create(name: string, actor: Actor): Promise<TeamRow>;
  /** The only team, made if there is none. @throws {@link ProblemError} `invalid_request` when there are several. */
  onlyTeam(actor: Actor): Promise<TeamRow>;
  /** @throws {@link ProblemError} `not_found` for a team, `invalid_request` for an address that nobody has. */
  addMember(teamId: string, email: string, actor: Actor): Promise<void>;
  /**
   * Gives a new person their team: the one that the set-up link was for, else one of their own.
   * The first person of an installation takes over what is there. A team without a project gets one.
   */
  welcome(person: Person, teamId: string | null, actor: Actor): Promise<void>;
  /** At start: people and projects from before there were teams come into the first one. */
  adopt(): Promise<void>;
  teamsOf(personId: string): Promise<TeamRow[]>;
  projectsOf(personId: string): Promise<ProjectRow[]>;
  /** @throws {@link ProblemError} `not_found`, for a project of another team too. */
  projectOf(personId: string, projectId: string): Promise<ProjectRow>;
  projectOfDocument(personId: string, documentId: string): Promise<string | undefined>;
  /** The lines of the audit that a person may see: of their teams, or of one project of those. */
  auditScope(personId: string, projectId?: string): Promise<AuditScope>;
}

/** What {@link createTeams} needs. */
export interface TeamsOptions {
  readonly store: TeamStore;
  readonly projects: Pick<Projects, "create">;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

const firstTeamName = "My team";
const firstProjectName = "My project";

/** Opens the teams of a store. */
export function createTeams({ store, projects, now = Date.now, random }: TeamsOptions): Teams {
  const inTurn = createInTurn();
  const newTeam = (name: string): TeamRow => ({
    id: `tem_${randomBase62(16, random)}`,
    name,
    created_at_ms: now(),
  });

  async function get(teamId: string): Promise<TeamRow> {
    const team = await store.get(teamId);
    if (!team) throw new ProblemError("not_found");
    return team;
  }

  const joined = (teamId: string, personId: string, actor: Actor) =>
    auditLine(actor, {
      atMs: now(),
      event: "member.added",
      target: `person:${personId}`,
      teamId,
      detail: { role: "owner" },
    });

  async function create(name: string, actor: Actor, personId?: string): Promise<TeamRow> {
    const team = newTeam(name);
    const line = { atMs: team.created_at_ms, event: "team.created", target: team.id };
    const audit = [auditLine(actor, { ...line, teamId: team.id, detail: { name } })];
    if (personId !== undefined) audit.push(joined(team.id, personId, actor));
    await store.insert({ team, audit, ...(personId !== undefined && { personId }) });
    return team;
  }

  /** The first team takes in people, and the projects that are in none. */
  async function takeOver(personIds: readonly string[], actor: Actor): Promise<TeamRow> {
    const team = (await store.list())[0] ?? (await create(firstTeamName, actor));
    const projectIds = await store.projectsWithoutTeam();
    const moved = { atMs: now(), event: "project.moved", detail: { team: team.id } };
    await store.takeProjects(
      team.id,
      projectIds,
      projectIds.map((id) => auditLine(actor, { ...moved, target: id, projectId: id })),
    );
    for (const personId of personIds) await join(team.id, personId, actor);
    return team;
  }

  async function teamFor(person: Person, teamId: string | null, actor: Actor): Promise<TeamRow> {
    if (teamId === null) {
      return (await store.hasMembers())
        ? create(`${person.name}'s team`, actor, person.id)
        : takeOver([person.id], actor);
    }
    const team = await get(teamId);
    await join(team.id, person.id, actor);
    return team;
  }

  const join = (teamId: string, personId: string, actor: Actor): Promise<void> =>
    store.addMember({ teamId, personId, atMs: now(), audit: [joined(teamId, personId, actor)] });

  return {
    list: () => store.list(),
    get,
    create: (name, actor) => create(name, actor),
    async onlyTeam(actor) {
      const [only, ...others] = await store.list();
      if (others.length > 0) {
        throw new ProblemError("invalid_request", {
          field: "team_id",
          detail: "team_id: There are several teams; say which.",
        });
      }
      return only ?? create(firstTeamName, actor);
    },
    async addMember(teamId, email, actor) {
      const team = await get(teamId);
      const personId = await store.personOf(email);
      if (personId === undefined) {
        throw new ProblemError("invalid_request", {
          field: "email",
          detail: "email: Nobody has an account with this address.",
        });
      }
      await join(team.id, personId, actor);
    },
    // One after the other: of two who come at once only one is the first.
    welcome: (person, teamId, actor) =>
      inTurn("welcome", async () => {
        const team = await teamFor(person, teamId, actor);
        const hasProject = (await store.projectsOf(person.id)).length > 0;
        // Nobody should have to begin with an empty page.
        if (!hasProject) await projects.create({ name: firstProjectName, teamId: team.id, actor });
      }),
    async adopt() {
      // Once there is a member, a person without a team is one whose set-up did not end: to let
      // them into the first team would show them what is somebody else's.
      const people = (await store.hasMembers()) ? [] : await store.peopleWithoutTeam();
      const projects = await store.projectsWithoutTeam();
      if (people.length > 0 || projects.length > 0) await takeOver(people, "server");
    },
    teamsOf: (personId) => store.teamsOf(personId),
    projectsOf: (personId) => store.projectsOf(personId),
    async projectOf(personId, projectId) {
      const row = await store.projectOf(personId, projectId);
      if (!row) throw new ProblemError("not_found");
      return row;
    },
    projectOfDocument: (personId, documentId) => store.projectOfDocument(personId, documentId),
    async auditScope(personId, projectId) {
      const projects = await store.projectsOf(personId);
      if (projectId !== undefined) {
        if (!projects.some(({ id }) => id === projectId)) throw new ProblemError("not_found");
        return { projectIds: [projectId], teamIds: [] };
      }
      const teams = await store.teamsOf(personId);
      return { projectIds: projects.map(({ id }) => id), teamIds: teams.map(({ id }) => id) };
    },
  };
}
