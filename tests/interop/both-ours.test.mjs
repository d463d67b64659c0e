// Both ends ours, and another library between them: @keybound/browser's fetch below oauth4webapi and openid-client, which know
// nothing of DPoP then, at the authorization server of ../authorization-server and at an API of @keybound/edge.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeJwt } from "jose";
import { startApi } from "../authorization-server/api.mjs";
import { drivers } from "../authorization-server/drivers.mjs";
import { startAuthorizationServer } from "../authorization-server/server.mjs";
import { kb, makeKey } from "./keybound-client.mjs";

let server;
let api;
before(async () => {
  server = await startAuthorizationServer();
  api = await startApi({ issuer: server.issuer, nonces: true });
});
after(() => Promise.all([server?.close(), api?.close()]));

for (const { name, connect } of drivers) {
  test(`${name} signs in, refreshes and asks nothing about keys`, async () => {
    const key = await makeKey();
    const appWith = async (by) => connect(server, "page", { fetch: kb.createTokenFetch({ key: by, origins: [server.issuer] }) });
    const app = await appWith(key);
    const first = await app.redeem(await app.push());
    const { access_token, refresh_token } = await app.refresh(first.refresh_token);
    assert.deepEqual(decodeJwt(access_token).cnf, { jkt: key.thumbprint });
    const call = async (by) => kb.createFetch({ key: by, token: access_token, origins: [api.origin] })(`${api.origin}/orders`);
    assert.equal((await call(key)).status, 200);

    const thief = await makeKey();
    assert.equal((await call(thief)).status, 401);
    await assert.rejects((await appWith(thief)).refresh(refresh_token), { error: "invalid_grant" });
  });
}
