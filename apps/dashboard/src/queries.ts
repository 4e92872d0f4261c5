import { queryOptions } from "@tanstack/react-query";
import { api } from "./api.ts";

/** What pages ask for, by name: the same name is the same data everywhere. */
export const queries = {
  me: () => queryOptions({ queryKey: ["me"], queryFn: () => api.me(), staleTime: 60_000 }),
  server: () => queryOptions({ queryKey: ["server"], queryFn: () => api.server() }),
  projects: () => queryOptions({ queryKey: ["projects"], queryFn: () => api.projects() }),
  keys: (projectId: string) =>
    queryOptions({ queryKey: ["keys", projectId], queryFn: () => api.keys(projectId) }),
  key: (projectId: string, id: string) =>
    queryOptions({
      queryKey: ["key", projectId, id],
      queryFn: () => api.key(projectId, id),
      staleTime: 0,
    }),
  integrations: (projectId: string) =>
    queryOptions({
      queryKey: ["integrations", projectId],
      queryFn: () => api.integrations(projectId),
    }),
  integration: (projectId: string, id: string) =>
    queryOptions({
      queryKey: ["integrations", projectId, id],
      queryFn: () => api.integration(projectId, id),
    }),
};
