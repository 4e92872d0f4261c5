import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** The customer's page, built to static files that the demo's server serves. */
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  resolve: { conditions: ["@valet/source", "module", "browser", "development|production"] },
  build: {
    outDir: "dist/page",
    emptyOutDir: true,
    // The page's policy allows no inline anything.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
