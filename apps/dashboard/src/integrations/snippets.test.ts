import { expect, test } from "vitest";
import { javascriptSnippets, reactSnippets, sessionEndpointSnippets } from "./snippets.ts";

const facts = {
  projectId: "prj_0123456789abcdef",
  integrationId: "int_0123456789abcdef",
  apiUrl: "https://valet.example.com",
  sdkPackages: {
    "@valet/protocol": "/sdk/valet-protocol-0.1.0.tgz",
    "@valet/agent-core": "/sdk/valet-agent-core-0.1.0.tgz",
    "@valet/agent-react": "/sdk/valet-agent-react-0.1.0.tgz",
    "@valet/session-proxy": "/sdk/valet-session-proxy-0.1.0.tgz",
  },
};
const all = [
  ...reactSnippets(facts),
  ...javascriptSnippets(facts),
  ...sessionEndpointSnippets(facts),
];

test("every page's snippet carries the real ids, and none needs anything filled in", () => {
  for (const { title, code } of all) {
    expect(code).not.toMatch(/undefined|your-|YOUR_|\{projectId\}/);
    if (title === "Your page" || title.startsWith("Or the ready chat") || title === "The handler") {
      expect(code).toContain(facts.projectId);
      expect(code).toContain(facts.integrationId);
    }
  }
});

test("packages are installed in one command, each after the ones it needs", () => {
  const installs = all.filter(({ title }) => title === "Install");
  expect(installs).toHaveLength(2);
  for (const { code } of installs) {
    expect(code.match(/npm install/g)).toHaveLength(1);
    expect(code).toContain("https://valet.example.com/sdk/valet-protocol-0.1.0.tgz");
  }
});

test("no snippet for a page mentions the key, and none for a server has it in its text", () => {
  for (const { code } of [...reactSnippets(facts), ...javascriptSnippets(facts)]) {
    expect(code).not.toMatch(/api.?key/i);
  }
  for (const { code } of all) expect(code).not.toContain("agk_");
});
