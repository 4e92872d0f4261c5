import { Alert, Button, Group, List, Modal, Skeleton, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type ApiKey, api } from "../api.ts";
import { queries } from "../queries.ts";
import { count } from "../ui/count.ts";

/** Says what a revocation cuts, counted at this moment, and then does it. */
export function RevokeKeyModal({
  projectId,
  apiKey,
  onClose,
}: {
  readonly projectId: string;
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
}): ReactNode {
  const queryClient = useQueryClient();
  const now = useQuery(queries.key(projectId, apiKey.id));
  const revoke = useMutation({
    mutationFn: () => api.revokeKey(projectId, apiKey.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["keys", projectId] }),
  });
  if (revoke.data) {
    return (
      <Modal opened onClose={onClose} title={`“${apiKey.name}” was revoked`}>
        <Stack>
          <Text>
            {count(revoke.data.ended_sessions, "session")} and{" "}
            {count(revoke.data.ended_streams, "answer")} being written were ended.
          </Text>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      </Modal>
    );
  }
  return (
    <Modal opened onClose={onClose} title={`Revoke “${apiKey.name}”?`}>
      <Stack>
        <Text>This ends at once, and cannot be undone:</Text>
        {now.data ? (
          <List>
            <List.Item>{count(now.data.live_sessions, "live session")}</List.Item>
            <List.Item>{count(now.data.open_streams, "answer")} being written right now</List.Item>
            <List.Item>
              Every server that uses this key: it can no longer create sessions until it has another
              one.
            </List.Item>
          </List>
        ) : (
          <Skeleton h={72} />
        )}
        {(revoke.error ?? now.error) && (
          <Alert color="red" role="alert">
            {(revoke.error ?? now.error)?.message}
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke key
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
