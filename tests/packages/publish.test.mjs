// What a registry gets: complete, small, with types that resolve for everybody, and nothing that belongs to the workshop.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { installedPackages } from "../support/installed.mjs";
import { bin, dist } from "../support/paths.mjs";
import { run } from "../support/run.mjs";

let project;
before(async () => {
  project = await installedPackages();
});
after(() => project?.remove());

for (const [name, folder] of Object.entries(dist)) {
  describe(`@keybound/${name}`, () => {
    test("publint has nothing to say", async () => {
      const { messages, pkg } = await publint({ pkgDir: folder, strict: true });
      assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
    });

    test("its types resolve in every mode that ES modules have", async () => {
      const { exports } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      // A module's file has no types.
      const files = Object.keys(exports).filter((entry) => entry.endsWith(".wasm"));
      const excluded = files.length > 0 ? ["--exclude-entrypoints", ...files.map((file) => file.slice(2))] : [];
      await run(bin("attw"), ["--pack", folder, "--profile", "esm-only", "--no-emoji", ...excluded]);
    });

    test("holds its licences, its README, its modules and no sources of the workshop", async () => {
      const files = project.pack[name].files.map(({ path }) => path);
      for (const needed of ["package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE"]) assert.ok(files.includes(needed), `${needed} is missing`);
      // One a package, and a second for the edge's optional software signatures.
      const modules = name === "edge" ? ["wasm/keybound_edge_bg.wasm", "wasm/keybound_rustcrypto_bg.wasm"] : ["wasm/keybound_browser_bg.wasm"];
      assert.deepEqual(files.filter((file) => file.endsWith(".wasm")).sort(), modules);
      const strange = files.filter((file) => /(^|\/)(src|test|tests|node_modules)\/|tsconfig|\.rs$|\.map$|[^d]\.ts$|^\./.test(file));
      assert.deepEqual(strange, []);
    });

    test("has no dependencies, no install scripts, and declares its side effects", async () => {
      const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
      const hooks = Object.keys(manifest.scripts ?? {}).filter((script) => /install|prepare|pack/.test(script));
      assert.deepEqual(hooks, []);
      assert.equal(manifest.type, "module");
      // Either none at all, or the few files that have some are named.
      assert.ok(manifest.sideEffects === false || Array.isArray(manifest.sideEffects), "sideEffects is not declared");
      assert.equal(manifest.license, "MIT OR Apache-2.0");
    });

    test("names no folder of the machine that built it", async () => {
      const files = (await readdir(folder, { recursive: true })).filter((file) => [".js", ".wasm", ".ts", ".json"].includes(extname(file)));
      for (const file of files) {
        const text = await readFile(join(folder, file), "latin1");
        const named = text.match(/[ -~]{0,40}(\.cargo\/|registry\/src|\/home\/|\/root\/|\/Users\/)[ -~]{0,60}/);
        assert.equal(named?.[0], undefined, file);
      }
    });

    test("its declarations compile in a strict project", async () => {
      const file = `use-${name}.ts`;
      await project.write({
        [file]: `export * from "@keybound/${name}";\n${name === "browser" ? 'export * from "@keybound/browser/session";\nexport * from "@keybound/browser/oidc-client-ts";\nexport * from "@keybound/browser/worker";\n' : ""}`,
        "tsconfig.json": JSON.stringify({
          compilerOptions: { strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [], skipLibCheck: false },
          files: [file],
        }),
      });
      await run(bin("tsc"), ["--project", project.folder]);
    });
  });
}
