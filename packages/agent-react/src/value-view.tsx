import type { ReactNode } from "react";

/** How much of a value is shown, in characters. A tool may give back megabytes. */
const shownChars = 20_000;

/** Arguments or a result, as they are: named values in a list, everything else as JSON. */
export function ValueView({
  title,
  value,
}: {
  readonly title: string;
  readonly value: unknown;
}): ReactNode {
  if (isObject(value) && Object.keys(value).length === 0) return null;
  return (
    <>
      <p className="valet-tool-label">{title}</p>
      {isObject(value) && Object.values(value).every(isShort) ? (
        <dl className="valet-tool-values">
          {Object.entries(value).map(([name, entry]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd dir="auto">{String(entry)}</dd>
            </div>
          ))}
        </dl>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard (WCAG 2.1.1).
        <pre className="valet-tool-json" tabIndex={0}>
          {toText(value)}
        </pre>
      )}
    </>
  );
}

/** Whether a value has names for its parts. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShort(value: unknown): boolean {
  if (typeof value === "string") return value.length <= 200;
  return typeof value === "number" || typeof value === "boolean" || value === null;
}

function toText(value: unknown): string {
  const text = typeof value === "string" ? value : write(value);
  return text.length > shownChars ? `${text.slice(0, shownChars)}…` : text;
}

/** A tool of the page may give back what JSON has no words for. */
function write(value: unknown): string {
  try {
    return JSON.stringify(value, null, 2) ?? String(value);
  } catch {
    return String(value);
  }
}
