/** The name of the cookie that tells anonymous visitors apart. */
export const visitorCookieName = "valet_visitor";

const maxAgeS = 180 * 24 * 3600;
const cookieValue = /^([0-9a-f]{32})\.([0-9a-f]{64})$/;

/** Recognises anonymous visitors by a cookie that they cannot make up. */
export interface VisitorCookies {
  /** The visitor of a request; a new one when it brings no cookie of ours. */
  identify(request: Request): Promise<{ visitorId: string; setCookie: string | undefined }>;
}

/**
 * Creates the cookies of one key. They are signed with a key derived from the API key, so that
 * there is nothing else to configure and nothing of the API key to see.
 *
 * @see RFC 6265bis, RFC 2104
 */
export function createVisitorCookies(apiKey: string): VisitorCookies {
  let signingKey: Promise<CryptoKey> | undefined;

  async function sign(visitorId: string): Promise<string> {
    signingKey ??= deriveKey(apiKey);
    const text = new TextEncoder().encode(visitorId);
    return toHex(await crypto.subtle.sign("HMAC", await signingKey, text));
  }

  return {
    async identify(request) {
      const [, known, signature] = cookieValue.exec(readCookie(request) ?? "") ?? [];
      if (known !== undefined && signature === (await sign(known))) {
        return { visitorId: known, setCookie: undefined };
      }
      const visitorId = toHex(crypto.getRandomValues(new Uint8Array(16)).buffer);
      const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
      return {
        visitorId,
        setCookie: `${visitorCookieName}=${visitorId}.${await sign(visitorId)}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`,
      };
    },
  };
}

function readCookie(request: Request): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=");
    if (name === visitorCookieName) return value;
  }
  return undefined;
}

async function deriveKey(apiKey: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(apiKey);
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode("valet visitor cookie 1");
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
}

function toHex(buffer: ArrayBuffer): string {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
