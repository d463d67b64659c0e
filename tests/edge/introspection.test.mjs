// Opaque tokens, resolved by their issuer (RFC 7662).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { listen } from "../support/loopback.mjs";
import { edge, makeWorld } from "./support.mjs";

let answer;
let issuer;
let endpoint;
const asked = [];

before(async () => {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      asked.push({ method: request.method, headers: request.headers, form: Object.fromEntries(new URLSearchParams(body)) });
      const { status = 200, headers = {}, json } = answer;
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(typeof json === "string" ? json : JSON.stringify(json));
    });
  });
  issuer = await listen(server);
  endpoint = new URL(`${issuer.origin}/introspect`);
});
after(() => issuer.close());

const authenticate = (request) => {
  request.headers.set("authorization", "Basic cnM6c2VjcmV0");
  return request;
};

async function world(options = {}) {
  asked.length = 0;
  return makeWorld({ tokens: edge.introspection({ endpoint, authenticate, ...options }) });
}

test("the issuer is asked with this server's credentials, and its claims are handed out", async () => {
  const { ask, client } = await world();
  answer = { json: { active: true, sub: "ada", cnf: client.cnf } };
  const decision = await ask({ token: "opaque~1" });
  assert.equal(decision.ok, true, decision.reason);
  assert.equal(decision.claims.sub, "ada");
  const [{ method, headers, form }] = asked;
  assert.deepEqual([method, form], ["POST", { token: "opaque~1", token_type_hint: "access_token" }]);
  assert.equal(headers.authorization, "Basic cnM6c2VjcmV0");
  assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
});

test("only the very true counts as active", async () => {
  const { ask, client } = await world();
  for (const active of [false, "true", 1, null, undefined]) {
    answer = { json: { active, cnf: client.cnf } };
    assert.equal((await ask({ token: "opaque~1" })).reason, "token_inactive", String(active));
  }
});

test("the binding in the answer is enforced", async () => {
  const { ask } = await world();
  answer = { json: { active: true, cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } } };
  assert.equal((await ask({ token: "opaque~1" })).reason, "jkt_mismatch");
  answer = { json: { active: true } };
  assert.equal((await ask({ token: "opaque~1" })).reason, "token_not_bound");
});

test("an endpoint that gives no answer means 503", async () => {
  const { ask } = await world();
  for (const broken of [{ status: 500, json: {} }, { status: 401, json: {} }, { status: 302, headers: { location: "/" }, json: {} }, { json: "<html>" }, { json: "[" }, { json: "null" }]) {
    answer = broken;
    const decision = await ask({ token: "opaque~1" });
    assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "token_source_unavailable"], JSON.stringify(broken));
  }
});

test("an answer is remembered only as long as asked for, and binding and proof are checked all the same", async () => {
  const { ask, client } = await world();
  answer = { json: { active: true, cnf: client.cnf } };
  for (let request = 0; request < 3; request++) assert.equal((await ask({ token: "opaque~1" })).ok, true);
  assert.equal(asked.length, 3);
  const caching = await world({ cacheSeconds: 30 });
  answer = { json: { active: true, cnf: caching.client.cnf } };
  for (let request = 0; request < 3; request++) assert.equal((await caching.ask({ token: "opaque~1" })).ok, true);
  assert.equal(asked.length, 1);
});

test("mistakes in the options throw and say what to change", () => {
  assert.throws(() => edge.introspection({ endpoint: "https://as.example/introspect", authenticate }), /URL object/);
  assert.throws(() => edge.introspection({ endpoint: new URL("http://as.example/introspect"), authenticate }), /https/);
  assert.throws(() => edge.introspection({ endpoint }), /authenticate/);
  assert.throws(() => edge.introspection({ endpoint, authenticate, cacheSeconds: -1 }), /cacheSeconds/);
});
