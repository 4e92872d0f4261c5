import type { ControlClient } from "../control/control-client.ts";
import { ControlError } from "../control/control-client.ts";

interface ListedProject {
  readonly id: string;
  readonly name: string;
}

/**
 * The project a command is about: the one named, or the only one there is.
 *
 * @throws {@link ControlError} When there are none, or several and none was named.
 */
export async function chooseProject(client: ControlClient, id?: string): Promise<string> {
  const { projects } = await client.get<{ projects: ListedProject[] }>("/projects");
  const list = projects.map((project) => `  ${project.id}  ${project.name}`).join("\n");
  if (id !== undefined) {
    if (projects.some((project) => project.id === id)) return id;
    throw new ControlError(`There is no project ${id}. There are:\n${list}`);
  }
  const [only, ...others] = projects;
  if (!only) {
    throw new ControlError(
      "There is no project yet. Run `valet setup-link`, open the link, and make an account.",
    );
  }
  if (others.length > 0) {
    throw new ControlError(`There are several projects. Name one with --project:\n${list}`);
  }
  return only.id;
}
