// Writes own-rs.json, own-as.json and requirements.md from the modules in generator/. Run it after adding cases.
//
// Needs nothing but Node. Unchanged cases come out as they were: signatures depend on key and text only.

import { writeFileSync } from "node:fs";

import { META } from "./generator/cases.mjs";
import algorithms from "./generator/algorithms.mjs";
import header from "./generator/header.mjs";
import jwk from "./generator/jwk.mjs";
import encoding from "./generator/encoding.mjs";
import json from "./generator/json.mjs";
import signature from "./generator/signature.mjs";
import methodAndTarget from "./generator/method-and-target.mjs";
import timeAndIdentity from "./generator/time-and-identity.mjs";
import nonces from "./generator/nonces.mjs";
import fields from "./generator/fields.mjs";
import binding from "./generator/binding.mjs";
import tokens from "./generator/tokens.mjs";
import certificates from "./generator/certificates.mjs";
import sequences from "./generator/sequences.mjs";
import tokenEndpoint from "./generator/token-endpoint.mjs";
import { table } from "./generator/requirements.mjs";

const cases = [
  algorithms, header, jwk, encoding, json, signature, methodAndTarget, timeAndIdentity, nonces, fields, binding, tokens, certificates, sequences, tokenEndpoint,
].flat();

const ids = new Set();
for (const { id } of cases) {
  if (ids.has(id)) throw new Error(`two cases are called ${id}`);
  ids.add(id);
}

const OUTCOMES = new Set(["accept", "invalid_request", "invalid_client", "invalid_dpop_proof", "use_dpop_nonce", "invalid_token", "invalid_grant", "no_credentials", "server_error"]);
for (const testCase of cases) {
  for (const { expect, also_ok = [] } of testCase.sequence ?? [testCase]) {
    for (const outcome of [expect, ...also_ok]) if (!OUTCOMES.has(outcome)) throw new Error(`${testCase.id}: no outcome ${outcome}`);
    if (also_ok.includes(expect)) throw new Error(`${testCase.id}: ${expect} twice`);
    if (testCase.level === "MUST" && expect === "accept" && also_ok.length > 0 && !testCase.sequence) throw new Error(`${testCase.id}: MUST, and yet several outcomes`);
    if (testCase.level === "MUST" && expect !== "accept" && also_ok.includes("accept")) throw new Error(`${testCase.id}: MUST, and yet it may be accepted`);
  }
}

/** One case a line, so that a change shows as lines. */
function write(name, role) {
  const lines = cases.filter((testCase) => testCase.role === role).map((testCase) => JSON.stringify(testCase));
  const text = `{"meta":${JSON.stringify(META)},\n"cases":[\n${lines.join(",\n")}\n]}\n`;
  writeFileSync(new URL(name, import.meta.url), text);
  return `${name}: ${lines.length} cases, ${Math.round(text.length / 1024)} KiB`;
}

console.log(write("own-rs.json", "rs"));
console.log(write("own-as.json", "as"));
const { text, missing } = table(cases);
writeFileSync(new URL("requirements.md", import.meta.url), text);
console.log(`requirements.md: ${missing.length === 0 ? "every line has both kinds of cases" : `no cases of one kind for ${missing.join(", ")}`}`);
