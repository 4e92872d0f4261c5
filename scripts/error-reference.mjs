// The page docs/reference/errors.md, made from the table in packages/protocol.

/** The reference page of an error table. */
export function errorReference(codes) {
  const rows = Object.entries(codes).map(
    ([code, { status, title, detail }]) => `| \`${code}\` | ${status} | ${title}. ${detail} |`,
  );
  return `# Errors

Every error answer of Valet is a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with the content type \`application/problem+json\`:

\`\`\`json
{
  "type": "urn:valet:error:token_expired",
  "title": "The session token has expired",
  "status": 401,
  "code": "token_expired",
  "detail": "Request a new session token.",
  "request_id": "req_6vQm1Yk0bTz4Wc8JdRn2Lx"
}
\`\`\`

Switch on \`code\`: it is stable. \`title\` and \`detail\` are for people and may change. \`request_id\` also stands in the \`X-Request-Id\` header, and finds the request in the server's log. Where one field of the request is wrong, \`field\` names it. \`limit_bytes\` and \`allowed\` say what would have been accepted.

Once an answer is streaming, its status is spent: the same codes then travel in a \`data-error\` frame, followed by \`error\` and \`finish\`.

| code | status | meaning and remedy |
|---|---|---|
${rows.join("\n")}
`;
}
