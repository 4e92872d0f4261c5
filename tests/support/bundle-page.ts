import { fileURLToPath } from "node:url";
import { build } from "vite";

/** Bundles a page's module beside this file with the packages as they were built. */
export async function bundlePage(name: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    // Tests are no production to Vite, and React's development build is left out by the next line.
    oxc: { jsx: { development: false } },
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL(name, import.meta.url)),
        formats: ["es"],
        fileName: () => "page.js",
      },
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !("output" in bundle)) throw new Error("The page was not built.");
  return bundle.output[0].code;
}
