// Client certificates of real TLS connections of node:https and node:http2 (RFC 8705 §2 and §3).
import assert from "node:assert/strict";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { createServer } from "node:https";
import { connect } from "node:tls";
import { after, before, describe, test } from "node:test";
import { AUDIENCE, edge, makeRequest } from "../edge/support.mjs";
import { listen } from "../support/loopback.mjs";
import { PATH, fieldsOf, makeNodeWorld, node, send, serveHandler } from "./support.mjs";
import { CURRENT, EXPIRED, TO_COME, makeAuthority, makeSelfSigned } from "./tls.mjs";

const closing = [];
after(() => Promise.all(closing.map((close) => close())));

let authority;
let own;
let client;
before(async () => {
  authority = await makeAuthority();
  own = await authority.issue("server");
  client = await authority.issue("client");
});

/** TLS options of a server that asks for a certificate and leaves it to us what to make of it. */
const tls = (more) => ({ key: own.key, cert: own.cert, ca: authority.cert, requestCert: true, rejectUnauthorized: false, ...more });

const answerWith = (world, seen) => async (request, response) => {
  const decision = await world.api.authenticate(request);
  seen?.(request);
  if (decision.ok) response.end(JSON.stringify(decision.binding));
  else await node.send(response, decision.response({ headers: { "x-reason": decision.reason } }));
};

/** A server of node:https whose token is bound to `bound`. `present(identity)` sends it with that certificate; it gives 200 or the reason. */
async function makeTlsWorld({ bound = client, options = {}, server: more, seen } = {}) {
  const world = await makeNodeWorld({ certificates: [node.peerCertificate()], ...options }, { claims: { cnf: { "x5t#S256": bound.x5t } } });
  const server = createServer(tls(more), answerWith(world, seen));
  const { origin, close } = await listen(server);
  closing.push(close);
  const url = origin.replace("http:", "https:");
  const presentWith = (tlsOptions, headers = {}) =>
    send(url, { headers: { authorization: `Bearer ${world.token}`, ...headers }, ca: authority.cert, ...tlsOptions });
  return {
    ...world,
    url,
    async present(identity, headers) {
      const { status, headers: fields } = await presentWith({ key: identity?.key, cert: identity?.cert }, headers);
      return status === 200 ? 200 : fields.get("x-reason");
    },
  };
}

describe("a verified certificate", () => {
  test("opens its tokens, and no other does", async () => {
    const world = await makeTlsWorld();
    assert.equal(await world.present(client), 200);
    assert.equal(await world.present(await authority.issue("client")), "certificate_mismatch");
    assert.equal(await world.present(undefined), "certificate_missing");
  });

  test("opens its tokens at a server that takes none but verified ones", async () => {
    const world = await makeTlsWorld({ server: { rejectUnauthorized: true } });
    assert.equal(await world.present(client), 200);
    await assert.rejects(world.present(undefined), /ECONNRESET|socket hang up|certificate required|closed/i);
  });

  test("is not asked for where the server does not ask for it", async () => {
    const world = await makeTlsWorld({ server: { requestCert: false } });
    assert.equal(await world.present(client), "certificate_missing");
  });

  test("and a key, both enforced", async () => {
    const world = await makeTlsWorld();
    const token = await world.issuer.token({ cnf: { ...world.client.cnf, "x5t#S256": client.x5t } });
    const ask = async (identity) => {
      const headers = await fieldsOf({ ...world, token });
      const answer = await send(world.url, { headers, ca: authority.cert, key: identity?.key, cert: identity?.cert });
      return answer.status === 200 ? JSON.parse(answer.text) : answer.headers.get("x-reason");
    };
    assert.deepEqual(await ask(client), { jkt: world.client.jkt, "x5t#S256": client.x5t });
    assert.equal(await ask(undefined), "certificate_missing");
  });
});

describe("a certificate that is not verified is refused:", () => {
  /** What comes of a token that is bound to this very certificate. */
  const outcomeOf = async (identity, allowSelfSigned, more) => {
    const world = await makeTlsWorld({ bound: identity, options: { certificates: [node.peerCertificate({ allowSelfSigned })] }, ...more });
    return world.present(identity);
  };

  test("a self-signed one, unless such are allowed", async () => {
    const selfSigned = await makeSelfSigned("client");
    assert.equal(await outcomeOf(selfSigned, undefined), "certificate_unverified");
    assert.equal(await outcomeOf(selfSigned, false), "certificate_unverified");
    assert.equal(await outcomeOf(selfSigned, true), 200);
  });

  test("an expired one and one that is yet to come, self-signed or not, whatever is allowed", async () => {
    for (const validity of [EXPIRED, TO_COME]) {
      for (const identity of [await authority.issue("client", validity), await makeSelfSigned("client", { validity })]) {
        for (const allowed of [true, false]) assert.equal(await outcomeOf(identity, allowed), "certificate_unverified");
      }
    }
    assert.equal(await outcomeOf(await makeSelfSigned("client", { validity: CURRENT }), true), 200);
  });

  test("one of another authority, with and without it in the chain", async () => {
    const other = await makeAuthority("other");
    const identity = await other.issue("client");
    for (const cert of [identity.cert, `${identity.cert}\n${other.cert}`]) {
      for (const allowed of [true, false]) assert.equal(await outcomeOf({ ...identity, cert }, allowed), "certificate_unverified");
    }
  });

  test("a revoked one", async () => {
    const identity = await authority.issue("client");
    const server = { crl: await authority.revoke(identity) };
    for (const allowed of [true, false]) assert.equal(await outcomeOf(identity, allowed, { server }), "certificate_revoked");
    assert.equal(await outcomeOf(client, false, { server }), 200);
  });

  test("it is no hindrance to a token that is bound to a key alone", async () => {
    const world = await makeTlsWorld();
    const selfSigned = await makeSelfSigned("client");
    const token = await world.issuer.token({ cnf: world.client.cnf });
    const headers = await fieldsOf({ ...world, token });
    assert.equal((await send(world.url, { headers, ca: authority.cert, key: selfSigned.key, cert: selfSigned.cert })).status, 200);
  });
});

for (const version of ["TLSv1.2", "TLSv1.3"]) {
  describe(`a resumed session of ${version}`, () => {
    /** Two requests, the second on the first one's session: `[outcome, whether it was resumed]` of each. */
    async function twice(world, identity) {
      let session;
      const once = () =>
        new Promise((resolve, reject) => {
          const { port } = new URL(world.url);
          const socket = connect({ host: "127.0.0.1", port, ca: authority.cert, key: identity?.key, cert: identity?.cert, session, minVersion: version, maxVersion: version }, () => {
            resumed = socket.isSessionReused();
            socket.write(`GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${world.token}\r\nConnection: close\r\n\r\n`);
          });
          let answer = "";
          let resumed;
          socket.on("session", (given) => (session = given));
          socket.on("data", (chunk) => (answer += chunk));
          socket.on("error", reject);
          socket.on("close", () => resolve([/^HTTP\/1\.1 200/.test(answer) ? 200 : /^x-reason: (.*)\r$/im.exec(answer)?.[1], resumed]));
        });
      return [await once(), await once()];
    }

    test("still has its certificate", async () => {
      assert.deepEqual(await twice(await makeTlsWorld(), client), [[200, false], [200, true]]);
    });

    test("without a certificate has none, though Node calls it authorized", async () => {
      const authorized = [];
      const world = await makeTlsWorld({ seen: ({ socket }) => authorized.push(socket.authorized) });
      assert.deepEqual(await twice(world, undefined), [["certificate_missing", false], ["certificate_missing", true]]);
      if (version === "TLSv1.3") assert.deepEqual(authorized, [false, true]);
    });

    test("with a certificate that was not verified is not verified either", async () => {
      const selfSigned = await makeSelfSigned("client");
      assert.deepEqual(await twice(await makeTlsWorld({ bound: selfSigned }), selfSigned), [["certificate_unverified", false], ["certificate_unverified", true]]);
      const allowing = { certificates: [node.peerCertificate({ allowSelfSigned: true })] };
      assert.deepEqual(await twice(await makeTlsWorld({ bound: selfSigned, options: allowing }), selfSigned), [[200, false], [200, true]]);
    });
  });
}

describe("a field that names a certificate", () => {
  const certificates = () => [node.peerCertificate(), edge.certificates.clientCertHeader({ trusted: true })];

  test("cannot stand in for the certificate of a TLS connection", async () => {
    const world = await makeTlsWorld({ options: { certificates: certificates() } });
    const field = { "client-cert": client.field };
    assert.equal(await world.present(undefined, field), "certificate_missing");
    assert.equal(await world.present(await authority.issue("other"), field), "certificate_mismatch");
    assert.equal(await world.present(await makeSelfSigned("client"), field), "certificate_unverified");
    assert.equal(await world.present(client, { "client-cert": (await authority.issue("other")).field }), 200);
  });

  test("counts on a plain connection, which has none", async () => {
    const world = await makeNodeWorld({ certificates: certificates() }, { claims: { cnf: { "x5t#S256": client.x5t } } });
    const server = await serveHandler(answerWith(world));
    closing.push(server.close);
    const ask = async (headers) => (await send(server.origin, { headers: { authorization: `Bearer ${world.token}`, ...headers } })).status;
    assert.deepEqual([await ask({ "client-cert": client.field }), await ask({})], [200, 401]);
  });

  test("counts on a proxy's TLS connection where the connection's own is left out", async () => {
    const world = await makeTlsWorld({ options: { certificates: [edge.certificates.clientCertHeader({ trusted: true })] } });
    const proxy = await authority.issue("proxy");
    assert.equal(await world.present(proxy, { "client-cert": client.field }), 200);
    assert.equal(await world.present(proxy), "certificate_missing");
  });
});

test("over HTTP/2 it is the session's certificate", async () => {
  const world = await makeNodeWorld({ certificates: [node.peerCertificate()] }, { claims: { cnf: { "x5t#S256": client.x5t } } });
  const server = createSecureServer(tls(), answerWith(world));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const ask = async (identity) => {
    const session = connectHttp2(`https://127.0.0.1:${server.address().port}`, { ca: authority.cert, key: identity?.key, cert: identity?.cert });
    const stream = session.request({ ":path": PATH, authorization: `Bearer ${world.token}` });
    const status = await new Promise((resolve, reject) => stream.on("error", reject).on("response", (headers) => resolve(headers[":status"])));
    session.destroy();
    return status;
  };
  try {
    assert.deepEqual([await ask(client), await ask(undefined), await ask(await makeSelfSigned("client"))], [200, 401, 401]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a plain resource server has no connection to ask, and accepts nothing for want of it", async () => {
  const world = await makeNodeWorld({}, { claims: { cnf: { "x5t#S256": client.x5t } } });
  const server = edge.createResourceServer({
    issuer: "https://as.example", audience: AUDIENCE, tokens: edge.jwtTokens({ jwks: world.issuer.jwks }), now: world.clock.now,
    certificates: [node.peerCertificate({ allowSelfSigned: true })],
  });
  const decision = await server.authenticate(makeRequest({ token: world.token, scheme: "Bearer" }));
  assert.deepEqual([decision.ok, decision.status, decision.reason], [false, 503, "certificate_source_unavailable"]);
});
