import type { NewAudit, ProjectRow, TeamRow } from "../database/schema.ts";

/** A team in a list, with how much belongs to it. */
export type ListedTeam = TeamRow & { readonly members: number; readonly projects: number };

/** A team that is being made, with its first member. */
export interface NewTeam {
  readonly team: TeamRow;
  readonly personId?: string;
  readonly audit: readonly NewAudit[];
}

/**
 * Where teams and their members are kept. What is asked for a person is asked of the database in
 * one query with their membership, so that foreign and absent are the same.
 */
export interface TeamStore {
  /** Every team, oldest first. */
  list(): Promise<ListedTeam[]>;
  get(teamId: string): Promise<TeamRow | undefined>;
  /** The teams that a person is a member of, the first joined first. */
  teamsOf(personId: string): Promise<TeamRow[]>;
  projectsOf(personId: string): Promise<ProjectRow[]>;
  projectOf(personId: string, projectId: string): Promise<ProjectRow | undefined>;
  /** The project of a document that a person may see. */
  projectOfDocument(personId: string, documentId: string): Promise<string | undefined>;
  /** Whether anybody is a member of any team. */
  hasMembers(): Promise<boolean>;
  insert(made: NewTeam): Promise<void>;
  /** Adds a member, who may be one already. */
  addMember(member: {
    readonly teamId: string;
    readonly personId: string;
    readonly atMs: number;
    readonly audit: readonly NewAudit[];
  }): Promise<void>;
  /** The id of whoever has an account with this address. */
  personOf(email: string): Promise<string | undefined>;
  /** People in no team, oldest first. */
  peopleWithoutTeam(): Promise<string[]>;
  /** Ids of projects of no team. */
  projectsWithoutTeam(): Promise<string[]>;
  /** Gives projects of no team to one. */
  takeProjects(
    teamId: string,
    projectIds: readonly string[],
    audit: readonly NewAudit[],
  ): Promise<void>;
}
