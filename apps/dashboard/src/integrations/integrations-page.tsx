import {
  Alert,
  Button,
  Group,
  Modal,
  Paper,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { IconChevronRight, IconMessageChatbot, IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { api } from "../api.ts";
import { queries } from "../queries.ts";
import { Empty } from "../ui/empty.tsx";
import { Failure } from "../ui/failure.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { When } from "../ui/when.tsx";

/** Integrations -> Agent. */
export function IntegrationsPage(): ReactNode {
  const { projectId } = useParams({ from: "/signed-in/projects/$projectId/integrations/agent" });
  const integrations = useQuery(queries.integrations(projectId));
  const [isCreating, setIsCreating] = useState(false);
  const create = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setIsCreating(true)}>
      Create integration
    </Button>
  );
  const hasSome = (integrations.data?.length ?? 0) > 0;
  return (
    <>
      <PageHeader
        title="Agent"
        description="An integration is a place where your agent appears: one for each app or site."
        actions={hasSome ? create : undefined}
      />
      {integrations.error && (
        <Failure error={integrations.error} onRetry={() => void integrations.refetch()} />
      )}
      {integrations.isPending && <Skeleton h={72} />}
      {integrations.data?.length === 0 && (
        <Empty
          icon={<IconMessageChatbot />}
          title="There is no Agent integration yet"
          action={create}
        >
          Create one to get its ids, and the code that puts the chat into your app.
        </Empty>
      )}
      <Stack component="ul" p={0} m={0} style={{ listStyle: "none" }}>
        {integrations.data?.map(({ id, name, created_at }) => (
          <li key={id}>
            <Paper
              withBorder
              p="md"
              display="block"
              component={Link}
              to={`/projects/${projectId}/integrations/agent/${id}`}
              style={{ color: "inherit", textDecoration: "none" }}
            >
              <Group justify="space-between" wrap="nowrap">
                <div style={{ minWidth: 0 }}>
                  <Text fw={600}>{name}</Text>
                  <Text size="sm" c="dimmed" className="secret">
                    {id}
                  </Text>
                  <Text size="sm" c="dimmed">
                    Created <When instant={created_at} />
                  </Text>
                </div>
                <IconChevronRight size={18} />
              </Group>
            </Paper>
          </li>
        ))}
      </Stack>
      <CreateIntegrationModal
        projectId={projectId}
        opened={isCreating}
        onClose={() => setIsCreating(false)}
      />
    </>
  );
}

function CreateIntegrationModal({
  projectId,
  opened,
  onClose,
}: {
  readonly projectId: string;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState("");
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const create = useMutation({
    mutationFn: () => api.createIntegration(projectId, name),
    async onSuccess({ id }) {
      await queryClient.invalidateQueries({ queryKey: ["integrations", projectId] });
      await navigate({
        to: "/projects/$projectId/integrations/agent/$integrationId",
        params: { projectId, integrationId: id },
      });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Create integration">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description="Where the agent appears, such as “Help panel”."
            required
            maxLength={100}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          {create.error && <Alert color="red">{create.error.message}</Alert>}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              Create integration
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
