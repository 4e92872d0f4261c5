import { fileURLToPath } from "node:url";
import { build } from "vite";

/** How a page is bundled. */
export interface BundleOptions {
  /** Which React is in it. @default 19 */
  readonly react?: 18 | 19;
  /** React's development build, which complains of much. @default false */
  readonly isDevelopment?: boolean;
  /** For Node.js in the place of browsers. @default false */
  readonly isServer?: boolean;
}

/** Bundles a page's module beside this file with the packages as they were built. */
export async function bundlePage(
  name: string,
  { react = 19, isDevelopment = false, isServer = false }: BundleOptions = {},
): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    // Tests are no production to Vite, and its own development runtime is not wanted.
    oxc: { jsx: { development: false } },
    define: {
      "process.env.NODE_ENV": JSON.stringify(isDevelopment ? "development" : "production"),
    },
    ...(react === 18 && { resolve: reactEighteen }),
    ...(isServer && { ssr: { noExternal: true } }),
    build: {
      write: false,
      minify: false,
      ssr: isServer,
      // One file, what loads later included.
      rolldownOptions: {
        output: { codeSplitting: false },
        ...(isServer && { input: fileURLToPath(new URL(name, import.meta.url)) }),
      },
      ...(isServer
        ? {}
        : {
            lib: {
              entry: fileURLToPath(new URL(name, import.meta.url)),
              formats: ["es"],
              fileName: () => "page.js",
            },
          }),
    },
  });
  const [bundle] = Array.isArray(built) ? built : [built];
  if (!bundle || !("output" in bundle)) throw new Error("The page was not built.");
  return bundle.output[0].code;
}

const reactEighteen = {
  alias: [{ find: /^react(-dom)?(?=\/|$)/, replacement: "react$1-18" }],
};
