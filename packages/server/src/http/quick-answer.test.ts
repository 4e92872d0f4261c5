import fc from "fast-check";
import { expect, test } from "vitest";
import { readQuickHeaders } from "./quick-answer.ts";

const plain = ["Host", "valet.test", "Authorization", "Bearer a"];
const read = (rawHeaders: string[], httpVersion = "1.1") =>
  readQuickHeaders({ rawHeaders, httpVersion });

test("a plain request is read, whatever else it says of itself", () => {
  expect(read(plain)).toEqual({ authorization: "Bearer a", origin: undefined });
  const more = ["ORIGIN", "https://a.test", "Cookie", "a=b", "Accept", "*/*", "X-Request-Id", "1"];
  expect(read([...more, ...plain])).toEqual({
    authorization: "Bearer a",
    origin: "https://a.test",
  });
});

test("what comes twice, has a body, another credential or an odd host is left to the app", () => {
  const odd = [
    ["Authorization", "Bearer b"],
    ["authorization", "Bearer a"],
    ["HOST", "valet.test"],
    ["X-API-Key", "k"],
    ["Content-Length", "0"],
    ["Transfer-Encoding", "chunked"],
    ["Expect", "100-continue"],
    ["Upgrade", "h2c"],
  ];
  for (const pair of odd) {
    expect(read([...plain, ...pair]), pair[0]).toBeUndefined();
    expect(read([...pair, ...plain]), pair[0]).toBeUndefined();
  }
  const origin = ["Origin", "https://a.test"];
  expect(read([...origin, ...origin, ...plain])).toBeUndefined();
  for (const host of ["", "a b", "a/b", "a@b", "[::1]", "UPPER.test", "a:"]) {
    expect(read(["Host", host, "Authorization", "Bearer a"]), host).toBeUndefined();
  }
  expect(read(["Host", "valet.test"])).toBeUndefined();
  expect(read(["Authorization", "Bearer a"])).toBeUndefined();
  expect(read(plain, "1.0")).toBeUndefined();
});

test("the case of a header's name changes nothing", () => {
  const names = ["authorization", "host", "origin", "x-api-key", "content-length", "expect"];
  const inAnyCase = fc
    .constantFrom(...names)
    .chain((name) =>
      fc
        .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
        .map((upper) => [
          name,
          [...name].map((each, at) => (upper[at] ? each.toUpperCase() : each)).join(""),
        ]),
    );
  fc.assert(
    fc.property(inAnyCase, ([lower = "", mixed = ""]) => {
      expect(read([...plain, mixed, "x"])).toEqual(read([...plain, lower, "x"]));
    }),
  );
});
