// What the package makes of its style sheet: the file itself, the same within a cascade layer, and a
// module that puts it into a page at run time.
import { readFileSync, writeFileSync } from "node:fs";

/** @param {string} folder The package's. */
export function writeStyles(folder) {
  const css = readFileSync(`${folder}/src/styles.css`, "utf8");
  writeFileSync(`${folder}/dist/styles.css`, css);
  writeFileSync(`${folder}/dist/styles.layer.css`, `@layer valet {\n${css}}\n`);
  writeFileSync(
    `${folder}/dist/inject-styles.js`,
    `import { adoptStyles } from "./adopt-styles.js";
const text = ${JSON.stringify(css)};
export function injectStyles(root = document) {
  adoptStyles(text, root);
}
`,
  );
  writeFileSync(
    `${folder}/dist/inject-styles.d.ts`,
    `/** Puts the style sheet into a document or a shadow root, once. Call it in the browser. */
export declare function injectStyles(root?: Document | ShadowRoot): void;
`,
  );
}
