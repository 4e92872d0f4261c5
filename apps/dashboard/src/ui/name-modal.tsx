import { Alert, Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";

/** Props of {@link NameModal}. */
export interface NameModalProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  /** What the name is for. */
  readonly description: string;
  /** What the button says. */
  readonly action: string;
  /** Makes the thing. The dialog closes when it is made, and says so when it is not. */
  readonly onSubmit: (name: string) => Promise<void>;
}

/** Asks for the name of something new. */
export function NameModal({
  opened,
  onClose,
  title,
  description,
  action,
  onSubmit,
}: NameModalProps): ReactNode {
  const [name, setName] = useState("");
  const create = useMutation({
    mutationFn: () => onSubmit(name),
    onSuccess() {
      setName("");
      onClose();
    },
  });
  const close = (): void => {
    create.reset();
    onClose();
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Modal opened={opened} onClose={close} title={title}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            description={description}
            required
            maxLength={100}
            data-autofocus
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          {create.error && (
            <Alert color="red" role="alert">
              {create.error.message}
            </Alert>
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={create.isPending}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
