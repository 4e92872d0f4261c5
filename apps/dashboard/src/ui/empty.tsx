import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { ReactNode } from "react";

/** Nothing is here yet: what it would be, and how to begin. */
export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: ReactNode;
  readonly title: string;
  readonly children: ReactNode;
  readonly action: ReactNode;
}): ReactNode {
  return (
    <Center py={64}>
      <Stack align="center" gap="xs" maw={440} ta="center">
        <ThemeIcon size={56} radius="xl" variant="light">
          {icon}
        </ThemeIcon>
        <Title order={2} size="h4" mt="sm">
          {title}
        </Title>
        <Text c="dimmed">{children}</Text>
        <div style={{ marginTop: "1rem" }}>{action}</div>
      </Stack>
    </Center>
  );
}
