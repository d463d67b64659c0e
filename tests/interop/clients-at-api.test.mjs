// Proofs of other libraries at a resource server of @keybound/edge, over HTTP, with and without nonces.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startApi } from "../authorization-server/api.mjs";
import { edge, makeIssuer } from "../edge/support.mjs";
import { clientLibraries } from "./client-libraries.mjs";
import { REQUESTS } from "./requests.mjs";

let issuer;
let tokens;
before(async () => {
  issuer = await makeIssuer();
  tokens = edge.jwtTokens({ jwks: issuer.jwks });
});
const seconds = () => Math.floor(Date.now() / 1000);
const tokenFor = (jkt) => issuer.token({ now: seconds(), cnf: { jkt } });

for (const nonces of [false, true]) {
  describe(nonces ? "with nonces" : "without nonces", () => {
    let api;
    before(async () => (api = await startApi({ issuer: issuer.issuer, tokens, nonces })));
    after(() => api?.close());

    for (const { name, algorithms, start } of clientLibraries) {
      for (const alg of algorithms) {
        test(`${name} with ${alg} is let in`, async () => {
          const { jkt, call } = await start(alg, { fetch });
          const token = await tokenFor(jkt);
          api.reasons.length = 0;
          const answer = await call(`${api.origin}/orders`, { token });
          assert.deepEqual([answer.status, (await answer.json()).claims.cnf], [200, { jkt }], String(api.reasons));
          assert.deepEqual(api.reasons, nonces ? ["nonce_missing", null] : [null]);
          assert.equal((await call(`${api.origin}/orders`, { token, method: "POST", body: "{}" })).status, 200);
        });
      }

      test(`${name} names targets and methods as the server does`, async () => {
        const { jkt, call } = await start("ES256", { fetch });
        const token = await tokenFor(jkt);
        for (const [target, init] of REQUESTS) {
          const answer = await call(api.origin + target, { token, ...init });
          assert.equal(answer.status, 200, `${init?.method ?? "GET"} ${target}: ${api.reasons.at(-1)}`);
        }
      });

      test(`${name} is refused with another's token, at another place, and a second time`, async () => {
        const refusal = async (send, jkt) => {
          const client = await start("ES256", { fetch: send });
          api.reasons.length = 0;
          const answer = await client.call(`${api.origin}/orders`, { token: await tokenFor(jkt ?? client.jkt) });
          return [answer.status, api.reasons.at(-1)];
        };
        const other = await start("ES256", { fetch });
        assert.deepEqual(await refusal(fetch, other.jkt), [401, "jkt_mismatch"]);
        const elsewhere = (url, init) => fetch(new Request(new Request(url, init).url.replace("/orders", "/keys"), withoutUrl(url, init)));
        assert.deepEqual(await refusal(elsewhere), [401, "htu_path_mismatch"]);
        const twice = async (url, init) => {
          const request = new Request(url, init);
          const first = await fetch(request.clone());
          return first.ok ? fetch(request) : first;
        };
        assert.deepEqual(await refusal(twice), [401, "proof_replayed"]);
      });
    }
  });
}

const withoutUrl = (url, init) => {
  const { method, headers } = new Request(url, init);
  return { method, headers };
};
