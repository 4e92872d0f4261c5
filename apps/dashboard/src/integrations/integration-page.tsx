import { Anchor, SimpleGrid, Skeleton, Stack, Tabs, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { queries } from "../queries.ts";
import { CodeSnippet, CopyField } from "../ui/copy.tsx";
import { Failure } from "../ui/failure.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import {
  javascriptSnippets,
  reactSnippets,
  type Snippet,
  sessionEndpointSnippets,
} from "./snippets.ts";

/** The set-up page of an integration: its ids, and the code with them in it. */
export function IntegrationPage(): ReactNode {
  const { projectId, integrationId } = useParams({
    from: "/signed-in/projects/$projectId/integrations/agent/$integrationId",
  });
  const integration = useQuery(queries.integration(projectId, integrationId));
  const server = useQuery(queries.server());
  const error = integration.error ?? server.error;
  if (error) {
    const retry = () => void Promise.all([integration.refetch(), server.refetch()]);
    return <Failure error={error} onRetry={retry} />;
  }
  if (!integration.data || !server.data) return <Skeleton h={300} />;
  const facts = {
    projectId,
    integrationId,
    apiUrl: server.data.public_url ?? window.location.origin,
    sdkPackages: server.data.sdk_packages,
  };
  const tabs: [string, string, ReactNode, Snippet[]][] = [
    ["react", "React", "The whole chat, in your own page.", reactSnippets(facts)],
    [
      "javascript",
      "Plain JavaScript",
      "The agent without its looks, in a page without a build.",
      javascriptSnippets(facts),
    ],
    [
      "session",
      "Session endpoint",
      <>
        Your server holds the key, as VALET_API_KEY, and trades it for session tokens. Create one
        under{" "}
        <Anchor component={Link} to={`/projects/${projectId}/settings/api-keys`}>
          API Keys
        </Anchor>
        . Put your own login in the place of findUser.
      </>,
      sessionEndpointSnippets(facts),
    ],
  ];
  return (
    <>
      <PageHeader
        title={integration.data.name}
        description="Neither of these ids is a secret. The key is, and it is not on this page."
      />
      <SimpleGrid cols={{ base: 1, md: 2 }} maw={900}>
        <CopyField name="Project ID" value={projectId} />
        <CopyField name="Integration ID" value={integrationId} />
      </SimpleGrid>
      <Title order={2} size="h4" mt="xl" mb="sm">
        Put it into your app
      </Title>
      <Tabs defaultValue="react" maw={900}>
        <Tabs.List>
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(([value, , text, snippets]) => (
          <Tabs.Panel key={value} value={value} pt="md">
            <Text c="dimmed" mb="md">
              {text}
            </Text>
            <Stack>
              {snippets.map(({ title, code }) => (
                <CodeSnippet key={title} title={title} code={code} />
              ))}
            </Stack>
          </Tabs.Panel>
        ))}
      </Tabs>
    </>
  );
}
