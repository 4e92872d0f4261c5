/** A `Request` has no place for the address that its connection came from; adapters note it here. */
const addresses = new WeakMap<Request, string>();

/** Notes the address of the connection that brought a request. */
export function noteConnectionAddress(request: Request, address: string | undefined): void {
  if (address === undefined) return;
  // IPv4 inside IPv6 is IPv4, and the zone of a link-local address means nothing elsewhere.
  addresses.set(request, address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, ""));
}

/** The address of the connection that brought a request, if an adapter has noted it. */
export function connectionAddress(request: Request): string | undefined {
  return addresses.get(request);
}
