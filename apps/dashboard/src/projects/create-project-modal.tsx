import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../api.ts";
import { NameModal } from "../ui/name-modal.tsx";

/** Makes a project and goes to it. */
export function CreateProjectModal({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return (
    <NameModal
      opened={opened}
      onClose={onClose}
      title="New project"
      description="A project has its own keys, integrations and documentation."
      action="Create project"
      onSubmit={async (name) => {
        const project = await api.createProject(name);
        await queryClient.invalidateQueries({ queryKey: ["projects"] });
        await navigate({ to: "/projects/$projectId", params: { projectId: project.id } });
      }}
    />
  );
}
