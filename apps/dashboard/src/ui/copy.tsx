import {
  ActionIcon,
  Box,
  CopyButton,
  Group,
  Paper,
  Text,
  Tooltip,
  VisuallyHidden,
} from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactNode } from "react";

/** A button that copies, and says so to eyes and ears. @param name What is copied, as in "Copy Project ID". */
export function Copy({
  value,
  name,
}: {
  readonly value: string;
  readonly name: string;
}): ReactNode {
  return (
    <CopyButton value={value} timeout={2_000}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${name}`} withArrow>
          <ActionIcon
            variant="subtle"
            color={copied ? "teal" : "gray"}
            onClick={copy}
            aria-label={`Copy ${name}`}
          >
            {copied ? <IconCheck size={18} /> : <IconCopy size={18} />}
            <VisuallyHidden aria-live="polite">{copied ? "Copied" : ""}</VisuallyHidden>
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A value to copy, with its name above it. */
export function CopyField({
  name,
  value,
}: {
  readonly name: string;
  readonly value: string;
}): ReactNode {
  return (
    <Box>
      <Text size="sm" fw={500} mb={4}>
        {name}
      </Text>
      <Paper withBorder px="sm" py={6}>
        <Group justify="space-between" wrap="nowrap">
          <Text className="secret" component="code">
            {value}
          </Text>
          <Copy value={value} name={name} />
        </Group>
      </Paper>
    </Box>
  );
}

/** Code to copy. */
export function CodeSnippet({
  title,
  code,
}: {
  readonly title: string;
  readonly code: string;
}): ReactNode {
  return (
    <Paper withBorder style={{ overflow: "hidden" }}>
      <Group justify="space-between" px="md" py={4} bg="var(--mantine-color-default-hover)">
        <Text size="sm" fw={500}>
          {title}
        </Text>
        <Copy value={code} name={`the code: ${title}`} />
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1). */}
      <pre className="snippet" tabIndex={0}>
        <code>{code}</code>
      </pre>
    </Paper>
  );
}
