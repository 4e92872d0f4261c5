/**
 * Every error the wire can carry: its stable code, its HTTP status, and the words a person reads.
 * Adding a code to the type, to this table, and its row in `docs/reference/errors.md`, is the whole change; a test keeps
 * the two in step.
 */
export const errorCodes: Readonly<Record<ErrorCode, ErrorCodeEntry>> = {
  invalid_request: {
    status: 400,
    title: "The request is not valid",
    detail: "Correct the field named in `field` and send the request again.",
  },
  unknown_field: {
    status: 400,
    title: "The request has a field that does not exist here",
    detail: "Remove or correct the field named in `field`.",
  },
  credential_in_query: {
    status: 400,
    title: "A credential was sent in the URL",
    detail:
      "URLs are logged. Send the credential in a header, and replace the one that was exposed.",
  },
  ambiguous_credentials: {
    status: 400,
    title: "More than one credential was sent",
    detail: "Send either an API key or a session token, once.",
  },
  unknown_model: {
    status: 400,
    title: "The model does not exist on this server",
    detail: "Leave `model` out, or use one of the names in `allowed`.",
  },
  missing_credential: {
    status: 401,
    title: "No credential was sent",
    detail: "Send a session token as `Authorization: Bearer`, or an API key as `X-API-Key`.",
  },
  invalid_token: {
    status: 401,
    title: "The session token was not accepted",
    detail: "Request a new session token.",
  },
  token_expired: {
    status: 401,
    title: "The session token has expired",
    detail: "Request a new session token.",
  },
  token_revoked: {
    status: 401,
    title: "The session was ended",
    detail: "Request a new session token.",
  },
  invalid_api_key: {
    status: 401,
    title: "The API key was not accepted",
    detail: "Check the key in your server's environment against Settings -> API Keys.",
  },
  key_expired: {
    status: 401,
    title: "The API key has expired",
    detail: "Create a new key in Settings -> API Keys and put it in your server's environment.",
  },
  key_revoked: {
    status: 401,
    title: "The API key was revoked",
    detail: "Create a new key in Settings -> API Keys and put it in your server's environment.",
  },
  key_disabled: {
    status: 401,
    title: "The API key is disabled",
    detail: "Enable it again in Settings -> API Keys, or use another key.",
  },
  key_rotated: {
    status: 401,
    title: "The API key was replaced by another one",
    detail: "Put the key that took its place in your server's environment.",
  },
  sign_in_required: {
    status: 401,
    title: "You are not signed in",
    detail: "Sign in and try again.",
  },
  wrong_password: {
    status: 403,
    title: "The password is not right",
    detail: "Enter the password of the account you are signed in with.",
  },
  invalid_setup_code: {
    status: 403,
    title: "The set-up link is not valid",
    detail: "Set-up links work once, for an hour. Run `valet setup-link` for a new one.",
  },
  owner_blocked: {
    status: 403,
    title: "This person may not use the agent",
    detail: "They were blocked. Unblock them to let them have a session again.",
  },
  insufficient_scope: {
    status: 403,
    title: "The credential may not do this",
    detail: "Use a credential whose scopes allow it.",
  },
  origin_not_allowed: {
    status: 403,
    title: "This origin is not allowed",
    detail: "Add the page's origin to the allowed origins of the project or the session.",
  },
  ip_not_allowed: {
    status: 403,
    title: "The API key may not be used from this address",
    detail: "Add the server's address to the key's IP list in Settings -> API Keys.",
  },
  api_key_in_browser: {
    status: 403,
    title: "An API key was sent from a web page",
    detail: "Keys belong on your server. Revoke this key, and let the page use session tokens.",
  },
  integration_mismatch: {
    status: 403,
    title: "The session belongs to another integration",
    detail: "Use the integration that the session was made for.",
  },
  approval_required: {
    status: 403,
    title: "The call waits for a person's approval",
    detail: "Send the person's decision in `approvals`, with the output or before it.",
  },
  tool_not_allowed: {
    status: 403,
    title: "The session may not use this tool",
    detail: "Use a session that was made with this tool among its allowed ones.",
  },
  project_disabled: {
    status: 403,
    title: "The project is switched off",
    detail: "Whoever runs the project can switch it on again.",
  },
  integration_disabled: {
    status: 403,
    title: "The integration is switched off",
    detail: "Whoever runs the project can switch it on again.",
  },
  cross_site_request: {
    status: 403,
    title: "The request came from another site",
    detail: "Open the dashboard on its own address and try again.",
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    detail: "It does not exist, or it is not yours to see.",
  },
  method_not_allowed: {
    status: 405,
    title: "This address does not take that method",
    detail: "See the `Allow` header for the methods that it takes.",
  },
  conflict: {
    status: 409,
    title: "The request does not fit the present state",
    detail: "Look at the present state and decide again.",
  },
  approval_decided: {
    status: 409,
    title: "The call was decided before",
    detail: "Read the thread to see what became of it. A decision counts once.",
  },
  run_in_progress: {
    status: 409,
    title: "The agent is still answering in this thread",
    detail: "Wait for the answer to end, or stop it first.",
  },
  history_needs_owner: {
    status: 409,
    title: "The session has no owner, so it has no history",
    detail: "Send `external_owner_id` from your server when it creates the session.",
  },
  request_timeout: {
    status: 408,
    title: "The request took too long to arrive",
    detail: "Send it again, over a faster connection or in one piece.",
  },
  headers_too_large: {
    status: 431,
    title: "The headers are too large",
    detail: "Send at most 8,192 bytes of headers.",
  },
  body_too_large: {
    status: 413,
    title: "The request is too large",
    detail: "Send less than `limit_bytes` bytes.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The request is not JSON",
    detail: "Send `Content-Type: application/json`.",
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    detail: "Wait for as many seconds as `Retry-After` says.",
  },
  budget_exhausted: {
    status: 429,
    title: "The session has used up what it was given",
    detail: "Create a new session, or give sessions more when you create them.",
  },
  quota_exceeded: {
    status: 429,
    title: "Too many requests",
    detail: "Wait for as many seconds as `Retry-After` says; `violated-policies` names the limits.",
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
  },
  abnormal_usage: {
    status: 429,
    title: "Too many credentials from this address were not good",
    detail: "Wait for as many seconds as `Retry-After` says, and send a good credential.",
    type: "https://iana.org/assignments/http-problem-types#abnormal-usage-detected",
  },
  internal_error: {
    status: 500,
    title: "Something went wrong",
    detail: "Try again. If it stays, give the request id to whoever runs this server.",
  },
  origin_refused: {
    status: 400,
    title: "The session was asked for by a page of another site",
    detail: "Add the page's origin to `allowedOrigins` of the session endpoint, if it is yours.",
  },
  session_upstream_rejected: {
    status: 502,
    title: "The Valet server refused this server's request for a session",
    detail: "Check VALET_API_KEY, the project id and the address of the Valet server.",
  },
  session_upstream_unavailable: {
    status: 502,
    title: "The Valet server could not be reached",
    detail: "Check that the Valet server is running and its address is right.",
  },
  session_upstream_timeout: {
    status: 504,
    title: "The Valet server took too long to answer",
    detail: "Try again. If it stays, look at the Valet server.",
  },
  unavailable: {
    status: 503,
    title: "The server cannot answer now",
    detail: "Try again after as many seconds as `Retry-After` says.",
  },
  // The four below travel inside a stream that has already begun, in a `data-error` frame.
  model_unavailable: {
    status: 503,
    title: "The model could not be reached",
    detail: "Try again in a moment.",
  },
  model_rejected: {
    status: 502,
    title: "The model refused the request",
    detail: "Whoever runs this server finds the reason in its log, under the request id.",
  },
  run_limit: {
    status: 503,
    title: "The answer reached its limit",
    detail: "Ask for less at once.",
  },
  run_interrupted: {
    status: 503,
    title: "The answer was interrupted",
    detail: "Ask again.",
  },
};

/** One row of {@link errorCodes}. */
export interface ErrorCodeEntry {
  /** HTTP status the error is answered with. */
  readonly status: number;
  /** What happened, in a sentence without its full stop. */
  readonly title: string;
  /** What to do about it. */
  readonly detail: string;
  /** A registered problem type that says the same (RFC 9457). @default urn:valet:error:<code> */
  readonly type?: string;
}

/** The stable code of an error on the wire, for programs to switch on. */
export type ErrorCode =
  | "invalid_request"
  | "unknown_field"
  | "credential_in_query"
  | "ambiguous_credentials"
  | "unknown_model"
  | "missing_credential"
  | "invalid_token"
  | "token_expired"
  | "token_revoked"
  | "invalid_api_key"
  | "key_expired"
  | "key_revoked"
  | "key_disabled"
  | "key_rotated"
  | "sign_in_required"
  | "wrong_password"
  | "invalid_setup_code"
  | "owner_blocked"
  | "insufficient_scope"
  | "origin_not_allowed"
  | "ip_not_allowed"
  | "api_key_in_browser"
  | "integration_mismatch"
  | "approval_required"
  | "tool_not_allowed"
  | "project_disabled"
  | "integration_disabled"
  | "cross_site_request"
  | "not_found"
  | "method_not_allowed"
  | "conflict"
  | "approval_decided"
  | "run_in_progress"
  | "history_needs_owner"
  | "request_timeout"
  | "headers_too_large"
  | "body_too_large"
  | "unsupported_media_type"
  | "rate_limited"
  | "budget_exhausted"
  | "quota_exceeded"
  | "abnormal_usage"
  | "internal_error"
  | "origin_refused"
  | "session_upstream_rejected"
  | "session_upstream_unavailable"
  | "session_upstream_timeout"
  | "unavailable"
  | "model_unavailable"
  | "model_rejected"
  | "run_limit"
  | "run_interrupted";

/** Whether a text is one of {@link errorCodes}. */
export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === "string" && Object.hasOwn(errorCodes, text);
}
