import { expect, test } from "vitest";
import { createProblem, type ErrorCode, errorCodes, parseProblem } from "./index.ts";

test("a problem survives the trip through JSON, whatever its code", () => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const problem = createProblem(code, { field: "a.b", request_id: "req_1" });
    expect(parseProblem(JSON.parse(JSON.stringify(problem)))).toEqual(problem);
  }
});

test("what is not one of our problems is not taken for one", () => {
  for (const body of [
    undefined,
    null,
    3,
    "x",
    [],
    {},
    { error: "x" },
    { code: "nope", status: 4 },
  ]) {
    expect(parseProblem(body)).toBeUndefined();
  }
  expect(parseProblem({ code: "toString", status: 400 })).toBeUndefined();
});
