import { sql } from "kysely";
import type { TeamStore } from "../teams/team-store.ts";
import { appendAudit } from "./append-audit.ts";
import type { Database } from "./database.ts";

/** Teams in SQL. The accounts themselves are kept by `better-auth`, in the table `person`. */
export function createSqlTeamStore(database: Database): TeamStore {
  /** The projects of the teams that a person is a member of. */
  const projectsOf = (personId: string) =>
    database
      .selectFrom("project")
      .innerJoin("team_member", "team_member.team_id", "project.team_id")
      .where("team_member.person_id", "=", personId);

  return {
    list: async () => {
      const rows = await database
        .selectFrom("team")
        .selectAll()
        .select((eb) => [
          eb
            .selectFrom("team_member")
            .whereRef("team_member.team_id", "=", "team.id")
            .select((inner) => inner.fn.countAll<number>().as("count"))
            .as("members"),
          eb
            .selectFrom("project")
            .whereRef("project.team_id", "=", "team.id")
            .select((inner) => inner.fn.countAll<number>().as("count"))
            .as("projects"),
        ])
        .orderBy("created_at_ms")
        .orderBy("id")
        .execute();
      return rows.map((row) => ({
        ...row,
        members: Number(row.members),
        projects: Number(row.projects),
      }));
    },
    get: (teamId) =>
      database.selectFrom("team").selectAll().where("id", "=", teamId).executeTakeFirst(),
    teamsOf: (personId) =>
      database
        .selectFrom("team")
        .innerJoin("team_member", "team_member.team_id", "team.id")
        .where("team_member.person_id", "=", personId)
        .selectAll("team")
        .orderBy("team_member.created_at_ms")
        .orderBy("team.id")
        .execute(),
    projectsOf: (personId) =>
      projectsOf(personId).selectAll("project").orderBy("project.created_at_ms").execute(),
    projectOf: (personId, projectId) =>
      projectsOf(personId)
        .where("project.id", "=", projectId)
        .selectAll("project")
        .executeTakeFirst(),
    projectOfDocument: async (personId, documentId) => {
      const row = await projectsOf(personId)
        .innerJoin("document", "document.project_id", "project.id")
        .where("document.id", "=", documentId)
        .select("project.id")
        .executeTakeFirst();
      return row?.id;
    },
    hasMembers: async () =>
      Boolean(await database.selectFrom("team_member").select("team_id").executeTakeFirst()),
    insert: ({ team, personId, audit }) =>
      database.transaction().execute(async (db) => {
        await db.insertInto("team").values(team).execute();
        if (personId !== undefined) await join(db, team.id, personId, team.created_at_ms);
        await appendAudit(db, audit);
      }),
    addMember: ({ teamId, personId, atMs, audit }) =>
      database.transaction().execute(async (db) => {
        if (await join(db, teamId, personId, atMs)) await appendAudit(db, audit);
      }),
    personOf: async (email) => {
      const { rows } = await sql<{ id: string }>`
        select id from person where email = ${email.toLowerCase()}`.execute(database);
      return rows[0]?.id;
    },
    peopleWithoutTeam: async () => {
      const { rows } = await sql<{ id: string }>`
        select id from person where id not in (select person_id from team_member)
        order by "createdAt"`.execute(database);
      return rows.map(({ id }) => id);
    },
    projectsWithoutTeam: async () => {
      const rows = await database
        .selectFrom("project")
        .select("id")
        .where("team_id", "is", null)
        .execute();
      return rows.map(({ id }) => id);
    },
    takeProjects: (teamId, projectIds, audit) =>
      database.transaction().execute(async (db) => {
        if (projectIds.length === 0) return;
        await db
          .updateTable("project")
          .set({ team_id: teamId })
          .where("id", "in", projectIds)
          .where("team_id", "is", null)
          .execute();
        await appendAudit(db, audit);
      }),
  };
}

/** Whether the person was no member before. */
async function join(
  db: Database,
  teamId: string,
  personId: string,
  atMs: number,
): Promise<boolean> {
  const row = await db
    .insertInto("team_member")
    .values({ team_id: teamId, person_id: personId, role: "owner", created_at_ms: atMs })
    .onConflict((conflict) => conflict.doNothing())
    .returning("team_id")
    .executeTakeFirst();
  return row !== undefined;
}
