// @ts-check
// dist/browser and dist/edge as an `npm install` would leave them, so that the demo finds them by name, through their `exports`.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DemoFailure } from "./failure.mjs";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

/** @typedef {{ directory: string, locate(name: string): string, remove(): Promise<void> }} Installed `directory` has a node_modules with both packages. */

/** @returns {Promise<Installed>} */
export async function installPackages() {
  for (const name of ["browser", "edge"]) {
    if (!existsSync(join(DIST, name, "package.json"))) {
      throw new DemoFailure(`dist/${name} is missing`, { fix: "cargo xtask build" });
    }
  }
  const directory = await mkdtemp(join(tmpdir(), "keybound-demo-"));
  const scope = join(directory, "node_modules", "@keybound");
  await mkdir(scope, { recursive: true });
  for (const name of ["browser", "edge"]) await symlink(join(DIST, name), join(scope, name), "junction");
  return {
    directory,
    locate: (name) => join(DIST, name.replace("@keybound/", "")),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * An esbuild plugin: `@keybound/*` comes from there, everything else from this repository's node_modules.
 * @param {Installed} installed
 * @returns {import("esbuild").Plugin}
 */
export function resolveFrom(installed) {
  return {
    name: "installed-packages",
    setup(build) {
      build.onResolve({ filter: /^@keybound\// }, ({ path, kind, resolveDir }) =>
        resolveDir === installed.directory ? undefined : build.resolve(path, { kind, resolveDir: installed.directory }),
      );
    },
  };
}
