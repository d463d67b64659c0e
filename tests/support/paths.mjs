// Where things are, for every test that crosses crates.
import { fileURLToPath } from "node:url";
import { join } from "node:path";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** What npm gets, made by `cargo xtask build`. */
export const dist = {
  browser: join(root, "dist/browser"),
  edge: join(root, "dist/edge"),
};

export const bin = (name) => join(root, "node_modules/.bin", name);
