import { html, raw } from "hono/html";
import { marked } from "marked";
import type {
  ApiDescription,
  DescribedOperation,
  DescribedParameter,
  JsonSchema,
} from "./describe-api.ts";
import { docsStyles } from "./docs-styles.ts";
import { type FieldRow, fieldRows } from "./field-rows.ts";

/** The policy under which the page is served: nothing runs and nothing is loaded. */
export const docsPagePolicy: string = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

type Html = ReturnType<typeof html>;

/**
 * The description of the API as one page to read. It has no field to try a key in, on purpose: a
 * key in a browser is a key given away.
 */
export function renderDocsPage(api: ApiDescription): Html {
  const listed = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = api.tags.map((tag) => ({
    ...tag,
    operations: listed.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const contents = groups.map(
    ({ name, operations }) => html`<h2><a href="#${name}">${name}</a></h2>
      <ul>${operations.map(
        ({ operation }) =>
          html`<li><a href="#${operation.operationId}">${operation.summary}</a></li>`,
      )}</ul>`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Valet API ${api.info.version}</title>
<style>${raw(docsStyles)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<nav aria-label="Contents">
  <p class="name"><a href="#content">Valet API</a> <span>${api.info.version}</span></p>
  <details class="narrow"><summary>Contents</summary>${contents}</details>
  <div class="wide">${contents}</div>
</nav>
<main id="content">
  <h1>Valet API</h1>
  ${prose(api.info.description)}
  <p>For programs: <a href="/openapi.json"><code>/openapi.json</code></a>, OpenAPI ${api.openapi.slice(0, 3)}.</p>
  ${groups.map(
    ({ name, description, operations }) => html`<section aria-labelledby="${name}">
      <h2 id="${name}">${name}</h2>
      ${prose(description)}
      ${operations.map(({ path, method, operation }) => renderOperation(api, path, method, operation))}
    </section>`,
  )}
</main>
</body>
</html>`;
}

function renderOperation(
  api: ApiDescription,
  path: string,
  method: string,
  operation: DescribedOperation,
): Html {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const body = requestBody && Object.entries(requestBody.content);
  const codes = Object.entries(responses);
  return html`<article aria-labelledby="${operationId}">
    <h3 id="${operationId}">${summary}</h3>
    <p class="address"><b class="${method}">${method.toUpperCase()}</b> <code>${path}</code></p>
    ${prose(description)}
    <p class="credential">${credentialOf(operation)}</p>
    ${parameters.length > 0 ? html`<h4>Parameters</h4>${table(parameters.map(toRow))}` : ""}
    ${
      body?.[0]
        ? html`<h4>Body</h4>
          <p>${body.map(([type]) => html`<code>${type}</code> `)}${requestBody?.required ? "" : "· may be left out"}</p>
          ${fields(api, body[0][1].schema)}${example(body[0][1].example)}`
        : ""
    }
    <h4>Answers</h4>
    <dl>${codes.map(
      ([status, { description: text, content = {}, headers = {} }]) =>
        html`<dt class="${Number(status) < 400 ? "good" : "bad"}">${status}</dt>
          <dd>${prose(text)}${Object.entries(content)
            .filter(([type]) => type !== "application/problem+json")
            .map(([type, { schema }]) =>
              schema.$ref !== undefined
                ? html`<details><summary>Fields</summary>${fields(api, schema)}</details>`
                : html`<p><code>${type}</code></p>`,
            )}${Object.keys(headers).map((name) => html`<p>Header <code>${name}</code></p>`)}</dd>`,
    )}</dl>
  </article>`;
}

const credentialWords: Readonly<Record<string, string>> = {
  apiKey: "an API key in `X-API-Key`",
  keyAsBasic: "the key as Basic credentials",
  sessionToken: "a session token, `Authorization: Bearer`",
  cookie: "the dashboard's sign-in",
};

function credentialOf({ security }: DescribedOperation): Html {
  const words = security.flatMap((one) => Object.keys(one)).map((name) => credentialWords[name]);
  return inline(words.length === 0 ? "Open to everybody." : `Takes ${words.join(", or ")}.`);
}

function fields(api: ApiDescription, schema: JsonSchema): Html {
  const rows = fieldRows(api, schema);
  return rows.length === 0 ? html`` : table(rows);
}

function toRow({ name, required, description, schema, in: place }: DescribedParameter): FieldRow {
  return { name, type: `${schema.type ?? "string"} · ${place}`, required, text: description };
}

function table(rows: readonly FieldRow[]): Html {
  return html`<div class="table" tabindex="0" role="region" aria-label="Fields"><table>
    <thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
    <tbody>${rows.map(
      ({ name, type, required, text }) =>
        html`<tr><td><code>${name}</code>${required ? html` <span class="must">required</span>` : ""}</td><td>${type}</td><td>${inline(text)}</td></tr>`,
    )}</tbody></table></div>`;
}

function example(value: unknown): Html {
  if (value === undefined) return html``;
  return html`<pre tabindex="0"><code>${JSON.stringify(value, null, 2)}</code></pre>`;
}

/** Our own Markdown, from the source of this server. */
function prose(text: unknown): Html {
  return typeof text === "string" ? html`${raw(marked.parse(text, { async: false }))}` : html``;
}

function inline(text: string): Html {
  return html`${raw(marked.parseInline(text, { async: false }))}`;
}
