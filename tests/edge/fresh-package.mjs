// Copies of the built package that nobody has loaded yet, with or without the files of its modules.
import { cp, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { listen } from "../support/loopback.mjs";
import { dist } from "../support/paths.mjs";

/** The modules' files within the package. */
export const CORE = "wasm/keybound_edge_bg.wasm";
export const SIGNATURES = "wasm/keybound_rustcrypto_bg.wasm";

/** The smallest module that compiles. */
export const EMPTY_MODULE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

export const octetsOf = (wasm) => readFile(join(dist.edge, wasm));

/** A folder for copies. `without` names modules whose files are missing, until `restore()`. */
export async function makeCopies() {
  const folder = await mkdtemp(join(tmpdir(), "keybound-copies-"));
  let copies = 0;
  return {
    remove: () => rm(folder, { recursive: true, force: true }),
    async fresh({ without = [] } = {}) {
      const place = join(folder, `copy-${(copies += 1)}`);
      await cp(dist.edge, place, { recursive: true });
      for (const wasm of without) await rename(join(place, wasm), join(place, `${wasm}.away`));
      const restore = () => Promise.all(without.map((wasm) => rename(join(place, `${wasm}.away`), join(place, wasm))));
      const entry = (name) => import(pathToFileURL(join(place, name)).href);
      return { edge: await entry("index.js"), entry, place, restore };
    },
  };
}

/** Serves a module on a free port, for as long as the test runs. `answer(response, count)` answers. */
export async function serveModule(t, answer) {
  let count = 0;
  const server = await listen(createServer((_request, response) => answer(response, (count += 1))));
  t.after(() => server.close());
  return new URL(`${server.origin}/module.wasm`);
}
