// Conformance cases in Node, through the built package.

import { runFile } from "./cases.mjs";
import { main } from "./report.mjs";

const edge = await import("../../dist/edge/index.js");
await main((file) => runFile(edge, file));
