// An issuer's keys over the network, fetched by one request for all others: across the walls between requests.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { makeClient, makeIssuer } from "../edge/support.mjs";
import { credentials, serveHttp, startWorker } from "./support.mjs";

const client = await makeClient();

/** An issuer with an HTTP server of its own. `as.answer`, where set, answers instead. */
async function startIssuer() {
  const as = {};
  const http = await serveHttp((request, response) => {
    if (as.answer?.(request, response)) return;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.url === "/jwks" ? as.issuer.jwks : { issuer: http.origin, jwks_uri: `${http.origin}/jwks` }));
  });
  as.issuer = await makeIssuer({ issuer: http.origin });
  return Object.assign(as, http);
}

for (const [how, bindings] of [["", {}], [", with waitUntil", { WAIT_UNTIL: true }]]) {
  describe(`discovery${how}`, () => {
    let as;
    let worker;
    before(async () => {
      as = await startIssuer();
      worker = await startWorker("api", { bindings: { ISSUER: as.origin, OPTIONS: {}, ...bindings } });
    });
    after(async () => {
      await worker?.stop();
      await as?.close();
    });
    const call = async (options) => fetch(`${worker.origin}/orders`, { headers: await credentials(as.issuer, client), ...options });

    test("an issuer that is down means 503, and requests are served once it is up", async () => {
      as.answer = (_, response) => response.writeHead(500).end();
      const answer = await call();
      assert.deepEqual([answer.status, answer.headers.get("x-reason")], [503, "token_source_unavailable"]);
      assert.ok(answer.headers.get("retry-after"));
      as.answer = undefined;
      const deadline = Date.now() + 10_000;
      let status;
      while (status !== 200 && Date.now() < deadline) {
        const again = await call();
        status = again.status;
        await again.text();
      }
      assert.equal(status, 200, worker.log());
    });
  });
}

test("fifty first requests at once are served by one fetch of each document", async () => {
  const as = await startIssuer();
  const worker = await startWorker("api", { bindings: { ISSUER: as.origin, OPTIONS: {} } });
  try {
    // The answer comes when all requests are there.
    let arrived = 0;
    const gate = new Promise((resolve) => {
      as.answer = (request, response) => {
        if (request.url !== "/.well-known/oauth-authorization-server" || arrived < 0) return false;
        resolve();
        arrived = -1;
        setImmediate(() => response.end(JSON.stringify({ issuer: as.origin, jwks_uri: `${as.origin}/jwks` })));
        return true;
      };
    });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => fetch(`${worker.origin}/orders`, { headers: await credentials(as.issuer, client) })),
    );
    await gate;
    for (const answer of answers) assert.equal(answer.status, 200, answer.headers.get("x-reason"));
    assert.deepEqual(as.requests, ["/.well-known/oauth-authorization-server", "/jwks"]);
  } finally {
    await worker.stop();
    await as.close();
  }
});

test("a client that goes away while its request fetches the keys leaves nobody stuck", async () => {
  const as = await startIssuer();
  const worker = await startWorker("api", { bindings: { ISSUER: as.origin, OPTIONS: {} } });
  try {
    const asked = new Promise((resolve) => {
      // Never answered.
      as.answer = () => (resolve(), true);
    });
    const gone = new AbortController();
    const first = fetch(`${worker.origin}/orders`, { headers: await credentials(as.issuer, client), signal: gone.signal });
    await asked;
    gone.abort();
    await assert.rejects(first, { name: "AbortError" });
    as.answer = undefined;
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => fetch(`${worker.origin}/orders`, { headers: await credentials(as.issuer, client) })),
    );
    for (const answer of answers) assert.equal(answer.status, 200, answer.headers.get("x-reason"));
  } finally {
    await worker.stop();
    await as.close();
  }
});
