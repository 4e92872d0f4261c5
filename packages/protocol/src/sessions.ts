/** The answer to `POST /agent/v1/projects/{projectId}/agent/sessions/`: 201, JSON. */
export interface SessionReply {
  /** 64 base62 characters, opaque. Goes into `Authorization: Bearer` and nowhere else. */
  readonly session_token: string;
  /** When it stops working: UTC, ISO 8601 with microseconds and `Z`. */
  readonly expires_at: string;
  /** The same as whole seconds from now, which no wrong clock can spoil. */
  readonly expires_in: number;
  /** `ses_` and 22 characters: names the session in lists and logs, and opens nothing. */
  readonly session_id: string;
  /** Where the SDK finds this server, when the operator has set it: `https://host`, no path. */
  readonly api_url?: string;
}

/** What the customer's server may ask for when it creates a session. All of it is optional. */
export interface SessionRequest {
  /** The customer's own stable id of the person, at most 256 characters. History belongs to it. */
  readonly external_owner_id?: string;
  /** Binds the session to one Agent integration. */
  readonly integration_id?: string;
  /** Life in seconds, 60 to the project's maximum. Default 3600. */
  readonly ttl_seconds?: number;
  /** Pages the session may be used from, as origins. Narrows the project's own list. */
  readonly origins?: readonly string[];
  /** An anonymous person, as the session proxy knows them. Believed only with `sessions:visitors`. */
  readonly visitor_id?: string;
  /** That person's address as the session proxy saw it. Believed only with `sessions:visitors`. */
  readonly visitor_ip?: string;
  /** Upper bounds for this session alone. */
  readonly limits?: {
    readonly turns?: number;
    readonly model_tokens?: number;
    readonly streams?: number;
  };
  /** Narrows what the session may use. */
  readonly allow?: {
    readonly models?: readonly string[];
    readonly tools?: readonly string[];
    readonly source_groups?: readonly string[];
  };
  /** At most 1 KB of JSON that the dashboard shows beside the session. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What `GET .../session/` says of the token that asks. Never the token. */
export interface SessionStatus {
  readonly session_id: string;
  readonly project_id: string;
  readonly integration_id: string | null;
  readonly external_owner_id: string | null;
  readonly expires_at: string;
  readonly expires_in: number;
  readonly limits: {
    readonly turns: number | null;
    readonly model_tokens: number | null;
    readonly streams: number | null;
  };
  /** What is left of it until the session ends; null where nothing bounds it. */
  readonly left: {
    readonly turns: number | null;
    readonly model_tokens: number | null;
  };
}

/** How a session stands with one limit on how often it may ask. */
export interface SessionRate {
  /** As `RateLimit-Policy` names it. */
  readonly policy: string;
  readonly quota: number;
  readonly window_seconds: number;
  readonly remaining: number;
  /** After so many seconds all of it can be had again. */
  readonly reset_seconds: number;
}

/** The path below which everything of a project's agent stands, without a slash at its end. */
export function agentPath(projectId: string): string {
  return `/agent/v1/projects/${encodeURIComponent(projectId)}/agent`;
}
