import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The dashboard, built to static files that the server serves. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "../../packages/server/public/dashboard",
    emptyOutDir: true,
    // The page's policy allows no inline script.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/admin": "http://localhost:4747", "/sdk": "http://localhost:4747" } },
});
