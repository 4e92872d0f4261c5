import { Alert, Button, Center, Code, Group, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ErrorComponentProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { ApiError } from "../api.ts";

/** What could not be loaded, and a button that tries again. */
export function Failure({
  error,
  onRetry,
}: {
  readonly error: Error;
  readonly onRetry: () => void;
}): ReactNode {
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title="This could not be loaded" role="alert">
      <Stack gap="sm" align="flex-start">
        <Text size="sm">{error.message}</Text>
        <Button size="xs" variant="light" color="red" onClick={onRetry}>
          Try again
        </Button>
      </Stack>
    </Alert>
  );
}

/** The address leads nowhere. */
export function NotFound(): ReactNode {
  return (
    <Center mih="70vh" p="md">
      <Stack align="center" gap="xs">
        <Title order={1} size="h2">
          There is no such page
        </Title>
        <Text c="dimmed">The address may be mistyped, or what it named is gone.</Text>
        <Button component="a" href="/" mt="md">
          Go to the dashboard
        </Button>
      </Stack>
    </Center>
  );
}

/** A page that failed as a whole. */
export function RouteFailure({ error, reset }: ErrorComponentProps): ReactNode {
  if (error instanceof ApiError && error.status === 404) return <NotFound />;
  return (
    <Center mih="70vh" p="md">
      <Stack maw={480}>
        <Title order={1} size="h2">
          Something went wrong
        </Title>
        <Text c="dimmed">The page could not be shown. What it said:</Text>
        <Code block>{error instanceof Error ? error.message : String(error)}</Code>
        <Group>
          <Button onClick={reset}>Try again</Button>
        </Group>
      </Stack>
    </Center>
  );
}
