import type { Logger } from "pino";
import type { KeyPrincipal } from "../api-keys/key-mirror.ts";
import type { Person } from "../people/people.ts";
import type { SessionPrincipal } from "../sessions/principal.ts";
import type { ClientAddress } from "./client-address.ts";

/** What every request carries through the app. */
export interface AppEnv {
  Variables: {
    /** `req_` and 22 characters; in the answer's `X-Request-Id` and in every log line. */
    requestId: string;
    /** A logger that writes the request's id. */
    log: Logger;
    /** Where the request came from. Not set on the socket of the command. */
    clientAddress: ClientAddress | undefined;
    /** Set on routes behind `requireSession` and `requireCaller`. */
    session: SessionPrincipal;
    /** Set on routes behind `requireKey`. */
    key: KeyPrincipal;
    /** Set on routes behind `requirePerson`. */
    person: Person;
  };
}
