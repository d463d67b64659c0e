// The adapters' types, from the installed package: what is promised compiles, and what would be a mistake does not.
import { readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { installedPackages } from "../support/installed.mjs";
import { bin, root } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

const COMMON = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, target: "es2022", lib: ["es2022", "dom", "dom.iterable"], skipLibCheck: false };

/** As a worker's project and a server's are configured. */
const PROJECTS = {
  hono: { module: "esnext", moduleResolution: "bundler", types: [] },
  node: { module: "nodenext", moduleResolution: "nodenext", types: ["node"] },
};

let project;
before(async () => {
  const source = (name) => readFile(new URL(`./types/${name}.ts`, import.meta.url), "utf8");
  project = await installedPackages({ "hono.ts": await source("hono"), "node.ts": await source("node") }, { only: ["edge"] });
  for (const name of ["hono", "@types", "undici-types"]) await symlink(join(root, "node_modules", name), project.path("node_modules", name));
});
after(() => project?.remove());

for (const [name, options] of Object.entries(PROJECTS)) {
  test(`@keybound/edge/${name} is typed`, async () => {
    const config = `tsconfig.${name}.json`;
    await project.write({ [config]: JSON.stringify({ compilerOptions: { ...COMMON, ...options }, files: [`${name}.ts`] }) });
    await run(bin("tsc"), ["--project", project.path(config)]);
  });
}
