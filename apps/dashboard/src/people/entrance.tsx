import { Center, Group, Paper, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** The frame of the pages before the sign-in. */
export function Entrance({
  title,
  description,
  children,
}: {
  readonly title: string;
  readonly description?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  useEffect(() => {
    document.title = `${title} · Valet`;
  }, [title]);
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper withBorder shadow="sm" p={{ base: "lg", xs: "xl" }} w="100%" maw={440} radius="lg">
        <Group gap="sm" mb="lg">
          <img src="/favicon.svg" alt="" width={32} height={32} />
          <Text fw={700} size="lg">
            Valet
          </Text>
        </Group>
        <Title order={1} size="h3">
          {title}
        </Title>
        {description !== undefined && (
          <Text c="dimmed" size="sm" mt={4}>
            {description}
          </Text>
        )}
        {children}
      </Paper>
    </Center>
  );
}
