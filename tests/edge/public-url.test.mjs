// publicUrl: what clients see, where proxies stand between or the host comes from the client.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { edge, makeRequest, makeWorld } from "./support.mjs";

/** The decision about a request that arrives as `url`, with a proof for `htu`. */
async function arriving(publicUrl, url, htu) {
  const world = await makeWorld({ publicUrl });
  const proof = await world.client.proof({ token: world.token, url: htu });
  return world.server.authenticate(makeRequest({ url, token: world.token, proof }));
}
const isAccepted = async (...about) => {
  const decision = await arriving(...about);
  assert.equal(decision.ok, true, `${about.join(" ")}: ${decision.reason}`);
};
const isRefused = async (reason, ...about) => {
  const decision = await arriving(...about);
  assert.deepEqual([decision.ok, decision.reason], [false, reason], about.join(" "));
};

test("without it the request's own URL counts, and a mismatch names the part that differs", async () => {
  await isAccepted(undefined, "https://api.example/a?b=1", "https://api.example/a");
  await isAccepted(undefined, "https://api.example:443/%7ea/./b", "HTTPS://API.example/~a/b?x#y");
  await isRefused("htu_scheme_mismatch", undefined, "http://api.example/a", "https://api.example/a");
  await isRefused("htu_host_mismatch", undefined, "https://api.example/a", "https://evil.example/a");
  await isRefused("htu_port_mismatch", undefined, "https://api.example/a", "https://api.example:8443/a");
  await isRefused("htu_path_mismatch", undefined, "https://api.example/a", "https://api.example/a/");
});

test("DPoP needs https, but for a developer's own machine", async () => {
  await isRefused("htu_not_https", undefined, "http://api.example/a", "http://api.example/a");
  await isAccepted(undefined, "http://localhost:8787/a", "http://localhost:8787/a");
  await isAccepted(undefined, "http://127.0.0.1:8787/a", "http://127.0.0.1:8787/a");
});

describe("a string", () => {
  test("is the origin, whatever host, port and scheme the proxy speaks to", async () => {
    for (const url of ["http://10.0.0.7:8080/a?b=1", "http://internal/a", "https://evil.example/a"]) {
      await isAccepted("https://api.example", url, "https://api.example/a");
    }
    await isRefused("htu_host_mismatch", "https://api.example", "https://evil.example/a", "https://evil.example/a");
  });

  test("may have a path prefix that the proxy takes off, or does not", async () => {
    for (const prefix of ["https://api.example/v1", "https://api.example/v1/"]) {
      await isAccepted(prefix, "http://internal/orders?x=/v1/", "https://api.example/v1/orders");
      await isAccepted(prefix, "http://internal/v1/orders", "https://api.example/v1/orders");
      await isAccepted(prefix, "http://internal/", "https://api.example/v1/");
      await isAccepted(prefix, "http://internal/v1", "https://api.example/v1");
      await isAccepted(prefix, "http://internal/v1?page=2", "https://api.example/v1");
      await isAccepted(prefix, "http://internal/v10", "https://api.example/v1/v10");
      await isRefused("htu_path_mismatch", prefix, "http://internal/orders", "https://api.example/orders");
    }
  });
});

describe("a list", () => {
  const list = ["https://api.example", "https://eu.api.example:8443/v1"];

  test("chooses by the request's host", async () => {
    await isAccepted(list, "http://api.example/a", "https://api.example/a");
    await isAccepted(list, "https://api.example/a", "https://api.example/a");
    await isAccepted(list, "http://eu.api.example:8443/a", "https://eu.api.example:8443/v1/a");
  });

  test("refuses a host that is not in it", async () => {
    for (const url of ["https://evil.example/a", "https://api.example:8443/a", "https://eu.api.example/a", "https://api.example.evil.example/a"]) {
      await isRefused("target_unknown", list, url, "https://api.example/a");
      await isRefused("target_unknown", list, url, url);
    }
  });

  test("refuses such a host for bearer tokens as well", async () => {
    const world = await makeWorld({ publicUrl: list, proofOfPossession: { required: false } });
    const token = await world.issuer.token();
    const ask = (url) => world.server.authenticate(makeRequest({ url, token, scheme: "Bearer" }));
    assert.equal((await ask("https://api.example/a")).ok, true);
    const decision = await ask("https://evil.example/a");
    assert.deepEqual([decision.status, decision.error, decision.reason], [400, "invalid_request", "target_unknown"]);
  });

  test("may have several prefixes on one host: the path says which, and no other path has a place", async () => {
    const versions = ["https://api.example/v1", "https://api.example/v2"];
    for (const version of ["v1", "v2"]) await isAccepted(versions, `http://api.example/${version}/a`, `https://api.example/${version}/a`);
    await isRefused("target_unknown", versions, "http://api.example/v3/a", "https://api.example/v3/a");
  });
});

describe("a function", () => {
  test("gives the whole target URI", async () => {
    const from = (request) => `https://api.example${new URL(request.url).pathname.replace("/internal", "")}`;
    await isAccepted(from, "http://10.0.0.7/internal/a", "https://api.example/a");
    await isRefused("htu_path_mismatch", from, "http://10.0.0.7/internal/a", "https://api.example/internal/a");
  });

  test("that gives no URL accepts nothing", async () => {
    for (const odd of ["", "/a", "api.example/a", "ftp://api.example/a"]) await isRefused("target_unknown", () => odd, "https://api.example/a", "https://api.example/a");
    for (const odd of [null, undefined, 5, new URL("https://api.example/a")]) await isRefused("target_unknown", () => odd, "https://api.example/a", "https://api.example/a");
  });

  test("that spells the host as a client wrote it makes no second chance for a proof", async () => {
    const world = await makeWorld({ publicUrl: (request) => `https://${request.headers.get("x-forwarded-host")}/orders` });
    const proof = await world.client.proof({ token: world.token });
    const reasons = [];
    for (const host of ["api.example", "ap%69.example", "%61pi.example", "API.example", "api.example:0443"]) {
      const decision = await world.server.authenticate(makeRequest({ token: world.token, proof, headers: { "x-forwarded-host": host } }));
      reasons.push(decision.ok ? "accepted" : decision.reason);
    }
    assert.deepEqual(reasons, ["accepted", ...Array(4).fill("proof_replayed")]);
  });

  test("that fails, as it may for what clients make up, accepts nothing", async () => {
    const from = (request) => new URL(request.headers.get("x-original-url")).href;
    await isRefused("target_unknown", from, "https://api.example/a", "https://api.example/a");
  });
});

test("what can be no origin is refused at once", () => {
  const make = (publicUrl) => () => edge.createResourceServer({ issuer: "https://as.example", audience: "a", publicUrl });
  assert.throws(make("api.example"), /publicUrl: "api.example" is no absolute URL/);
  assert.throws(make([]), /publicUrl: the list is empty/);
  for (const url of ["ftp://api.example", "http://api.example", "https://api.example/?a=1", "https://api.example/#a", "https://user@api.example"]) {
    assert.throws(make(url), /publicUrl: .* must be an https origin, with a path prefix at most/, url);
    assert.throws(make([url]), /publicUrl/);
  }
  for (const odd of [5, true, {}]) assert.throws(make(odd), /publicUrl/);
});
