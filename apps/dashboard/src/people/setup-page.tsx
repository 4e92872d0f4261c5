import { Alert, Button, Code, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { ApiError, api } from "../api.ts";
import { Entrance } from "./entrance.tsx";

/** Read when the module is loaded, once: the address bar must not keep the code. */
const code = window.location.pathname === "/setup" ? window.location.hash.slice(1) : "";

/** Where a set-up link leads: it makes an account, and signs it in. */
export function SetupPage(): ReactNode {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [account, setAccount] = useState({ name: "", email: "", password: "" });
  useEffect(() => {
    if (window.location.hash !== "") window.history.replaceState(null, "", "/setup");
  }, []);
  const setUp = useMutation({
    mutationFn: () => api.setUp({ code, ...account }),
    async onSuccess() {
      queryClient.clear();
      await navigate({ to: "/" });
    },
  });
  const error = setUp.error instanceof ApiError ? setUp.error : undefined;
  const isSpent = code === "" || error?.code === "invalid_setup_code";
  const field = (name: keyof typeof account) => ({
    value: account[name],
    error: error?.field === name ? error.message.replace(`${name}: `, "") : undefined,
    onChange: (event: { target: { value: string } }) =>
      setAccount({ ...account, [name]: event.target.value }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setUp.mutate();
  };

  if (isSpent) {
    return (
      <Entrance title="This set-up link does not work any more">
        <Text mt="md">
          A set-up link works once, for an hour. Run <Code>valet setup-link</Code> on the server to
          get a new one.
        </Text>
        <Text mt="md">
          If you have an account already, <Link to="/sign-in">sign in</Link>.
        </Text>
      </Entrance>
    );
  }
  return (
    <Entrance title="Make your account" description="You will use it to sign in to this dashboard.">
      <form onSubmit={submit}>
        <Stack mt="lg">
          <TextInput label="Your name" autoComplete="name" required {...field("name")} />
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            required
            {...field("email")}
          />
          <PasswordInput
            label="Password"
            description="At least 10 characters."
            autoComplete="new-password"
            required
            minLength={10}
            maxLength={128}
            {...field("password")}
          />
          {setUp.error && error?.field === undefined && (
            <Alert color="red" role="alert">
              {setUp.error.message}
            </Alert>
          )}
          <Button type="submit" loading={setUp.isPending} fullWidth>
            Make account
          </Button>
        </Stack>
      </form>
    </Entrance>
  );
}
