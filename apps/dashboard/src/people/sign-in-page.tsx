import { Alert, Button, Code, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { api } from "../api.ts";
import { Entrance } from "./entrance.tsx";

/** Where people come in. */
export function SignInPage(): ReactNode {
  const { to = "/" } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const accounts = useQuery({ queryKey: ["accounts"], queryFn: () => api.hasAccounts() });
  const signIn = useMutation({
    mutationFn: () => api.signIn(email, password),
    async onSuccess() {
      queryClient.clear();
      await navigate({ href: to });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <Entrance title="Sign in">
      {accounts.data === false && (
        <Alert mt="md" title="Nobody has an account yet">
          The terminal in which this server was started shows a set-up link. To get another one, run{" "}
          <Code>valet setup-link</Code> there.
        </Alert>
      )}
      <form onSubmit={submit}>
        <Stack mt="lg">
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            required
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          {signIn.error && (
            <Alert color="red" role="alert">
              {signIn.error.message}
            </Alert>
          )}
          <Button type="submit" loading={signIn.isPending} fullWidth>
            Sign in
          </Button>
        </Stack>
      </form>
    </Entrance>
  );
}
