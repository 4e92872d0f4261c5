import { Button, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { IconChevronRight, IconMessageChatbot, IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api } from "../api.ts";
import { queries } from "../queries.ts";
import { Empty } from "../ui/empty.tsx";
import { Failure } from "../ui/failure.tsx";
import { NameModal } from "../ui/name-modal.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { When } from "../ui/when.tsx";

/** Integrations -> Agent. */
export function IntegrationsPage(): ReactNode {
  const { projectId } = useParams({ from: "/signed-in/projects/$projectId/integrations/agent" });
  const integrations = useQuery(queries.integrations(projectId));
  const [isCreating, setIsCreating] = useState(false);
  const navigate = useNavigate();
  const queryClient = useQueryClient();
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
      <NameModal
        opened={isCreating}
        onClose={() => setIsCreating(false)}
        title="Create integration"
        description="Where the agent appears, such as “Help panel”."
        action="Create integration"
        onSubmit={async (name) => {
          const { id } = await api.createIntegration(projectId, name);
          await queryClient.invalidateQueries({ queryKey: ["integrations", projectId] });
          await navigate({
            to: "/projects/$projectId/integrations/agent/$integrationId",
            params: { projectId, integrationId: id },
          });
        }}
      />
    </>
  );
}
