// A server of node:https that looks at its own connections, with nothing in front and no field believed.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:https";
import { after, before, describe, test } from "node:test";
import { edge } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { ask } from "./https-client.mjs";
import { edgeNode } from "./packages.mjs";
import { AUDIENCE, startParts } from "./parts.mjs";
import { ASKING, NOT_ASKING } from "./pki.mjs";
import { describeCertificates } from "./scenarios.mjs";

let parts;
const servers = {};
/** Tickets of the one server are good at the other: what several machines behind one name share, and here two names. */
const ticketKeys = randomBytes(48);

before(async () => {
  parts = await startParts({ door: "terminator" });
  servers.plain = await start({});
  // With revocation lists OpenSSL misses one for a self-signed certificate, before it says that it is one.
  servers.lenient = await start({ peer: { allowSelfSigned: true }, lists: false });
  servers.notAsking = await start({ requestCert: false });
  servers.fields = await start({ more: [edge.certificates.clientCertHeader({ trusted: true })] });
});
after(async () => {
  for (const server of Object.values(servers)) await server.close();
  await parts?.stop();
});

async function start({ peer, requestCert = true, more = [], lists = true }) {
  const { pki, api } = parts;
  const server = edgeNode.createNodeResourceServer({
    issuer: api.issuers,
    audience: AUDIENCE,
    publicUrl: [AUDIENCE, `https://${NOT_ASKING}`],
    certificates: [edgeNode.peerCertificate(peer), ...more],
  });
  const tls = { ...pki.server, ca: pki.ca, ...(lists && { crl: pki.lists }), requestCert, rejectUnauthorized: false, ticketKeys, sessionIdContext: "tests" };
  const { origin, close } = await listen(createServer(tls, async (incoming, outgoing) => {
    const { ok, reason, mechanisms, binding, ...decision } = await server.authenticate(incoming);
    const body = JSON.stringify({ ok, reason, mechanisms, binding });
    if (!ok) {
      const { status, headers } = decision.response();
      return outgoing.writeHead(status, { ...Object.fromEntries(headers), "content-type": "application/json" }).end(body);
    }
    edgeNode.finishOn(outgoing, decision);
    return outgoing.writeHead(200, { "content-type": "application/json" }).end(body);
  }));
  return { port: Number(new URL(origin).port), close };
}

describe("Node", () => {
  describeCertificates({
    form: "orders", parts: () => parts, port: () => servers.plain.port, mayResume: true,
    unheld: { expired: "certificate_unverified", revoked: "certificate_revoked", "self-signed": "certificate_unverified" },
  });

  const call = async (server, { as, token = as ?? "good", headers = {}, ...more } = {}) => {
    const { pki, tokens } = parts;
    const about = { port: servers[server].port, ca: pki.ca, name: ASKING, path: "/orders", identity: pki.clients[as] };
    const answer = await ask({ ...about, headers: { authorization: `Bearer ${tokens[token]}`, ...headers }, ...more });
    return { ...answer, reason: JSON.parse(answer.body).reason };
  };

  test("a certificate in a field counts for nothing on a TLS connection, even where fields are believed on others", async () => {
    for (const server of ["plain", "fields"]) {
      const headers = { "client-cert": `:${parts.pki.clients.good.der.toString("base64")}:` };
      assert.equal((await call(server, { headers })).reason, "certificate_missing");
      assert.equal((await call(server, { as: "other", token: "good", headers })).reason, "certificate_mismatch");
      assert.equal((await call(server, { as: "good", headers: { "client-cert": "x" } })).status, 200);
    }
  });

  test("a self-signed certificate is taken where that is allowed (RFC 8705 §2.2), and none that failed otherwise", async () => {
    assert.equal((await call("lenient", { as: "self-signed" })).status, 200);
    assert.equal((await call("lenient", { as: "expired" })).reason, "certificate_unverified");
    assert.equal((await call("plain", { as: "self-signed" })).reason, "certificate_unverified");
  });

  test("a session that began with a certificate brings none to a server that asks for none, nor the other way round", async () => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
      const asked = await call("plain", { as: "good", maxVersion });
      const unasked = await call("notAsking", { name: NOT_ASKING, maxVersion });
      assert.deepEqual([asked.status, unasked.reason], [200, "certificate_missing"]);

      const carried = await call("notAsking", { name: NOT_ASKING, session: asked.session, maxVersion });
      const brought = await call("plain", { session: unasked.session, maxVersion });
      // Otherwise this test shows nothing.
      assert.ok(carried.isResumed && brought.isResumed, maxVersion);
      assert.deepEqual([carried.status, brought.status, brought.reason], [401, 401, "certificate_missing"]);
      assert.match(carried.reason, /^certificate_(missing|unverified)$/);
    }
  });
});
