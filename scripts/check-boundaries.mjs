#!/usr/bin/env node
// Who may import whom, by what each package.json lists. The table is the diagram of
// ARCHITECTURE.md; a package that lists another one breaks the build, not only the picture.
import { readFileSync } from "node:fs";

const allowed = {
  "packages/protocol": [],
  "packages/agent-core": ["@valet/protocol"],
  "packages/agent-react": ["@valet/agent-core"],
  "packages/session-proxy": ["@valet/protocol"],
  "packages/server": ["@valet/protocol"],
  "apps/dashboard": ["@valet/agent-core", "@valet/agent-react"],
  "apps/demo": ["@valet/agent-react", "@valet/session-proxy"],
};

const problems = [];
for (const [folder, may] of Object.entries(allowed)) {
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const listed = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.devDependencies,
  };
  for (const [name, version] of Object.entries(listed)) {
    if (name.startsWith("@valet/")) {
      if (!may.includes(name)) problems.push(`${folder} may not use ${name}`);
      else if (version !== manifest.version)
        problems.push(`${folder}: ${name} must be ${manifest.version}`);
    } else if (/^[\^~]/.test(version) && !manifest.peerDependencies?.[name]) {
      problems.push(`${folder}: ${name} is not pinned (${version})`);
    }
  }
}
for (const problem of problems) console.log(problem);
process.exit(problems.length === 0 ? 0 : 1);
