// Pages of other origins: which may read answers, and how their preflights are answered (RFC 9449 §7.1 and §8).
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { listOf, makeRequest, makeWorld } from "./support.mjs";

const APP = "https://app.example";
const OTHER = "https://evil.example";

const preflightOf = (origin, { method = "OPTIONS", asks = "POST", fields = "authorization,dpop" } = {}) =>
  makeRequest({
    method,
    headers: {
      ...(origin && { origin }),
      ...(asks && { "access-control-request-method": asks, "access-control-request-headers": fields }),
    },
  });

const of = async (cors) => (await makeWorld({ cors })).server;

describe("answers", () => {
  let server;
  before(async () => {
    server = await of({ origins: [APP, "https://second.example"] });
  });
  const refusal = async (origin, from = server) =>
    (await from.authenticate(makeRequest({ headers: origin ? { origin } : {} }))).response().headers;

  test("an allowed origin may read the answer, with challenge, nonce and the server's clock", async () => {
    for (const origin of [APP, "https://second.example"]) {
      const headers = await refusal(origin);
      assert.equal(headers.get("access-control-allow-origin"), origin);
      assert.deepEqual(listOf(headers, "access-control-expose-headers"), ["www-authenticate", "dpop-nonce", "date"]);
      assert.deepEqual(listOf(headers, "vary"), ["origin"]);
    }
  });

  test("any other origin may not, and caches are told that it depends on the origin", async () => {
    for (const origin of [OTHER, "null", "https://app.example.evil.example", "http://app.example", "https://app.example:8443", "https://APP.example", undefined]) {
      const headers = await refusal(origin);
      assert.equal(headers.get("access-control-allow-origin"), null, origin);
      assert.equal(headers.get("access-control-expose-headers"), null, origin);
      assert.deepEqual(listOf(headers, "vary"), ["origin"]);
    }
  });

  test("with a star any origin may, by name of none, and nothing depends on it", async () => {
    const headers = await refusal(OTHER, await of({ origins: "*" }));
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("vary"), null);
  });

  test("credentials are never allowed", async () => {
    assert.equal((await refusal(APP)).get("access-control-allow-credentials"), null);
  });

  test("without a policy no answer mentions CORS", async () => {
    const headers = await refusal(APP, (await makeWorld()).server);
    assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("access-control")), []);
    assert.equal(headers.get("vary"), null);
  });
});

describe("preflights", () => {
  test("one of an allowed origin is allowed Authorization and DPoP", async () => {
    const server = await of({ origins: [APP] });
    const response = server.preflight(preflightOf(APP));
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("access-control-allow-origin"), APP);
    assert.deepEqual(listOf(response.headers, "access-control-allow-headers"), ["authorization", "dpop", "content-type"]);
    assert.ok(listOf(response.headers, "access-control-allow-methods").includes("post"));
    assert.deepEqual(listOf(response.headers, "vary"), ["origin", "access-control-request-method", "access-control-request-headers"]);
    assert.equal(response.headers.get("access-control-expose-headers"), null);
    assert.equal(response.headers.get("access-control-max-age"), null);
  });

  test("one of another origin is answered and allowed nothing", async () => {
    const response = (await of({ origins: [APP] })).preflight(preflightOf(OTHER));
    assert.equal(response.status, 204);
    assert.deepEqual([...response.headers.keys()].filter((name) => name.startsWith("access-control")), []);
    assert.ok(listOf(response.headers, "vary").includes("origin"));
  });

  test("methods, further fields and the time it holds are the policy's, without repeats in another case", async () => {
    const server = await of({ origins: "*", methods: ["GET", "QUERY"], headers: ["X-Trace", "content-type", "dpop"], maxAge: 600 });
    const { headers } = server.preflight(preflightOf(APP));
    assert.equal(headers.get("access-control-allow-origin"), "*");
    assert.equal(headers.get("access-control-allow-methods"), "GET, QUERY");
    assert.deepEqual(listOf(headers, "access-control-allow-headers"), ["authorization", "dpop", "content-type", "x-trace"]);
    assert.equal(headers.get("access-control-max-age"), "600");
  });

  test("what is no preflight is left to the caller", async () => {
    const server = await of({ origins: [APP] });
    for (const request of [
      preflightOf(APP, { method: "POST" }),
      preflightOf(APP, { asks: null }),
      preflightOf(null),
      makeRequest(),
    ]) assert.equal(server.preflight(request), null);
    assert.equal((await makeWorld()).server.preflight(preflightOf(APP)), null);
  });
});
