import { expect, test } from "vitest";
import { ApiError, createApi } from "./api.ts";

function apiAnswering(status: number, body: unknown) {
  const requests: { url: string; init: RequestInit | undefined }[] = [];
  const api = createApi(async (url, init) => {
    requests.push({ url: String(url), init });
    return new Response(JSON.stringify(body), { status });
  });
  return { api, requests };
}

test("a problem of the server becomes an error with its code, words and field", async () => {
  const { api } = apiAnswering(400, {
    code: "invalid_request",
    detail: "password: too short",
    field: "password",
  });
  const error = await api.setUp({ code: "", name: "", email: "", password: "" }).catch((e) => e);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    code: "invalid_request",
    message: "password: too short",
    field: "password",
    status: 400,
  });
});

test("an error of the sign-in itself keeps its words", async () => {
  const { api } = apiAnswering(401, {
    code: "INVALID_EMAIL_OR_PASSWORD",
    message: "Invalid email or password",
  });
  await expect(api.signIn("a@b.c", "x")).rejects.toMatchObject({
    code: "invalid_email_or_password",
    message: "Invalid email or password",
  });
});

test("a server that is away is told apart from one that refuses", async () => {
  const api = createApi(() => Promise.reject(new TypeError("Failed to fetch")));
  await expect(api.me()).rejects.toMatchObject({ code: "network_error", status: 0 });
});

test("ids cannot lead a request to another address", async () => {
  const { api, requests } = apiAnswering(200, { key: {} });
  await api.key("../x", "a/b?c");
  expect(requests[0]?.url).toBe("/admin/v1/projects/..%2Fx/keys/a%2Fb%3Fc");
});
