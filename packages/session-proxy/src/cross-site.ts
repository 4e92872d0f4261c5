/** What a request's origin means for its answer. */
export type OriginVerdict =
  | { readonly kind: "same-site" }
  | { readonly kind: "allowed"; readonly origin: string }
  | { readonly kind: "refused" };

/**
 * Whether a request may be answered as to where it came from. Your login is a cookie, which a
 * browser also sends when another site's page asks; such a page would get a token in the name of
 * whoever looks at it. What sends neither `Origin` nor `Sec-Fetch-Site` is no browser.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function judgeOrigin(request: Request, allowedOrigins: readonly string[]): OriginVerdict {
  const origin = request.headers.get("origin");
  if (origin !== null) {
    if (allowedOrigins.includes(origin)) return { kind: "allowed", origin };
    return { kind: isOwnOrigin(origin, request) ? "same-site" : "refused" };
  }
  const site = request.headers.get("sec-fetch-site");
  return { kind: site === "cross-site" || site === "same-site" ? "refused" : "same-site" };
}

/** Whether the page stands on the host that was asked. The scheme is the proxy's in front. */
function isOwnOrigin(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false;
  const host = request.headers.get("host") ?? new URL(request.url).host;
  return new URL(origin).host === host;
}

/** The headers that let a page of an allowed origin read the answer. */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "date, retry-after",
    vary: "Origin",
  };
}
