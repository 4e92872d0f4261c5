import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createAgentHarness, only, someSession } from "../testing/agent-harness.ts";
import { calls, createScriptedModel, finishes, says } from "../testing/scripted-model.ts";
import { createTicketTool } from "../testing/some-tools.ts";
import { loadTools } from "./load-tools.ts";
import { maxOutputBytes, type ServerToolOptions } from "./operator-tool.ts";
import { readTools, ServerToolsError } from "./read-tools.ts";

const folder = mkdtempSync(join(tmpdir(), "valet-tools-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Asks for one call of a tool that needs no approval. */
async function callOnce(more: Partial<ServerToolOptions<{ readonly title: string }>>) {
  const { tool, runs } = createTicketTool({ needsApproval: false, ...more });
  const model = createScriptedModel(
    [calls("c_1", "create_ticket", { title: "Raise limit" }), finishes("tool-calls")],
    [...says("Done."), finishes()],
  );
  const harness = await createAgentHarness({ model, serverTools: [tool] });
  const answer = await harness.ask(someSession({ owner: "jo" }), "Raise my limit");
  const result = model.calls[1]?.prompt.at(-1);
  return {
    runs,
    answer,
    log: harness.log.join(""),
    told: JSON.stringify(result),
    errorText: only(answer.parts, "tool-output-error")[0]?.errorText,
    output: only(answer.parts, "tool-output-available")[0]?.output,
  };
}

test("a tool is handed whom and what it works for, and a key to do it once", async () => {
  const { runs, output } = await callOnce({});
  expect(output).toEqual({ ticket: 1 });
  expect(runs).toEqual([
    {
      input: { title: "Raise limit" },
      context: {
        signal: expect.any(AbortSignal),
        projectId: "prj_1",
        owner: "jo",
        toolCallId: "c_1",
        idempotencyKey: expect.stringMatching(/^[\w-]{43}$/),
      },
    },
  ]);
  const other = await callOnce({});
  expect(other.runs[0]?.context.idempotencyKey).not.toBe(runs[0]?.context.idempotencyKey);
});

test("what a tool throws reaches neither page nor model, unless it says that it may", async () => {
  const secret = "The password of the database is 4711.";
  const hidden = await callOnce({
    execute() {
      throw new Error(secret);
    },
  });
  expect(hidden.errorText).toBe("The tool failed.");
  expect(hidden.told).toContain("The tool failed.");
  expect(hidden.told + JSON.stringify(hidden.answer.parts)).not.toContain("4711");
  expect(hidden.log).toContain("A server tool failed.");
  expect(hidden.answer.text).toBe("Done.");

  const shown = await callOnce({
    execute: () => Promise.reject(Object.assign(new Error("No such queue."), { expose: true })),
  });
  expect(shown.errorText).toBe("No such queue.");
  expect(shown.told).toContain("No such queue.");
  const long = await callOnce({
    execute: () => Promise.reject(Object.assign(new Error("x".repeat(9_000)), { expose: true })),
  });
  expect(long.errorText).toHaveLength(2_000);
});

test("a result is JSON of a bounded size; what is not is an error that says that the work was done", async () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  for (const [value, errorText] of [
    ["x".repeat(maxOutputBytes - 1), /too large/],
    [circle, /not JSON/],
    [12n, /not JSON/],
    [() => 1, /too large/],
  ] as const) {
    const { errorText: said, answer } = await callOnce({ execute: () => value });
    expect(said).toMatch(errorText);
    expect(answer.text).toBe("Done.");
  }
  expect((await callOnce({ execute: () => undefined })).output).toBeNull();
  const most = "x".repeat(maxOutputBytes - 2);
  expect((await callOnce({ execute: () => most })).output).toBe(most);
});

test("a call that takes too long is given up, is told so, and its outcome is called unknown", async () => {
  let isTold = false;
  const { errorText, answer } = await callOnce({
    timeoutMs: 1,
    execute: (_, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => {
          isTold = true;
        });
      }),
  });
  expect(errorText).toMatch(/too long.*may or may not/);
  expect(isTold).toBe(true);
  expect(answer.text).toBe("Done.");
});

test("a session without an integration gets only tools that say so, and one with fewer rights none", async () => {
  const model = createScriptedModel([...says("Yes."), finishes()]);
  const { tool } = createTicketTool({ withoutIntegration: false });
  const open = createTicketTool({ name: "look_up", withoutIntegration: true });
  const { ask } = await createAgentHarness({ model, serverTools: [tool, open.tool] });
  const given = async (session: Parameters<typeof ask>[0]) => {
    await ask(session, "Is it?");
    return model.calls.at(-1)?.tools?.map(({ name }) => name);
  };
  const search = "search_knowledge_base";
  expect(await given(someSession())).toEqual([search, "look_up"]);
  const integrated = { integrationId: "int_1" };
  expect(await given(someSession(integrated))).toEqual([search, "create_ticket", "look_up"]);
  const allow = { tools: ["create_ticket"] };
  expect(await given(someSession({ ...integrated, policy: { allow } }))).toEqual(["create_ticket"]);
  expect(await given(someSession({ policy: { allow } }))).toBeUndefined();
});

test("what is wrong with tools is told at once, each fault by its place", () => {
  const { tool } = createTicketTool();
  const faulty = [
    tool,
    tool,
    { ...tool, name: "search_knowledge_base" },
    { ...tool, name: "a b" },
    { ...tool, name: "c", execute: "rm" },
    { ...tool, name: "d", inputSchema: { type: "string" } },
    { ...tool, name: "e", inputSchema: { type: "object", properties: { a: { $ref: "#/no" } } } },
    { ...tool, name: "f", timeoutMs: 0 },
    { ...tool, name: "g", needsApprovals: true },
    { ...tool, name: "h", needsApproval: "yes" },
    "tool",
  ];
  let problems: readonly string[] = [];
  try {
    readTools(faulty);
  } catch (error) {
    problems = (error as ServerToolsError).problems;
  }
  expect(problems.map((problem) => problem.split(":")[0])).toEqual([
    "tools[1].name",
    "tools[2].name",
    "tools[3].name",
    "tools[4].execute",
    "tools[5].inputSchema",
    "tools[6].inputSchema",
    "tools[7].timeoutMs",
    "tools[8]",
    "tools[9].needsApproval",
    "tools[10]",
  ]);
  expect(problems[7]).toContain("needsApprovals");
});

test("a module of tools is loaded, and one that is none says what is wrong", async () => {
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const good = write(
    "good.mjs",
    'export const tools = [{ name: "a", description: "A.", inputSchema: { type: "object" }, execute: () => 1 }];',
  );
  expect(readTools(await loadTools(good)).map(({ name, title }) => [name, title])).toEqual([
    ["a", "a"],
  ]);
  for (const [file, what] of [
    [join(folder, "none.mjs"), "could not be loaded"],
    [write("broken.mjs", "export const tools = ["), "could not be loaded"],
    [write("other.mjs", "export default [];"), "must export an array named `tools`"],
  ] as const) {
    const failure = loadTools(file).catch((error: unknown) => (error as ServerToolsError).problems);
    expect(await failure).toEqual([expect.stringContaining(what)]);
  }
  expect(new ServerToolsError(["a"]).message).toBe("The server's tools have a problem.");
});
