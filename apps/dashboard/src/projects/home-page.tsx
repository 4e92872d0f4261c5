import { Button, Group, Paper, Skeleton, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconCheck, IconCircleDashed } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { queries } from "../queries.ts";
import { Failure } from "../ui/failure.tsx";
import { PageHeader } from "../ui/page-header.tsx";

/** Whether a project works yet, and what its next step is. */
export function HomePage(): ReactNode {
  const { projectId } = useParams({ from: "/signed-in/projects/$projectId/" });
  const keys = useQuery(queries.keys(projectId));
  const integrations = useQuery(queries.integrations(projectId));
  const error = keys.error ?? integrations.error;
  const header = (
    <PageHeader
      title="Home"
      description="Four steps from here to an answer in your own app. Each is ticked when it has really happened."
    />
  );
  if (error) {
    const retry = () => void Promise.all([keys.refetch(), integrations.refetch()]);
    return (
      <>
        {header}
        <Failure error={error} onRetry={retry} />
      </>
    );
  }
  if (!keys.data || !integrations.data) {
    return (
      <>
        {header}
        <Stack>
          {[1, 2, 3, 4].map((step) => (
            <Skeleton key={step} h={84} />
          ))}
        </Stack>
      </>
    );
  }
  const active = keys.data.filter(({ revoked_at }) => revoked_at === null);
  const firstIntegration = integrations.data[0];
  const isKeyUsed = keys.data.some(({ last_used_at }) => last_used_at !== null);
  const base = `/projects/${projectId}`;
  const setUp = firstIntegration
    ? `${base}/integrations/agent/${firstIntegration.id}`
    : `${base}/integrations/agent`;
  const steps = [
    {
      title: "Create an Agent integration",
      text: "It has the two ids that your page needs.",
      isDone: firstIntegration !== undefined,
      to: `${base}/integrations/agent`,
      action: "Integrations",
    },
    {
      title: "Create an API key",
      text: "It goes into your server's environment, and nowhere else.",
      isDone: active.length > 0,
      to: `${base}/settings/api-keys`,
      action: "API Keys",
    },
    {
      title: "Add the session endpoint to your server",
      text: "It trades the key for session tokens. Ticked when a key was used.",
      isDone: isKeyUsed,
      to: setUp,
      action: "Show the code",
    },
    {
      title: "Add the chat to your page",
      text: "A few lines of React, or plain JavaScript. Ticked while somebody has a session.",
      isDone: keys.data.some(({ live_sessions }) => live_sessions > 0),
      to: setUp,
      action: "Show the code",
    },
  ];
  return (
    <>
      {header}
      <Stack component="ol" p={0} m={0} style={{ listStyle: "none" }} maw={760}>
        {steps.map(({ title, text, isDone, to, action }) => (
          <Paper key={title} withBorder p="md" component="li">
            <Group justify="space-between" gap="md">
              <Group wrap="nowrap" flex="1 1 18rem">
                <ThemeIcon
                  variant={isDone ? "filled" : "light"}
                  color={isDone ? "teal" : "gray"}
                  radius="xl"
                >
                  {isDone ? <IconCheck size={18} /> : <IconCircleDashed size={18} />}
                </ThemeIcon>
                <div>
                  <Title order={2} size="h5">
                    {title}
                  </Title>
                  <Text size="sm" c="dimmed">
                    {isDone ? "Done. " : ""}
                    {text}
                  </Text>
                </div>
              </Group>
              <Button component={Link} to={to} variant={isDone ? "default" : "filled"} size="sm">
                {action}
              </Button>
            </Group>
          </Paper>
        ))}
      </Stack>
    </>
  );
}
