import { type RandomBytes, randomBase62 } from "../base62.ts";
import type { IntegrationRow, ProjectRow } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import type { ProjectStore } from "./project-store.ts";

/** The projects of this server and their Agent integrations. */
export interface Projects {
  list(): Promise<ProjectRow[]>;
  /** @throws {@link ProblemError} `not_found`. */
  get(id: string): Promise<ProjectRow>;
  /** Makes a project; `demo` marks the one that `npm start` makes. */
  create(options: { readonly name: string; readonly demo?: boolean }): Promise<ProjectRow>;
  integrations(projectId: string): Promise<IntegrationRow[]>;
  /** @throws {@link ProblemError} `not_found`, for an integration of another project too. */
  integration(projectId: string, id: string): Promise<IntegrationRow>;
  hasIntegration(projectId: string, id: string): Promise<boolean>;
  createIntegration(projectId: string, name: string): Promise<IntegrationRow>;
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
    async create({ name, demo = false }) {
      const row: ProjectRow = {
        id: `prj_${randomBase62(16, random)}`,
        name,
        demo: demo ? 1 : 0,
        created_at_ms: now(),
        team_id: null,
        settings: "{}",
        disabled_at_ms: null,
      };
      await store.insert(row);
      return row;
    },
    integrations: (projectId) => store.integrations(projectId),
    async integration(projectId, id) {
      const row = await store.integration(projectId, id);
      if (!row) throw new ProblemError("not_found");
      return row;
    },
    hasIntegration: async (projectId, id) => Boolean(await store.integration(projectId, id)),
    async createIntegration(projectId, name) {
      const project = await get(projectId);
      const row: IntegrationRow = {
        id: `int_${randomBase62(16, random)}`,
        project_id: project.id,
        kind: "agent",
        name,
        created_at_ms: now(),
        disabled_at_ms: null,
      };
      await store.insertIntegration(row);
      return row;
    },
  };
}
