import { Alert, Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type ApiKey, api } from "../api.ts";
import { CopyField } from "../ui/copy.tsx";

/** Shows the kept copy of a key to who knows the password. */
export function RevealKeyModal({
  projectId,
  apiKey,
  onClose,
}: {
  readonly projectId: string;
  readonly apiKey: ApiKey;
  readonly onClose: () => void;
}): ReactNode {
  const [password, setPassword] = useState("");
  const reveal = useMutation({
    mutationFn: () => api.revealKey(projectId, apiKey.id, password),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    reveal.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={`View “${apiKey.name}”`} size="lg">
      {reveal.data === undefined ? (
        <form onSubmit={submit}>
          <Stack>
            <PasswordInput
              label="Your password"
              description="Every look at a key is recorded."
              autoComplete="current-password"
              required
              data-autofocus
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
            {reveal.error && (
              <Alert color="red" role="alert">
                {reveal.error.message}
              </Alert>
            )}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" loading={reveal.isPending}>
                View key
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Stack>
          <CopyField name="Key" value={reveal.data} />
          <CopyField name="Environment line" value={`VALET_API_KEY=${reveal.data}`} />
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
