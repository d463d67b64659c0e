// Opaque tokens, resolved by their issuer (RFC 7662).
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { listen } from "../support/loopback.mjs";
import { START, edge, makeRequest, makeWorld } from "./support.mjs";

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
      const { status = 200, headers = {}, json } = typeof answer === "function" ? answer(asked.at(-1).form) : answer;
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
  for (const broken of [{ status: 500, json: {} }, { status: 401, json: {} }, { status: 302, headers: { location: "/" }, json: {} }, { json: "<html>" }, { json: "[" }, { json: "null" }, { json: "[]" }, { json: '"active"' }, { json: "" }, { status: 204, json: "" }, { status: 201, json: { active: true } }]) {
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

test("what is remembered is forgotten when it says so, at its exp, and after five minutes at the most", async () => {
  for (const [cacheSeconds, exp, seconds] of [[30, undefined, 30], [30, START + 20, 20], [9999, undefined, 300], [9999, START + 9999, 300]]) {
    const { ask, client, clock } = await world({ cacheSeconds });
    answer = () => ({ json: { active: clock.at < START + 20 || exp !== START + 20, exp, cnf: client.cnf } });
    await ask({ token: "opaque~1" });
    clock.forward(seconds - 1);
    assert.equal((await ask({ token: "opaque~1" })).ok, true);
    assert.equal(asked.length, 1);
    clock.forward(1);
    await ask({ token: "opaque~1" });
    assert.equal(asked.length, 2, `${cacheSeconds} ${exp}`);
  }
});

test("a remembered token is refused all the same with another key, without a proof, and for another request", async () => {
  const { ask, client, server } = await world({ cacheSeconds: 30 });
  answer = { json: { active: true, cnf: client.cnf } };
  assert.equal((await ask({ token: "opaque~1" })).ok, true);
  assert.equal((await ask({ token: "opaque~1", proof: { htm: "PUT" } })).reason, "htm_mismatch");
  assert.equal((await server.authenticate(makeRequest({ token: "opaque~1", scheme: "Bearer" }))).reason, "dpop_token_as_bearer");
  const thief = (await makeWorld()).client;
  assert.equal((await server.authenticate(makeRequest({ token: "opaque~1", proof: await thief.proof({ token: "opaque~1" }) }))).reason, "jkt_mismatch");
  assert.equal(asked.length, 1);
});

test("a token that is not active is asked for each time", async () => {
  const { ask, client } = await world({ cacheSeconds: 30 });
  answer = { json: { active: false } };
  for (let time = 0; time < 2; time++) assert.equal((await ask({ token: "opaque~1" })).reason, "token_inactive");
  answer = { json: { active: true, cnf: client.cnf } };
  assert.equal((await ask({ token: "opaque~1" })).ok, true);
  assert.equal(asked.length, 3);
});

test("twenty requests with one token at once share an answer, if answers may be remembered", async () => {
  for (const [cacheSeconds, questions] of [[30, 1], [0, 20]]) {
    const { ask, client } = await world({ cacheSeconds });
    answer = ({ token }) => ({ json: { active: true, sub: token, cnf: client.cnf } });
    const decisions = await Promise.all(Array.from({ length: 20 }, () => ask({ token: "opaque~1" })));
    for (const decision of decisions) assert.equal(decision.claims?.sub, "opaque~1", decision.reason);
    assert.equal(asked.length, questions);
  }
});

test("tokens asked for at once get their own answers", async () => {
  const { ask, client } = await world({ cacheSeconds: 30 });
  answer = ({ token }) => ({ json: { active: true, sub: token, cnf: client.cnf } });
  const tokens = Array.from({ length: 20 }, (_, number) => `opaque~${number}`);
  const decisions = await Promise.all(tokens.map((token) => ask({ token })));
  assert.deepEqual(decisions.map((decision) => decision.claims?.sub), tokens);
});

test("a shared question that fails is 503 for all who wait, and the next one asks anew", async () => {
  const { ask, client } = await world({ cacheSeconds: 30 });
  answer = { status: 500, json: {} };
  for (const { status } of await Promise.all([ask({ token: "opaque~1" }), ask({ token: "opaque~1" })])) assert.equal(status, 503);
  answer = { json: { active: true, cnf: client.cnf } };
  assert.equal((await ask({ token: "opaque~1" })).ok, true);
});

test("a request that waits for another's question in vain asks for itself", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let questions = 0;
  let client;
  // As where a platform cancelled the request that asked, and its promises with it.
  const send = () => ((questions += 1) === 1 ? new Promise(() => {}) : Promise.resolve(Response.json({ active: true, cnf: client.cnf })));
  const hanging = await world({ cacheSeconds: 30, fetch: send });
  ({ client } = hanging);
  void hanging.ask({ token: "opaque~1" });
  while (questions === 0) await new Promise(setImmediate);
  const requests = await Promise.all([1, 2, 3].map(() => hanging.request({ token: "opaque~1" })));
  const others = requests.map((request) => hanging.server.authenticate(request));
  for (let second = 0; second < 3; second++) {
    await new Promise(setImmediate);
    t.mock.timers.tick(1000);
  }
  for (const decision of await Promise.all(others)) assert.equal(decision.ok, true, decision.reason);
  assert.equal(questions, 2);
});

test("an answer of more than a quarter of a megabyte is not read", async () => {
  const { ask, client } = await world();
  const json = (octets) => ({ json: { active: true, cnf: client.cnf, padding: "x".repeat(octets) } });
  answer = json(200_000);
  assert.equal((await ask({ token: "opaque~1" })).ok, true);
  answer = json(300_000);
  assert.equal((await ask({ token: "opaque~1" })).reason, "token_source_unavailable");
});

test("a token is form-encoded, whatever it is made of", async () => {
  const { ask, client } = await world();
  answer = { json: { active: true, cnf: client.cnf } };
  assert.equal((await ask({ token: "a+b/c~d-e._f==" })).ok, true);
  assert.equal(asked.at(-1).form.token, "a+b/c~d-e._f==");
});

test("credentials that cannot be had mean 503", async () => {
  for (const failing of [() => { throw new Error("no secret"); }, () => Promise.reject(new Error("no secret")), () => undefined]) {
    const { ask } = await world({ authenticate: failing });
    assert.equal((await ask({ token: "opaque~1" })).reason, "token_source_unavailable");
  }
});

test("the issuer and audience of an answer are this server's, if it names them", async () => {
  const { ask, client } = await world();
  for (const [members, reason] of [
    [{ iss: "https://as.example", aud: "https://api.example", username: "ada", client_id: "app", scope: "a b" }, undefined],
    [{ aud: ["https://other.example", "https://api.example"] }, undefined],
    [{ aud: "https://other.example" }, "token_audience_mismatch"],
    [{ iss: "https://evil.example" }, "token_issuer_mismatch"],
    [{ exp: START }, "token_expired"],
    [{ nbf: START + 60 }, "token_not_yet_valid"],
    [{ cnf: {} }, "cnf_unknown"],
    [{ cnf: null }, "cnf_malformed"],
  ]) {
    answer = { json: { active: true, cnf: client.cnf, ...members } };
    assert.equal((await ask({ token: "opaque~1" })).reason, reason, JSON.stringify(members));
  }
});

test("mistakes in the options throw and say what to change", () => {
  assert.throws(() => edge.introspection({ endpoint: "https://as.example/introspect", authenticate }), /URL object/);
  assert.throws(() => edge.introspection({ endpoint: new URL("http://as.example/introspect"), authenticate }), /https/);
  assert.throws(() => edge.introspection({ endpoint }), /authenticate/);
  for (const cacheSeconds of [-1, 0.5, NaN, Infinity, "30", null]) {
    assert.throws(() => edge.introspection({ endpoint, authenticate, cacheSeconds }), /cacheSeconds/);
  }
  assert.throws(() => edge.introspection({ endpoint, authenticate: "Basic x" }), /authenticate must be a function/);
  assert.throws(() => edge.introspection({ endpoint, authenticate, fetch: "x" }), /fetch must be a function/);
});
