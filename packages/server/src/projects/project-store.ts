import type { IntegrationRow, NewAudit, ProjectRow } from "../database/schema.ts";

/** Where projects and their integrations are kept. */
export interface ProjectStore {
  list(): Promise<ProjectRow[]>;
  get(id: string): Promise<ProjectRow | undefined>;
  /** Adds a project and its line in the audit, both or neither. */
  insert(row: ProjectRow, audit?: NewAudit): Promise<void>;
  integrations(projectId: string): Promise<IntegrationRow[]>;
  integration(projectId: string, id: string): Promise<IntegrationRow | undefined>;
  /** Adds an integration and its line in the audit, both or neither. */
  insertIntegration(row: IntegrationRow, audit?: NewAudit): Promise<void>;
}
