import { Button, Center } from "@mantine/core";
import { IconFolderPlus } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Empty } from "../ui/empty.tsx";
import { CreateProjectModal } from "./create-project-modal.tsx";

/** There is no project at all. */
export function NoProjectPage(): ReactNode {
  const [isCreating, setIsCreating] = useState(false);
  return (
    <Center mih="100dvh" component="main">
      <Empty
        icon={<IconFolderPlus />}
        title="There is no project yet"
        action={<Button onClick={() => setIsCreating(true)}>Create project</Button>}
      >
        A project holds the keys, the integrations and the documentation of one product.
      </Empty>
      <CreateProjectModal opened={isCreating} onClose={() => setIsCreating(false)} />
    </Center>
  );
}
