import { type Actor, auditLine } from "../audit/audit-context.ts";
import type { NewAudit } from "../database/schema.ts";
import { ProblemError } from "../http/problem-answer.ts";
import { createInTurn } from "../in-turn.ts";
import {
  defaultSettings,
  type ProjectSettings,
  type ProjectSettingsInput,
  projectSettings,
} from "./project-settings.ts";

/** What is asked of a project on every request: its settings, and whether it is switched off. */
export interface ProjectStates {
  /** The settings in force, defaults filled in. The same object until they are changed. */
  settings(projectId: string): ProjectSettings;
  /** Puts settings in the place of all that was set. @throws {@link ProblemError} `not_found`. */
  change(options: ChangeOptions & { readonly settings: ProjectSettingsInput }): Promise<void>;
  /**
   * Switches a project, or one of its integrations, off or on. When it resolves, sessions are
   * refused and nothing new is made, or all is as before.
   *
   * @throws {@link ProblemError} `not_found`, for an integration of another project too.
   */
  switch(
    options: ChangeOptions & { readonly integrationId?: string; readonly isOn: boolean },
  ): Promise<void>;
  isProjectOff(projectId: string): boolean;
  isIntegrationOff(integrationId: string): boolean;
  /** Whether a session is refused because its project or its integration is switched off. */
  isOff(session: { readonly projectId: string; readonly integrationId: string | null }): boolean;
}

/** Who changes which project. */
export interface ChangeOptions {
  readonly projectId: string;
  readonly actor: Actor;
}

/** Where settings and switches are kept. Every write is durable when it resolves, or undone. */
export interface ProjectStateStore {
  projects(): Promise<readonly StoredProjectState[]>;
  /** The ids of integrations that are switched off. */
  integrationsOff(): Promise<readonly string[]>;
  /** Writes settings, audit and change. Says whether there is such a project. */
  saveSettings(options: SaveOptions & { readonly settings: string }): Promise<boolean>;
  /** Writes the switch, audit and change. Says whether there is such a project or integration. */
  saveSwitch(
    options: SaveOptions & { readonly integrationId?: string; readonly isOn: boolean },
  ): Promise<boolean>;
}

/** A project as {@link ProjectStateStore.projects} gives it. */
export interface StoredProjectState {
  readonly id: string;
  /** JSON. */
  readonly settings: string;
  readonly disabled_at_ms: number | null;
}

/** What every change carries. */
export interface SaveOptions {
  readonly projectId: string;
  readonly audit: NewAudit;
}

/** What {@link createProjectStates} needs. */
export interface ProjectStatesOptions {
  readonly store: ProjectStateStore;
  /** Cuts the streams of the sessions that are refused from now on. */
  readonly onOff: (which: { readonly projectId: string; readonly integrationId?: string }) => void;
  readonly now?: () => number;
}

/**
 * Opens the states of a store. They are mirrored in memory: asking reads nothing, and a project
 * that the mirror has not seen is new and has set nothing. A change is durable before it counts.
 */
export async function createProjectStates({
  store,
  onOff,
  now = Date.now,
}: ProjectStatesOptions): Promise<ProjectStates> {
  const stored = new Map<string, string>();
  const settings = new Map<string, ProjectSettings>();
  const projectsOff = new Set<string>();
  const integrationsOff = new Set(await store.integrationsOff());
  const inTurn = createInTurn();
  for (const project of await store.projects()) {
    if (project.disabled_at_ms !== null) projectsOff.add(project.id);
    if (project.settings !== "{}") remember(project.id, project.settings);
  }

  function remember(projectId: string, json: string): void {
    const read = projectSettings.safeParse(JSON.parse(json));
    // Limits that cannot be read must not become wider ones in silence.
    if (!read.success) throw new Error(`The settings of project ${projectId} cannot be read.`);
    stored.set(projectId, json);
    settings.set(projectId, read.data);
  }

  return {
    settings: (projectId) => settings.get(projectId) ?? defaultSettings,

    change: (options) =>
      inTurn(options.projectId, async () => {
        const { projectId, settings: input, actor } = options;
        const before: unknown = JSON.parse(stored.get(projectId) ?? "{}");
        const audit = auditLine(actor, {
          atMs: now(),
          event: "project.settings_changed",
          target: projectId,
          projectId,
          detail: { before, after: input },
        });
        const json = JSON.stringify(input);
        if (!(await store.saveSettings({ projectId, settings: json, audit }))) {
          throw new ProblemError("not_found");
        }
        remember(projectId, json);
      }),

    switch: (options) =>
      inTurn(options.projectId, async () => {
        const { projectId, integrationId, isOn, actor } = options;
        const off = integrationId === undefined ? projectsOff : integrationsOff;
        const what = integrationId ?? projectId;
        const noun = integrationId === undefined ? "project" : "integration";
        const event = `${noun}.${isOn ? "enabled" : "disabled"}`;
        const saved = await store.saveSwitch({
          projectId,
          ...(integrationId !== undefined && { integrationId }),
          isOn,
          audit: auditLine(actor, { atMs: now(), event, target: what, projectId }),
        });
        if (!saved) throw new ProblemError("not_found");
        if (isOn) {
          off.delete(what);
          return;
        }
        off.add(what);
        onOff({ projectId, ...(integrationId !== undefined && { integrationId }) });
      }),

    isProjectOff: (projectId) => projectsOff.has(projectId),
    isIntegrationOff: (integrationId) => integrationsOff.has(integrationId),
    isOff: ({ projectId, integrationId }) =>
      projectsOff.has(projectId) || (integrationId !== null && integrationsOff.has(integrationId)),
  };
}
