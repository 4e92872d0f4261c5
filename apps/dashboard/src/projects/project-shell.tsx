import {
  AppShell,
  Badge,
  Burger,
  Button,
  Divider,
  Group,
  Menu,
  NavLink,
  ScrollArea,
  Skeleton,
  Text,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconCheck,
  IconChevronDown,
  IconDeviceDesktop,
  IconHome,
  IconKey,
  IconLogout,
  IconMessageChatbot,
  IconMoon,
  IconPlus,
  IconSun,
  IconUserCircle,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { api } from "../api.ts";
import { queries } from "../queries.ts";
import { Failure, NotFound } from "../ui/failure.tsx";
import { CreateProjectModal } from "./create-project-modal.tsx";

/** The frame of a project's pages. */
export function ProjectShell(): ReactNode {
  const { projectId } = useParams({ from: "/signed-in/projects/$projectId" });
  const [isOpen, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const projects = useQuery(queries.projects());
  const project = projects.data?.find(({ id }) => id === projectId);
  // On a phone the menu covers the page: going somewhere closes it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of the address is the reason.
  useEffect(close, [path]);

  const base = `/projects/${projectId}`;
  const link = (to: string, label: string, icon: ReactNode): ReactNode => (
    <NavLink
      component={Link}
      to={to}
      label={label}
      leftSection={icon}
      // The router would mark every ancestor of the page as well.
      activeOptions={{ exact: to === base }}
      active={to === base ? path.replace(/\/$/, "") === base : path.startsWith(to)}
    />
  );
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 260, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding={{ base: "md", sm: "xl" }}
    >
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
            <img src="/favicon.svg" alt="Valet" width={26} height={26} />
            <ProjectSwitcher projectId={projectId} />
            {project?.demo && (
              <Badge variant="light" visibleFrom="xs">
                Demo
              </Badge>
            )}
          </Group>
          <AccountMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" component="nav" aria-label="Project">
        <ScrollArea>
          {link(base, "Home", <IconHome size={18} />)}
          <Text size="xs" c="dimmed" fw={600} mt="lg" mb={4} px="sm" className="nav-heading">
            Integrations
          </Text>
          {link(`${base}/integrations/agent`, "Agent", <IconMessageChatbot size={18} />)}
          <Text size="xs" c="dimmed" fw={600} mt="lg" mb={4} px="sm" className="nav-heading">
            Settings
          </Text>
          {link(`${base}/settings/api-keys`, "API Keys", <IconKey size={18} />)}
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main>
        {projects.error && (
          <Failure error={projects.error} onRetry={() => void projects.refetch()} />
        )}
        {projects.data && !project ? <NotFound /> : <Outlet />}
      </AppShell.Main>
    </AppShell>
  );
}

function ProjectSwitcher({ projectId }: { readonly projectId: string }): ReactNode {
  const { data: projects } = useQuery(queries.projects());
  const [isCreating, setIsCreating] = useState(false);
  const current = projects?.find(({ id }) => id === projectId);
  if (!projects) return <Skeleton h={20} w={120} />;
  return (
    <>
      <Menu position="bottom-start" width={260}>
        <Menu.Target>
          <Button
            variant="subtle"
            color="gray"
            px="xs"
            rightSection={<IconChevronDown size={16} />}
            aria-label={`Project: ${current?.name ?? "unknown"}`}
          >
            <Text fw={600} truncate maw={{ base: 120, xs: 220 }}>
              {current?.name ?? "Unknown project"}
            </Text>
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>Projects</Menu.Label>
          {projects.map(({ id, name, demo }) => (
            <Menu.Item
              key={id}
              component={Link}
              to={`/projects/${id}`}
              leftSection={
                id === projectId ? <IconCheck size={16} /> : <span style={{ width: 16 }} />
              }
              rightSection={demo ? <Badge size="xs">Demo</Badge> : undefined}
            >
              {name}
            </Menu.Item>
          ))}
          <Divider my={4} />
          <Menu.Item leftSection={<IconPlus size={16} />} onClick={() => setIsCreating(true)}>
            New project
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <CreateProjectModal opened={isCreating} onClose={() => setIsCreating(false)} />
    </>
  );
}

function AccountMenu(): ReactNode {
  const { data: person } = useQuery(queries.me());
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  async function signOut(): Promise<void> {
    await api.signOut();
    queryClient.clear();
    await navigate({ to: "/sign-in" });
  }
  const schemes = [
    ["light", "Light", IconSun],
    ["dark", "Dark", IconMoon],
    ["auto", "As the system", IconDeviceDesktop],
  ] as const;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          px="xs"
          rightSection={<IconChevronDown size={16} />}
          aria-label="Account"
        >
          <IconUserCircle size={20} />
          <Text size="sm" truncate maw={180} ml={6} visibleFrom="xs">
            {person?.name ?? "…"}
          </Text>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{person?.email}</Menu.Label>
        {schemes.map(([scheme, label, Icon]) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon size={16} />}
            rightSection={colorScheme === scheme ? <IconCheck size={16} /> : undefined}
            onClick={() => setColorScheme(scheme)}
          >
            {label}
          </Menu.Item>
        ))}
        <Divider my={4} />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
