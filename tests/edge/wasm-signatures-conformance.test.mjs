// The conformance cases with software signatures come to the same as with the platform's, reason by reason.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runFile } from "../conformance/cases.mjs";
import { dist, root } from "../support/paths.mjs";
import { edge } from "./support.mjs";

const { wasmSignatures } = await import(pathToFileURL(join(dist.edge, "wasm-signatures.js")).href);
const ALGORITHMS = ["ES256", "EdDSA", "Ed25519"];

/** The package with servers that know these algorithms only, and take them from `crypto`. */
function limitedTo(crypto) {
  const limit = ({ proof, ...options }) => {
    const algorithms = (proof.algorithms ?? ALGORITHMS).filter((name) => ALGORITHMS.includes(name));
    // A list of others only would not be a server at all.
    return { ...options, crypto, proof: { ...proof, algorithms: algorithms.length > 0 ? algorithms : ALGORITHMS } };
  };
  return {
    ...edge,
    jwtTokens: (options) => edge.jwtTokens({ ...options, algorithms: ALGORITHMS }),
    createResourceServer: (options) => edge.createResourceServer(limit(options)),
    createTokenEndpoint: (options) => edge.createTokenEndpoint(limit(options)),
  };
}

async function resultsOf(engine, file) {
  const results = [];
  for await (const { ms: _, ...result } of runFile(engine, file)) results.push(result);
  return results;
}

for (const name of ["sample", "own-rs", "own-as"]) {
  test(`${name}.json`, async (t) => {
    const file = JSON.parse(await readFile(join(root, `tests/conformance/${name}.json`), "utf8"));
    const software = await resultsOf(limitedTo(wasmSignatures), file);
    const platform = await resultsOf(limitedTo("webcrypto"), file);
    assert.ok(software.length >= file.cases.length);
    assert.deepEqual(software, platform);
    // What depends on no other algorithm comes to what the standards ask for.
    const unlimited = await resultsOf(edge, file);
    const same = software.filter(({ outcome, reason }, index) => unlimited[index].outcome === outcome && unlimited[index].reason === reason);
    assert.ok(same.length > software.length / 2, `${same.length} of ${software.length}`);
    assert.deepEqual(same.filter(({ pass }) => !pass), []);
    t.diagnostic(`${same.length} of ${software.length} steps need none but ${ALGORITHMS.join(", ")}`);
  });
}
