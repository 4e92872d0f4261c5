import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/**
 * The demo's stand-in for a login: whoever opens the page is somebody, and stays it. A real app
 * has its own sign-in in this place, and its own id of the person.
 */
export interface DemoUsers {
  /** The user of a request, by its cookie. */
  read(cookieHeader: string | null): string | undefined;
  /** A new user's cookie. */
  create(): string;
}

const name = "acme_user";

/** Creates the users of one demo. Their cookies stay good when the demo is started again. */
export function createDemoUsers(secret: string): DemoUsers {
  const sign = (user: string) =>
    createHmac("sha256", secret).update(`demo user ${user}`).digest("base64url");
  return {
    read(cookieHeader) {
      const found = /(?:^|;\s*)acme_user=([0-9a-f]{16})\.([\w-]{43})(?:;|$)/.exec(
        cookieHeader ?? "",
      );
      const [, user = "", signature = ""] = found ?? [];
      if (!found || !timingSafeEqual(Buffer.from(sign(user)), Buffer.from(signature))) {
        return undefined;
      }
      return user;
    },
    create() {
      const user = randomBytes(8).toString("hex");
      return `${name}=${user}.${sign(user)}; Path=/; HttpOnly; SameSite=Lax`;
    },
  };
}
