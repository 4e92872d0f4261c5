import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { createSqlProjectStore } from "../database/project-store.ts";
import { createSqlTeamStore } from "../database/team-store.ts";
import { testDatabases } from "../database/testing/test-databases.ts";
import { createPeople } from "../people/people.ts";
import { createProjects } from "../projects/projects.ts";
import { createTeams } from "./teams.ts";

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

for (const kind of await testDatabases()) {
  const open = async () => {
    const { database, drop } = await kind.create();
    drops.push(drop);
    const origin = "http://localhost:4747";
    const people = await createPeople({
      database,
      secret: "a secret of the tests, 32 characters",
      baseUrl: origin,
      origins: [origin],
    });
    const projects = createProjects({ store: createSqlProjectStore(database) });
    const teams = createTeams({ store: createSqlTeamStore(database), projects });
    const account = async (name: string) => {
      const email = `${name.toLowerCase()}@example.com`;
      return (await people.createAccount({ name, email, password: "a long password" })).person;
    };
    const join = async (name: string, teamId: string | null = null) => {
      const person = await account(name);
      await teams.welcome(person, teamId, `person:${person.id}`);
      return person;
    };
    const events = async () =>
      (await database.selectFrom("audit").select("event").orderBy("n").execute()).map(
        ({ event }) => event,
      );
    return { database, projects, teams, account, join, events };
  };

  test(`${kind.name}: the first account makes a team with a project, the next one has one of its own`, async () => {
    const { teams, join, events } = await open();
    const ada = await join("Ada");
    const [mine, ...others] = await teams.projectsOf(ada.id);
    expect(others).toEqual([]);
    expect(await teams.teamsOf(ada.id)).toMatchObject([{ name: "My team" }]);
    expect(await events()).toEqual(["team.created", "member.added", "project.created"]);

    const bob = await join("Bob");
    expect(await teams.teamsOf(bob.id)).toMatchObject([{ name: "Bob's team" }]);
    const [theirs] = await teams.projectsOf(bob.id);
    expect(theirs?.id).not.toBe(mine?.id);
    for (const id of [mine?.id ?? "", "prj_absent"]) {
      await expect(teams.projectOf(bob.id, id)).rejects.toMatchObject({ code: "not_found" });
    }
    expect(await teams.projectOf(ada.id, mine?.id ?? "")).toEqual(mine);
  });

  test(`${kind.name}: of two who come at once one takes over what is there, and they share nothing`, async () => {
    const { teams, projects, account } = await open();
    const { id: teamId } = await teams.onlyTeam("command");
    await projects.create({ name: "Made by the command", teamId });
    const people = [await account("Ada"), await account("Bob")];
    await Promise.all(people.map((person) => teams.welcome(person, null, `person:${person.id}`)));
    const [mine, theirs] = await Promise.all(people.map(({ id }) => teams.projectsOf(id)));
    expect(mine).toHaveLength(1);
    expect(theirs).toHaveLength(1);
    expect(mine?.[0]?.id).not.toBe(theirs?.[0]?.id);
  });

  test(`${kind.name}: a link into a team leads into that team and into no other`, async () => {
    const { teams, join } = await open();
    const ada = await join("Ada");
    const [team] = await teams.teamsOf(ada.id);
    const bob = await join("Bob", team?.id ?? "");
    expect(await teams.teamsOf(bob.id)).toEqual([team]);
    expect(await teams.projectsOf(bob.id)).toEqual(await teams.projectsOf(ada.id));
    const cy = await join("Cy");
    await teams.addMember(team?.id ?? "", "CY@example.com", "command");
    expect(await teams.teamsOf(cy.id)).toHaveLength(2);
    const unknown = teams.addMember(team?.id ?? "", "nobody@example.com", "command");
    await expect(unknown).rejects.toMatchObject({ code: "invalid_request" });
  });

  test(`${kind.name}: who was there before teams, and every project, come into the first team, once`, async () => {
    const { database, projects, teams, account, events } = await open();
    const [ada, bob] = [await account("Ada"), await account("Bob")];
    const old = await projects.create({ name: "Old" });
    await teams.adopt();
    await teams.adopt();
    for (const { id } of [ada, bob]) {
      expect(await teams.projectsOf(id)).toMatchObject([{ id: old.id }]);
    }
    expect((await teams.list())[0]).toMatchObject({ name: "My team", members: 2, projects: 1 });
    expect((await events()).filter((event) => event === "member.added")).toHaveLength(2);
    await sql`update project set team_id = null`.execute(database);
    await teams.adopt();
    expect(await teams.projectsOf(ada.id)).toHaveLength(1);
  });

  test(`${kind.name}: an account whose set-up broke off does not come into the first team by a restart`, async () => {
    const { teams, account, join } = await open();
    await join("Ada");
    const eve = await account("Eve");
    await teams.adopt();
    expect(await teams.teamsOf(eve.id)).toEqual([]);
    expect(await teams.projectsOf(eve.id)).toEqual([]);
  });

  test(`${kind.name}: with several teams a project needs to be told its own`, async () => {
    const { teams } = await open();
    const one = await teams.onlyTeam("command");
    expect(await teams.onlyTeam("command")).toMatchObject(one);
    await teams.create("Two", "command");
    await expect(teams.onlyTeam("command")).rejects.toMatchObject({ code: "invalid_request" });
  });
}
