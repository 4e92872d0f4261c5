import { createSessionHandler } from "@valet/session-proxy";
import { toNodeHandler } from "@valet/session-proxy/node";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const {
  PORT = "4755",
  VALET_API_KEY = "",
  VALET_API_URL = "",
  VALET_PROJECT_ID = "",
  VALET_INTEGRATION_ID = "",
} = process.env;

/**
 * The session endpoint, in the server that Vite runs anyway. In your app it stands in your own
 * server; `examples/session-server` shows one.
 */
function sessionEndpoint(): Plugin {
  return {
    name: "session-endpoint",
    configureServer({ middlewares }) {
      const handleSession = toNodeHandler(
        createSessionHandler({
          apiKey: VALET_API_KEY,
          projectId: VALET_PROJECT_ID,
          integrationId: VALET_INTEGRATION_ID,
          baseUrl: VALET_API_URL,
          // Stands for your login: on this machine everybody is Ada.
          authorize: () => ({ id: "ada" }),
          owner: (_request, user) => user.id,
        }),
      );
      middlewares.use("/api/session", (request, response) => void handleSession(request, response));
    },
  };
}

export default defineConfig({
  plugins: [react(), sessionEndpoint()],
  // The ids are no secrets. The key is one, and is not among them.
  define: {
    "import.meta.env.VITE_VALET_PROJECT_ID": JSON.stringify(VALET_PROJECT_ID),
    "import.meta.env.VITE_VALET_INTEGRATION_ID": JSON.stringify(VALET_INTEGRATION_ID),
  },
  server: { host: "127.0.0.1", port: Number(PORT), strictPort: true },
});
