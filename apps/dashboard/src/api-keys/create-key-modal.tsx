import { Alert, Button, Group, Modal, Radio, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { api } from "../api.ts";
import { CopyField } from "../ui/copy.tsx";

/** Makes a key, and shows its text the one time that it can be seen. */
export function CreateKeyModal({
  projectId,
  opened,
  onClose,
}: {
  readonly projectId: string;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const [name, setName] = useState("");
  const [keepCopy, setKeepCopy] = useState("once");
  const queryClient = useQueryClient();
  const create = useMutation({
    mutationFn: () => api.createKey(projectId, { name, keep_copy: keepCopy === "keep" }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ["keys", projectId] }),
  });
  const secret = create.data?.secret;
  const close = (): void => {
    onClose();
    setName("");
    setKeepCopy("once");
    create.reset();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  // A click beside the window must not lose a key that is shown only once.
  const isSafe = secret === undefined;
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={secret === undefined ? "Create key" : "Your new key"}
      size="lg"
      closeOnClickOutside={isSafe}
      closeOnEscape={isSafe}
      withCloseButton={isSafe}
    >
      {secret === undefined ? (
        <form onSubmit={submit}>
          <Stack>
            <TextInput
              label="Name"
              description="What it is for, such as “Production server”."
              required
              maxLength={100}
              data-autofocus
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
            <Radio.Group label="After it was created" value={keepCopy} onChange={setKeepCopy}>
              <Stack gap="xs" mt="xs">
                <Radio
                  value="once"
                  label="Show once"
                  description="Nobody can see it again, you neither. The safe choice."
                />
                <Radio
                  value="keep"
                  label="Keep a copy that can be viewed again"
                  description="Encrypted on this server. Viewing it asks for your password and is recorded."
                />
              </Stack>
            </Radio.Group>
            {create.error && <Alert color="red">{create.error.message}</Alert>}
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" loading={create.isPending}>
                Create key
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <Stack>
          <Text>
            {create.data?.key.keeps_copy
              ? "Copy it into your server's environment. You can view it again with your password."
              : "Copy it into your server's environment now: it is not shown again."}
          </Text>
          <CopyField name="Key" value={secret} />
          <CopyField name="Environment line" value={`VALET_API_KEY=${secret}`} />
          <Group justify="flex-end">
            <Button onClick={close}>I have stored it</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
