import type { IntegrationRow, ProjectRow } from "../database/schema.ts";

/** Where projects and their integrations are kept. */
export interface ProjectStore {
  list(): Promise<ProjectRow[]>;
  get(id: string): Promise<ProjectRow | undefined>;
  insert(row: ProjectRow): Promise<void>;
  integrations(projectId: string): Promise<IntegrationRow[]>;
  integration(projectId: string, id: string): Promise<IntegrationRow | undefined>;
  insertIntegration(row: IntegrationRow): Promise<void>;
}
