import { Badge, Box, Button, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconEye, IconKey, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { ApiKey } from "../api.ts";
import { queries } from "../queries.ts";
import { count } from "../ui/count.ts";
import { Empty } from "../ui/empty.tsx";
import { Failure } from "../ui/failure.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { When } from "../ui/when.tsx";
import { CreateKeyModal } from "./create-key-modal.tsx";
import { RevealKeyModal } from "./reveal-key-modal.tsx";
import { RevokeKeyModal } from "./revoke-key-modal.tsx";

type Open = "create" | { readonly what: "reveal" | "revoke"; readonly key: ApiKey } | undefined;

const badges: Readonly<Record<ApiKey["state"], { readonly text: string; readonly color: string }>> =
  {
    active: { text: "Active", color: "teal" },
    in_grace: { text: "Replaced", color: "yellow" },
    rotated: { text: "Replaced", color: "gray" },
    expired: { text: "Expired", color: "gray" },
    disabled: { text: "Disabled", color: "orange" },
    revoked: { text: "Revoked", color: "gray" },
  };

/** Settings -> API Keys. */
export function ApiKeysPage(): ReactNode {
  const { projectId } = useParams({ from: "/signed-in/projects/$projectId/settings/api-keys" });
  const keys = useQuery(queries.keys(projectId));
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const create = (
    <Button leftSection={<IconPlus size={18} />} onClick={() => setOpen("create")}>
      Create key
    </Button>
  );
  const active = keys.data?.filter(({ revoked_at }) => revoked_at === null) ?? [];
  const revoked = keys.data?.filter(({ revoked_at }) => revoked_at !== null) ?? [];
  return (
    <>
      <PageHeader
        title="API Keys"
        description="Your server uses a key to create sessions. A key belongs in your server's environment and never in a page."
        actions={keys.data && keys.data.length > 0 ? create : undefined}
      />
      {keys.error && <Failure error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isPending && (
        <Stack>
          <Skeleton h={92} />
          <Skeleton h={92} />
        </Stack>
      )}
      {keys.data?.length === 0 && (
        <Empty icon={<IconKey />} title="There are no keys yet" action={create}>
          Create one, put it into your server's environment as VALET_API_KEY, and your server can
          create sessions.
        </Empty>
      )}
      <Stack component="ul" p={0} m={0} style={{ listStyle: "none" }}>
        {active.map((key) => (
          <KeyRow key={key.id} apiKey={key}>
            {key.keeps_copy && (
              <Button
                variant="default"
                size="xs"
                leftSection={<IconEye size={16} />}
                onClick={() => setOpen({ what: "reveal", key })}
                aria-label={`View ${key.name}`}
              >
                View
              </Button>
            )}
            <Button
              variant="light"
              color="red"
              size="xs"
              leftSection={<IconTrash size={16} />}
              onClick={() => setOpen({ what: "revoke", key })}
              aria-label={`Revoke ${key.name}`}
            >
              Revoke
            </Button>
          </KeyRow>
        ))}
      </Stack>
      {revoked.length > 0 && (
        <Box mt="xl">
          <Title order={2} size="h5" mb="sm" c="dimmed">
            Revoked
          </Title>
          <Stack component="ul" p={0} m={0} style={{ listStyle: "none" }} gap="xs">
            {revoked.map((key) => (
              <KeyRow key={key.id} apiKey={key} />
            ))}
          </Stack>
        </Box>
      )}
      <CreateKeyModal projectId={projectId} opened={open === "create"} onClose={close} />
      {typeof open === "object" && open.what === "reveal" && (
        <RevealKeyModal projectId={projectId} apiKey={open.key} onClose={close} />
      )}
      {typeof open === "object" && open.what === "revoke" && (
        <RevokeKeyModal projectId={projectId} apiKey={open.key} onClose={close} />
      )}
    </>
  );
}

function KeyRow({
  apiKey,
  children,
}: {
  readonly apiKey: ApiKey;
  readonly children?: ReactNode;
}): ReactNode {
  const { name, masked, state, created_at, created_by, last_used_at, live_sessions } = apiKey;
  const { expires_at, grace_until, revoked_at } = apiKey;
  return (
    <Paper withBorder p="md" component="li">
      <Group justify="space-between" gap="md">
        <Box flex="1 1 16rem" miw={0}>
          <Group gap="xs">
            <Text fw={600}>{name}</Text>
            <Badge color={badges[state].color} variant="light">
              {badges[state].text}
            </Badge>
          </Group>
          <Text className="secret" size="sm" c="dimmed" mt={4}>
            {masked}
          </Text>
          <Text size="sm" c="dimmed" mt={4}>
            Created <When instant={created_at} />
            {created_by !== null && ` by ${created_by}`}
            {" · "}
            {last_used_at === null ? (
              "Never used"
            ) : (
              <>
                Last used <When instant={last_used_at} />
              </>
            )}
            {revoked_at === null && ` · ${count(live_sessions, "live session")}`}
            {state === "in_grace" && grace_until !== null && (
              <>
                {" · Works until "}
                <When instant={grace_until} />
              </>
            )}
            {(state === "active" || state === "expired") && expires_at !== null && (
              <>
                {state === "active" ? " · Expires " : " · Expired "}
                <When instant={expires_at} />
              </>
            )}
            {revoked_at !== null && (
              <>
                {" · Revoked "}
                <When instant={revoked_at} />
              </>
            )}
          </Text>
        </Box>
        <Group gap="xs">{children}</Group>
      </Group>
    </Paper>
  );
}
