declare const process: { readonly env: { readonly NODE_ENV?: string } };

/** What has been told already: each mistake once. */
const told = new Set<string>();

/**
 * Tells developers of a prop that does nothing, in the console and in development only: a name in
 * other letters, such as `sourceGroupIDsInclude`, would otherwise be left out without a word.
 */
export function warnOfUnknownProps(
  component: string,
  props: object,
  known: readonly string[],
): void {
  if (!isDevelopment()) return;
  for (const name of Object.keys(props)) {
    if (known.includes(name) || told.has(`${component}.${name}`)) continue;
    told.add(`${component}.${name}`);
    const meant = known.find((each) => each.toLowerCase() === name.toLowerCase());
    const hint = meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
    console.warn(`${component} has no prop \`${name}\`; it does nothing.${hint}`);
  }
}

/** Bundlers write the answer in. In a page without one there is no `process`. */
function isDevelopment(): boolean {
  try {
    return process.env.NODE_ENV !== "production";
  } catch {
    return false;
  }
}
