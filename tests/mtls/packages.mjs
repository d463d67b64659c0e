// The built packages, as these tests use them.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../support/paths.mjs";

const built = (file) =>
  import(pathToFileURL(join(root, "dist", file)).href).catch((cause) => {
    throw new Error(`dist/${file} is not there: run \`cargo xtask build\` first`, { cause });
  });

export const mtlsFront = await built("mtls-front/index.js");
export const edgeNode = await built("edge/node.js");
