import { type Actor, auditLine } from "../audit/audit-context.ts";
import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { IntegrationRow, ProjectRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { ProjectStore } from "./project-store.ts";

/** The projects of this server and their Agent integrations. */
export interface Projects {
  list(): Promise<ProjectRow[]>;
  /** @throws {@link ProblemError} `not_found`. */
  get(id: string): Promise<ProjectRow>;
  /** Makes a project. Without a team it is seen by the command alone. */
  create(options: CreateProjectOptions): Promise<ProjectRow>;
  integrations(projectId: string): Promise<IntegrationRow[]>;
  /** @throws {@link ProblemError} `not_found`, for an integration of another project too. */
  integration(projectId: string, id: string): Promise<IntegrationRow>;
  hasIntegration(projectId: string, id: string): Promise<boolean>;
  createIntegration(projectId: string, name: string, actor?: Actor): Promise<IntegrationRow>;
}

/** What {@link Projects.create} takes. */
export interface CreateProjectOptions {
  readonly name: string;
  readonly teamId?: string;
  /** Marks the one that `npm start` makes. @default false */
  readonly demo?: boolean;
  /** For the audit. @default "server" */
  readonly actor?: Actor;
}

/** What {@link createProjects} needs. */
export interface ProjectsOptions {
  readonly store: ProjectStore;
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

/** Opens the projects of a store. */
export function createProjects({ store, now = Date.now, random }: ProjectsOptions): Projects {
  async function get(id: string): Promise<ProjectRow> {
    const row = await store.get(id);
    if (!row) throw new ProblemError("not_found");
    return row;
  }
  return {
    list: () => store.list(),
    get,
    async create({ name, teamId, demo = false, actor = "server" }) {
      const row: ProjectRow = {
        id: `prj_${randomBase62(16, random)}`,
        team_id: teamId ?? null,
        name,
        demo: demo ? 1 : 0,
        created_at_ms: now(),
        settings: "{}",
        disabled_at_ms: null,
      };
      const line = { atMs: row.created_at_ms, event: "project.created", target: row.id };
      await store.insert(row, auditLine(actor, { ...line, projectId: row.id, detail: { name } }));
      return row;
    },
    integrations: (projectId) => store.integrations(projectId),
    async integration(projectId, id) {
      const row = await store.integration(projectId, id);
      if (!row) throw new ProblemError("not_found");
      return row;
    },
    hasIntegration: async (projectId, id) => Boolean(await store.integration(projectId, id)),
    async createIntegration(projectId, name, actor = "server") {
      const project = await get(projectId);
      const row: IntegrationRow = {
        id: `int_${randomBase62(16, random)}`,
        project_id: project.id,
        kind: "agent",
        name,
        created_at_ms: now(),
        disabled_at_ms: null,
      };
      const line = { atMs: row.created_at_ms, event: "integration.created", target: row.id };
      await store.insertIntegration(
        row,
        auditLine(actor, { ...line, projectId: project.id, detail: { name } }),
      );
      return row;
    },
  };
}
