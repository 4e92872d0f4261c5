import { expect } from "vitest";
import type { TestServer } from "./valet-server.ts";

/** The password of {@link signUp}. */
export const password = "correct horse battery staple";

/** Makes an account with a set-up link; gives the `Cookie` header of the person. */
export async function signUp(
  valet: Pick<TestServer, "control" | "fetch">,
  email = "ada@example.com",
): Promise<string> {
  const { url } = await valet.control.post<{ url: string }>("/setup-links");
  const { origin, hash } = new URL(url);
  const answer = await valet.fetch(`${origin}/admin/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ code: hash.slice(1), name: "Ada", email, password }),
  });
  expect(answer.status).toBe(201);
  return cookiesOf(answer);
}

/** The code of a new set-up link. */
export async function setupCode(valet: Pick<TestServer, "control">): Promise<string> {
  const { url } = await valet.control.post<{ url: string }>("/setup-links");
  return url.slice(url.indexOf("#") + 1);
}

/** The `Cookie` header that a browser would send after an answer. */
export function cookiesOf(answer: Response): string {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
}
