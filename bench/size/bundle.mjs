import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

/** React comes with the page, and so does the converter of zod 3 where one has such schemas. */
const external = [/^react(?:-dom)?(?:\/|$)/, "zod-to-json-schema"];

/**
 * What a page loads for some lines of code: bundled for browsers and minified, the bytes that are
 * needed at once apart from those of lazy chunks.
 *
 * @param {string} code A module's text. Its bare names are looked for from `from`.
 * @param {string} from A file's path.
 */
export async function sizesOf(code, from) {
  const entry = "\0entry";
  const bundle = await rolldown({
    input: entry,
    platform: "browser",
    external,
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
    logLevel: "silent",
    plugins: [
      {
        name: "entry",
        resolveId(name, importer) {
          if (name === entry) return entry;
          return importer === entry ? this.resolve(name, from, { skipSelf: true }) : undefined;
        },
        load: (id) => (id === entry ? code : undefined),
      },
    ],
  });
  try {
    const { output } = await bundle.generate({ format: "es", minify: true });
    const chunks = new Map(
      output.filter(({ type }) => type === "chunk").map((chunk) => [chunk.fileName, chunk]),
    );
    const first = output.find((chunk) => chunk.isEntry);
    const needed = withStatic(first.fileName, (name) => chunks.get(name)?.imports ?? []);
    const sum = (names) =>
      names.reduce((bytes, name) => bytes + gzipBytes(chunks.get(name)?.code ?? ""), 0);
    return {
      gzipBytes: sum(needed),
      lazyBytes: sum([...chunks.keys()].filter((name) => !needed.includes(name))),
    };
  } finally {
    await bundle.close();
  }
}

/** A file and everything that has to be there before it runs. */
export function withStatic(name, importsOf) {
  const found = new Set([name]);
  for (const each of found) for (const next of importsOf(each)) found.add(next);
  return [...found];
}

/** Bytes of a text as a server would send it. */
export function gzipBytes(text) {
  return text === "" ? 0 : gzipSync(text, { level: 9 }).byteLength;
}
