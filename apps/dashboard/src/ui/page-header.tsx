import { Box, Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** The heading of a page, a sentence about it, and what can be done on it. */
export function PageHeader({
  title,
  description,
  actions,
}: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${title} · Valet`;
  }, [title]);
  return (
    <Group justify="space-between" align="flex-start" mb="xl" gap="md">
      <Box flex="1 1 20rem">
        <Title order={1} size="h2">
          {title}
        </Title>
        {description !== undefined && (
          <Text c="dimmed" mt={4} maw="46rem">
            {description}
          </Text>
        )}
      </Box>
      {actions}
    </Group>
  );
}
